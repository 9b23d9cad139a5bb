"""Optimization across neurons, in the run and in its ladder."""

from dataclasses import replace

import numpy as np
import pytest

import nnlogic.logic.network.net as network
from nnlogic.core.archive import frozen
from nnlogic.core.errors import Different, UsageError
from nnlogic.logic.ir import LogicNet
from nnlogic.run import compile as compile_run

OPTIONS = {"target": "xcup", "effort": "fast", "jobs": 1, "stream": False}


@pytest.fixture
def checkpoint(tmp_path, make_net):
    make_net(4).save(tmp_path / "toy.safetensors")
    return tmp_path / "toy.safetensors"


@pytest.mark.parametrize("how", ["layer", "network"])
def test_optimized_runs_are_proved_in_parts(checkpoint, tmp_path, how):
    run = compile_run(checkpoint, tmp_path / "run", optimize=how, **OPTIONS)
    assembled = LogicNet.load(run.path / "ir" / "assembled.safetensors")
    logic = LogicNet.load(run.path / "ir" / "logic.safetensors")
    assert logic.stats()["luts"] <= assembled.stats()["luts"]
    third = run.report.rung(3)
    assert third.verdict == "pass"
    parts = {c.title: c for c in third.checks}
    assert parts["TableNet = LogicNet"].how == "proved"
    assert parts["LogicNet = optimized LogicNet"].how == "proved"
    assert f"--optimize {how}" in run.report.commands[0].line
    again = compile_run(run.path, tmp_path / "again", start_from="design", **OPTIONS)
    assert again.report.rung(3).verdict == "pass"


def test_a_fault_in_the_optimized_network_fails_the_run(checkpoint, tmp_path, monkeypatch):
    def spoiled(net, **options):
        tables = np.array(net.tables)
        # The whole table of a node: a single entry may be one that never occurs.
        tables[-1] ^= np.uint64((1 << (1 << int(net.fan_in_counts[-1]))) - 1)
        return replace(net, tables=frozen(tables, np.uint64))

    monkeypatch.setattr(network, "optimize_net", spoiled)
    with pytest.raises(Different, match="optimized LogicNet"):
        compile_run(checkpoint, tmp_path / "run", optimize="network", **OPTIONS)


def test_across_layers_is_no_worse_than_inside_them(checkpoint, tmp_path, monkeypatch):
    real = network.optimize_net
    asked = []

    def stubborn(net, *, layers, **options):
        """Find nothing across layers, unless the layers were optimized before."""
        asked.append((layers, net.stats()["luts"]))
        return real(net, layers=layers, **options) if layers == "keep" else net

    monkeypatch.setattr(network, "optimize_net", stubborn)
    run = compile_run(checkpoint, tmp_path / "run", optimize="network", **OPTIONS)
    assembled = LogicNet.load(run.path / "ir" / "assembled.safetensors").stats()["luts"]
    logic = LogicNet.load(run.path / "ir" / "logic.safetensors").stats()["luts"]
    assert asked[:2] == [("keep", assembled), ("merge", assembled)]
    assert logic <= assembled
    if len(asked) == 3:
        assert asked[2] == ("merge", logic)


def test_unknown_choices_are_refused_together(checkpoint, tmp_path):
    with pytest.raises(UsageError) as error:
        compile_run(checkpoint, tmp_path / "run", optimize="all", objective="beauty")
    assert {p.where for p in error.value.problems} == {"--optimize", "--objective"}
    assert not (tmp_path / "run").exists()
