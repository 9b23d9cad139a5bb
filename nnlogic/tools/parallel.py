"""Work in other processes, which keep to the limits of this one and end with it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from nnlogic.tools.budget import Budget, budget, spending
from nnlogic.tools.cluster import cluster, submitted
from nnlogic.tools.guardian import GUARDIAN
from nnlogic.tools.limits import Limits, limited, limits

T = TypeVar("T")


def in_processes(
    function: Callable[..., T], calls: Iterable[tuple[Any, ...]], jobs: int
) -> Iterator[T]:
    """Yield the result of each call, in their order, under the limits and the budget of here.

    Processes are joblib's; inside `nnlogic.tools.cluster.on_cluster` calls go to a cluster.

    Parameters
    ----------
    function : callable
        One that can be pickled.
    calls : iterable of tuple
        Arguments of each call.
    jobs : int
        Processes; with one, or for one call, everything happens here. A cluster has its own number.
    """
    work = list(calls)
    client = cluster()
    if client is not None and len(work) > 1:
        here = (limits(), budget())
        yield from submitted(client, _held, [(*here, function, call) for call in work])
        return
    if jobs == 1 or len(work) < 2:
        yield from (function(*call) for call in work)
        return
    from joblib import Parallel, delayed

    pool = Parallel(n_jobs=min(jobs, len(work)), return_as="generator")
    here = (limits(), budget())
    with GUARDIAN.inherited():
        yield from pool(delayed(_held)(*here, function, call) for call in work)


def _held(to: Limits, until: Budget, function: Callable[..., T], call: tuple[Any, ...]) -> T:
    with limited(to), spending(until), _deaf():
        return function(*call)


@contextmanager
def _deaf() -> Iterator[None]:
    """Leave an interrupt of the terminal, which all processes get, to the one that asked."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
