"""Minimization on a cluster of Dask: a worker that dies costs time and nothing else."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager

import numpy as np
import pytest
from distributed import Client, LocalCluster

from benchmarks.minimize.scaling import network
from nnlogic.core.errors import ToolFailed
from nnlogic.logic.build import minimize_with_records
from nnlogic.tools.cluster import cluster, on_cluster, submitted

FUNCTIONS = 12


@pytest.fixture(scope="module")
def workers():
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as made:
        yield made


class Killer:
    """Progress that kills a worker once results have begun to come."""

    def __init__(self, pids):
        self.pids, self.done = list(pids), 0

    @contextmanager
    def step(self, name, total=0):
        yield self

    def advance(self, count=1, note=""):
        self.done += count
        if self.done >= 2 and self.pids:
            os.kill(self.pids.pop(), signal.SIGKILL)
            self.pids.clear()


def test_nothing_is_lost_when_a_worker_dies(workers):
    tables = network(FUNCTIONS, shared=False)
    with Client(workers.scheduler_address, set_as_default=False) as client:
        pids = client.run(os.getpid).values()
    options = {"effort": "fast", "cache_dir": False}
    with on_cluster(workers.scheduler_address):
        assert cluster() is not None
        killer = Killer(pids)
        there, records = minimize_with_records(tables, progress=killer, **options)
    assert not killer.pids, "a worker was killed"
    assert len(records) == FUNCTIONS
    here, _ = minimize_with_records(tables, jobs=1, **options)
    assert np.array_equal(there.fanins, here.fanins)
    assert np.array_equal(there.tables, here.tables)
    assert cluster() is None


def test_an_error_of_a_call_is_the_error_of_the_command(workers):
    with Client(workers.scheduler_address, set_as_default=False) as client:
        assert list(submitted(client, divmod, [(7, 2), (9, 4)])) == [(3, 1), (2, 1)]
        with pytest.raises(ZeroDivisionError):
            list(submitted(client, divmod, [(7, 2), (7, 0), (1, 1)]))


def test_a_scheduler_that_is_not_there(monkeypatch):
    monkeypatch.setattr("nnlogic.tools.cluster.SECONDS", 0.5)
    with pytest.raises(ToolFailed, match="does not answer"), on_cluster("tcp://127.0.0.1:9"):
        pass
