"""Runs that begin with a stage that is held in memory, and objects that are none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from helpers_tables import random_net

import nnlogic
from nnlogic.core import bits
from nnlogic.core.errors import Different, UsageError
from nnlogic.logic.ir import LogicNet
from nnlogic.quant.ir import QuantNet
from nnlogic.tables.ir import TableNet

FAST = {"effort": "fast"}


@pytest.fixture(scope="module")
def tables():
    return random_net(7)


@pytest.fixture(scope="module")
def logic(tables):
    return nnlogic.minimize(tables, effort="fast")


def rungs(run):
    return {rung.number: rung.verdict for rung in run.report.ladder}


def same(run, stage):
    rows = bits.random_codes(stage.inputs, 1000, 3)
    made = LogicNet.load(run.ir_path("logic"))
    assert (made.evaluate(rows) == stage.evaluate(rows)).all()


def test_tables_are_compiled_as_they_are(tables, tmp_path):
    run = nnlogic.compile(tables, tmp_path / "run", **FAST)
    assert run.status == "compiled"
    assert [rungs(run)[n] for n in (2, 3, 4)] == ["pass"] * 3
    assert len(TableNet.load(run.ir_path("tables")).blocks) == len(tables.blocks)
    same(run, tables)


def test_logic_is_built_as_it_is(logic, tmp_path):
    run = nnlogic.compile(logic, tmp_path / "run", **FAST)
    assert [rungs(run)[n] for n in (2, 3, 4)] == ["pass"] * 3
    made = LogicNet.load(run.ir_path("logic"))
    assert (made.fanins == logic.fanins).all()
    assert (made.tables == logic.tables).all()
    again = nnlogic.compile(nnlogic.build(logic), tmp_path / "design", **FAST)
    assert (LogicNet.load(again.ir_path("logic")).tables == logic.tables).all()
    assert nnlogic.compile(run.path, tmp_path / "on", start_from="design").status == "compiled"


def test_logic_wider_than_the_device_is_minimized_anew(tmp_path):
    logic = nnlogic.minimize(nnlogic.load("zoo/jets_xs.safetensors"), effort="fast")
    assert logic.fan_in_counts.max() > 4
    run = nnlogic.compile(logic, tmp_path / "run", target="ice40", **FAST)
    assert LogicNet.load(run.ir_path("logic")).fan_in_counts.max() <= 4
    assert rungs(run)[3] == "pass"
    same(run, logic)


def test_another_backend_begins_with_the_network(tables, tmp_path):
    run = nnlogic.compile(tables, tmp_path / "run", backend="dsp", target="xcup", dsps=1, **FAST)
    assert rungs(run)[3] == "pass"
    rows = bits.random_codes(tables.inputs, 1000)
    net = QuantNet.load(run.ir_path("quant"))
    assert (net.evaluate(rows) == tables.evaluate(rows)).all()


def test_a_wrong_network_for_tables_fails(tables, tmp_path, monkeypatch):
    from nnlogic.run import given

    def faulty(stage):
        net, named = given_lift(stage)
        rows = bits.random_codes(stage.inputs, 1000)
        for place, function in enumerate(named.functions):
            functions = list(named.functions)
            functions[place] = replace(function, bits=function.bits ^ np.uint64(1))
            wrong = replace(named, functions=tuple(functions))
            if (wrong.evaluate(rows) != stage.evaluate(rows)).any():
                return net, wrong
        raise AssertionError("no fault shows")

    given_lift = given.lift
    monkeypatch.setattr(given, "lift", faulty)
    with pytest.raises(Different, match="QuantNet = TableNet"):
        nnlogic.compile(tables, tmp_path / "run", **FAST)


def test_start_from_is_for_run_directories(tables, tmp_path):
    with pytest.raises(UsageError, match="start_from is for run directories"):
        nnlogic.compile(tables, tmp_path / "run", start_from="logic")


def test_earlier_stages_are_made_on_the_way(logic):
    net = nnlogic.load("examples/jets/jets.safetensors")
    made = nnlogic.minimize(net, effort="fast")
    assert nnlogic.check(nnlogic.tabulate(net), made).equal
    assert nnlogic.build(random_net(7)).logic.outputs == logic.outputs


@pytest.mark.parametrize(
    ("call", "stage", "fix"),
    [
        (nnlogic.tabulate, "logic", "made already"),
        (nnlogic.tabulate, "path", r"nnlogic\.load\(path\)"),
        (nnlogic.minimize, "logic", "made already"),
        (nnlogic.minimize, "number", r"nnlogic\.tabulate"),
        (nnlogic.build, "design", "made already"),
        (nnlogic.build, "path", r"nnlogic\.minimize"),
    ],
)
def test_another_type_is_one_clear_error(call, stage, fix, logic):
    given = {"logic": logic, "design": nnlogic.build(logic), "path": "x.safetensors", "number": 3}
    with pytest.raises(UsageError, match=fix) as error:
        call(given[stage])
    assert f"nnlogic.{call.__name__} takes a" in str(error.value)


def test_modules_of_torch_are_told_the_way_in(tmp_path):
    torch = pytest.importorskip("torch")
    module = torch.nn.Linear(2, 2)
    for call in (nnlogic.tabulate, nnlogic.minimize, nnlogic.build):
        with pytest.raises(UsageError, match="from_torch"):
            call(module)
    with pytest.raises(UsageError, match="from_torch"):
        nnlogic.compile(module, tmp_path / "run")
    with pytest.raises(UsageError, match=r"list"):
        nnlogic.compile([1], tmp_path / "run")
