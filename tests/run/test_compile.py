"""The main job on a small network, through the Python interface, with real tools."""

import json
from dataclasses import replace

import numpy as np
import pytest

import nnlogic
from nnlogic.core.archive import frozen
from nnlogic.core.errors import (
    CheckpointError,
    Different,
    InputError,
    NNLogicError,
    TargetMissed,
    TooWide,
    UsageError,
)
from nnlogic.design.ir import HardwareDesign
from nnlogic.logic.ir import LogicNet
from nnlogic.report.model import Report
from nnlogic.run import compile as compile_run
from nnlogic.run import open_run, synth, verify


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory, make_net):
    folder = tmp_path_factory.mktemp("net")
    net = make_net(4)
    net.save(folder / "toy.safetensors")
    rows = np.random.default_rng(1).normal(size=(300, 5)).astype(np.float32)
    labels = net.evaluate(net.encode(rows))[:, -1]
    labels[:30] = (labels[:30] + 1) % 3
    np.savez(folder / "rows.npz", X=rows, y=labels)
    return folder / "toy.safetensors"


@pytest.fixture(scope="module")
def run(checkpoint, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "run"
    return compile_run(checkpoint, out, rows=checkpoint.parent / "rows.npz", jobs=1)


def test_compile_fills_the_run_directory(run):
    assert run.status == "compiled"
    present = {str(p.relative_to(run.path)) for p in run.path.rglob("*") if p.is_file()}
    assert {
        "STATUS", "nnlogic.log", "config.json", "report.json", "report.html",
        "ir/quant.safetensors", "ir/tables.safetensors", "ir/logic.safetensors",
        "ir/design.safetensors", "rtl/toy.v", "rtl/toy_stream.v", "sim/rows.npz",
        "flows/synth.ys", "flows/pnr.sh", "flows/vivado.tcl", "flows/timing.xdc",
    } <= present  # fmt: skip
    assert Report.load(run.path).to_json() == run.report.to_json()
    for artifact in run.report.artifacts:
        assert (run.path / artifact.path).exists(), artifact.path


def test_compile_proves_each_stage(run):
    rungs = {rung.number: rung for rung in run.report.ladder}
    assert [rungs[n].verdict for n in (2, 3, 4)] == ["pass"] * 3
    assert "exhaustive" in rungs[2].how
    formal = next(c for c in rungs[5].checks if "formally" in c.title)
    assert (formal.verdict, formal.how) == ("pass", "proved")
    # Nothing was simulated and no netlist exists yet, so these rungs must not claim anything.
    assert [rungs[n].verdict for n in (0, 5, 6)] == ["not run"] * 3


def test_accuracy_is_a_ladder(run):
    by_stage = {row.stage: row for row in run.report.accuracy}
    assert by_stage["quantized"].percent == by_stage["tables"].percent == 90.0


def test_stages_can_be_reloaded_and_resumed(run, tmp_path):
    again = compile_run(run.path, tmp_path / "two", start_from="design", levels_per_stage=2)
    first = LogicNet.load(run.ir_path("logic"))
    second = HardwareDesign.load(again.ir_path("design"))
    assert second.logic.text() == first.text()
    assert max(second.segment_depths()) <= 2
    assert any(step.name == "logic (reused)" for step in again.report.steps)


def test_stop_after_leaves_a_run_that_claims_nothing_more(checkpoint, tmp_path):
    run = compile_run(checkpoint, tmp_path / "r", stop_after="tables")
    assert run.status == "stopped"
    assert not run.ir_path("logic").exists()
    assert run.report.rung(3).verdict == "not run"
    with pytest.raises(UsageError, match="nothing to simulate"):
        verify(run.path)
    with pytest.raises(UsageError, match="nothing to synthesize"):
        synth(run.path)
    with pytest.raises(CheckpointError, match="no logic stage"):
        compile_run(run.path, tmp_path / "two", start_from="design")


def test_verify_then_synth(run):
    verified = verify(run.path, require_all=True)
    assert verified.status == "verified"
    rungs = {rung.number: rung.verdict for rung in verified.report.ladder}
    assert [rungs[n] for n in (0, 2, 3, 4, 5)] == ["pass"] * 5
    by_stage = {row.stage: row.percent for row in verified.report.accuracy}
    assert by_stage["RTL"] == by_stage["tables"]
    assert {t.name for t in verified.report.tools} >= {"verilator", "iverilog"}
    placed = synth(run.path)
    assert placed.status == "verified"
    assert placed.report.rung(6).verdict == "pass"
    assert placed.report.timing.fmax_source == "pnr"
    assert placed.report.timing.fmax_mhz > 10
    total = placed.report.resource("total", "synth")
    rows = [r for r in placed.report.resources if r.source == "synth"]
    *parts, last, wrapper, both = rows
    assert (last, wrapper.part) == (total, "stream wrapper")
    assert both.luts == total.luts + wrapper.luts
    assert total.luts == sum(p.luts for p in parts)
    assert total.ffs == sum(p.ffs for p in parts)
    with pytest.raises(TargetMissed):
        synth(run.path, clock=5000.0)
    logic = LogicNet.load(run.ir_path("logic"))
    assert total.luts == logic.stats()["luts"], "LUTs are kept unless told otherwise"
    other = synth(run.path, pnr=False, primitives=False).report
    assert other.rung(6).verdict == "pass"
    assert other.timing.fmax_source == "estimate", "a clock of another netlist"


def test_a_run_whose_verilog_was_changed_fails(run, tmp_path):
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(run.path, copy)
    data = dict(np.load(copy / "sim" / "rows.npz"))
    data["expected"][7, -1] ^= 1
    np.savez(copy / "sim" / "rows.npz", **data)
    with pytest.raises(Different, match="row 7, class"):
        verify(copy, simulators=())
    assert open_run(copy).status == "failed"


def test_a_wrong_minimizer_is_caught(checkpoint, tmp_path, monkeypatch):
    import nnlogic.logic.build as logic_build

    real = logic_build.minimize_with_records

    def faulty(*args, **kwargs):
        logic, records = real(*args, **kwargs)
        tables = logic.tables.copy()
        victim = int(np.argmax(logic.fan_in_counts))
        tables[victim] ^= np.uint64(1)
        return replace(logic, tables=frozen(tables, np.uint64)), records

    monkeypatch.setattr(logic_build, "minimize_with_records", faulty)
    with pytest.raises(Different) as caught:
        compile_run(checkpoint, tmp_path / "r")
    assert "TableNet = LogicNet" in str(caught.value)
    assert open_run(tmp_path / "r").status == "failed"
    assert not list((tmp_path / "r" / "rtl").iterdir())


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"target": "spartan2"}, UsageError, "targets are"),
        ({"mode": "approximate", "backend": "dsp"}, UsageError, "--backend"),
        ({"clock": 100.0, "levels_per_stage": 2}, UsageError, "excludes"),
        ({"stop_after": "routing"}, UsageError, "stages are"),
        ({"speed": 9}, UsageError, "speed"),
        ({"table_limit": 3}, TooWide, "limit 2\\^3"),
        ({"start_from": "logic"}, UsageError, "needs a run directory"),
    ],
)
def test_bad_options_write_nothing(checkpoint, tmp_path, options, error, text):
    with pytest.raises(error, match=text) as caught:
        compile_run(checkpoint, tmp_path / "r", **options)
    assert isinstance(caught.value, NNLogicError)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        ({"X": np.zeros((3, 4))}, "need \\(rows, 5\\)"),
        ({"X": np.full((3, 5), np.nan)}, "NaN"),
        ({"X": np.zeros((3, 5)), "y": np.array([0, 1, 9])}, "outside 0..2"),
        ({"X": np.zeros((3, 5)), "y": np.array([0, 1])}, "rows"),
        ({"Z": np.zeros((3, 5))}, "X"),
    ],
)
def test_bad_rows_write_nothing(checkpoint, tmp_path, rows, text):
    path = tmp_path / "rows.npz"
    np.savez(path, **rows)
    with pytest.raises(InputError, match=text):
        compile_run(checkpoint, tmp_path / "r", rows=path)
    assert [p.name for p in tmp_path.iterdir()] == ["rows.npz"]


def test_config_says_what_was_used(run):
    config = json.loads((run.path / "config.json").read_text())
    assert config["target"] == "ecp5"
    assert config["jobs"] == 1


def test_the_public_names():
    assert set(nnlogic.__all__) == {
        "load", "from_torch", "quantize", "tabulate", "minimize", "build", "compile", "check",
        "Target", "NNLogicError",
    }  # fmt: skip
    assert all(getattr(nnlogic, name) is not None for name in nnlogic.__all__)
    with pytest.raises(AttributeError):
        nnlogic.convert  # noqa: B018
