"""The DSP backend as a user runs it: compile, verify, synth, report, and what is refused."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

import nnlogic.backends.dsp.choice as dsp_choice
import nnlogic.backends.dsp.model.build as dsp_build
import nnlogic.backends.dsp.netlist as dsp_netlist
import nnlogic.backends.lut.estimate as lut_estimate
from nnlogic.backends.dsp import section as dsp_section
from nnlogic.backends.dsp.checks.faults import flip_opcode
from nnlogic.backends.dsp.model.ir import OpGraph, Program
from nnlogic.backends.dsp.rows import ENGINE_FAULT, FAULTS, NETLIST_FAULT
from nnlogic.core.archive import frozen
from nnlogic.core.errors import CheckpointError, Different, Problem, TargetMissed, UsageError
from nnlogic.flows.target_file import packaged
from nnlogic.flows.targets import Target
from nnlogic.hw.dsp.encode import EngineShape
from nnlogic.logic.ir import LogicNet
from nnlogic.quant.ir import QuantNet
from nnlogic.report.html import render_html
from nnlogic.report.model import Report
from nnlogic.run import compile as compile_run
from nnlogic.run import synth, verify

OPTIONS = {"target": "xc7", "effort": "fast", "jobs": 1}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory, make_net):
    folder = tmp_path_factory.mktemp("net")
    make_net(4, widths=(4, 3), features=4).save(folder / "toy.safetensors")
    return folder / "toy.safetensors"


@pytest.fixture(scope="module")
def run(checkpoint, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "run"
    return compile_run(checkpoint, out, backend="dsp", dsps=2, **OPTIONS)


def with_room(**change):
    """Target xc7 with a part of another size."""
    target = Target.named("xc7")
    return replace(target, dsp=replace(target.dsp, **change))


def checks(report, rung):
    return {c.title: c for c in report.rung(rung).checks}


def test_compile_writes_a_program_and_its_engine(run, checkpoint):
    program = Program.load(run.ir_path("program"))
    codes = np.load(run.path / "sim" / "rows.npz")["codes"]
    assert (program.evaluate(codes) == QuantNet.load(checkpoint).evaluate(codes)).all()
    assert OpGraph.load(run.ir_path("ops")).n_ops == program.n_ops
    # The model of the slice is kept apart: synthesis tools would take it for the cell.
    assert [f.name for f in (run.path / "rtl").iterdir()] == ["toy.v"]
    assert (run.path / "sim" / "dsp48_models.v").exists()
    assert "DSP48E1" in (run.path / "rtl" / "toy.v").read_text()
    script = (run.path / "flows" / "vivado.tcl").read_text()
    assert "[file join $here {../rtl/toy.v}]" in script
    assert script.count(".v}]") == 1
    assert "synth_design -top toy -part {xc7z020" in script
    # The clock port of an engine is that of its streams.
    assert "[get_ports aclk]" in (run.path / "flows" / "timing.xdc").read_text()
    for artifact in run.report.artifacts:
        assert (run.path / artifact.path).exists(), artifact.path
    assert not run.ir_path("design").exists()


def test_the_report_has_the_engine_beside_its_bounds(run):
    program, dsp = Program.load(run.ir_path("program")), dsp_section.of(run.report)
    assert (dsp.kind, dsp.slices, dsp.operations) == ("dsp48e1", 2, program.n_ops)
    assert dsp.bound <= dsp.steps == program.steps
    assert dsp.bound >= max(dsp.work, dsp.depth_bound, dsp.ports)
    assert dsp.latency_cycles == program.cycles == run.report.timing.latency_cycles
    assert dsp.latency_ns == pytest.approx(program.cycles * 1e3 / dsp.clock_mhz, rel=1e-3)
    vectors = 48 * program.contexts * dsp.clock_mhz * 1e6 / program.interval
    assert dsp.throughput == pytest.approx(vectors, rel=1e-3)
    assert dsp.stream_cycles == EngineShape.of(program).turnaround
    assert "model" in dsp.clock_source
    assert "DSP48E1 slices" in render_html(run.report)
    assert Report.load(run.path) == run.report
    assert "--backend dsp --effort fast --dsps 2" in run.report.commands[0].line


def test_the_ladder_up_to_the_program_is_climbed(run):
    found = checks(run.report, 4)
    assert [c.verdict for c in found.values()] == ["pass"] * 3
    assert [c.how for c in found.values()] == ["proved", "proved", "exhaustive"]
    assert [run.report.rung(n).verdict for n in (2, 3)] == ["pass"] * 2
    assert [run.report.rung(n).verdict for n in (0, 5, 6)] == ["not run"] * 3


def test_verify_simulates_the_engine_and_sees_faults(run):
    done = verify(run.path, simulators=("icarus",))
    fifth = checks(done.report, 5)
    assert (fifth["cocotb on icarus"].verdict, fifth["cocotb on verilator"].verdict) == (
        "pass",
        "not run",
    )
    found = checks(done.report, 0)
    assert tuple(found) == FAULTS
    assert {c.verdict for c in found.values()} == {"pass"}, found
    assert "tests failed" in found[ENGINE_FAULT].detail
    assert done.status == "verified"


def test_synth_counts_the_slices_and_simulates_the_netlist(run, monkeypatch):
    monkeypatch.setattr(dsp_netlist, "_simulator", lambda: "icarus")
    monkeypatch.setattr(dsp_netlist, "TESTS", dsp_netlist.TESTS[:1])
    report = synth(run.path).report
    dsp = dsp_section.of(report)
    assert (dsp.measured_dsps, report.resource("total", "synth").ffs) == (2, dsp.measured_ffs)
    found = checks(report, 6)
    assert {c.verdict for c in found.values()} == {"pass"}, found
    assert found["Verilog = netlist"].how.startswith("sampled n=")
    assert "tests failed" in found[NETLIST_FAULT].detail
    assert report.rung(6).verdict == "pass"
    with pytest.raises(UsageError) as error:
        synth(run.path, target="xcup", primitives=True)
    assert {p.where for p in error.value.problems} == {"--target", "--primitives"}


def test_an_engine_that_differs_fails_verify(checkpoint, tmp_path):
    run = compile_run(checkpoint, tmp_path / "r", backend="dsp", dsps=1, **OPTIONS)
    program = Program.load(run.ir_path("program"))
    codes = np.load(run.path / "sim" / "rows.npz")["codes"]
    rng = np.random.default_rng(0)
    wrong, _ = flip_opcode(program, rng)
    while (wrong.evaluate(codes) == program.evaluate(codes)).all():
        wrong, _ = flip_opcode(program, rng)
    wrong.save(run.ir_path("program"))
    from nnlogic.hw.dsp.verilog import write_engine

    files = write_engine(wrong, run.path / "rtl", kind="dsp48e1")
    files[1].unlink()
    with pytest.raises(Different, match="operations = program"):
        verify(run.path, simulators=("icarus",))
    assert (run.path / "STATUS").read_text().strip() == "failed"


def test_operations_that_differ_fail_the_run(checkpoint, tmp_path, monkeypatch):
    real = dsp_build.build_ops

    def spoiled(net, **options):
        graph = real(net, **options)
        op = np.array(graph.op)
        victim = int(graph.output_signals[0]) - graph.n_inputs
        op[victim] = 0b1000 if op[victim] != 0b1000 else 0b0111
        return replace(graph, op=frozen(op, np.uint8))

    monkeypatch.setattr(dsp_build, "build_ops", spoiled)
    with pytest.raises(Different, match="LogicNet = operations"):
        compile_run(checkpoint, tmp_path / "r", backend="dsp", dsps=1, **OPTIONS)


def test_fabric_variant_and_assumed_clock(checkpoint, tmp_path):
    ecp5 = {**OPTIONS, "target": "ecp5"}
    run = compile_run(checkpoint, tmp_path / "r", backend="dsp", dsps=2, clock=50.0, **ecp5)
    dsp = dsp_section.of(run.report)
    assert (dsp.kind, dsp.clock_mhz, dsp.clock_source, dsp.luts) == (
        "fabric",
        50.0,
        "assumed",
        None,
    )
    assert "DSP48" not in (run.path / "rtl" / "toy.v").read_text()
    assert not (run.path / "sim" / "dsp48_models.v").exists()


def test_budgets_choose_the_engine(checkpoint, tmp_path):
    run = compile_run(checkpoint, tmp_path / "r", backend="dsp", max_dsps=3, **OPTIONS)
    dsp = dsp_section.of(run.report)
    assert dsp.slices <= 3
    rows = dsp.tried
    assert {row.slices for row in rows} == {1, 2, 3}
    [chosen] = [row for row in rows if row.chosen]
    assert chosen.slices == dsp.slices
    assert chosen.throughput == max(row.throughput for row in rows)


def test_without_a_number_of_slices_the_fastest_that_fits_the_part(
    checkpoint, tmp_path, monkeypatch
):
    small = with_room(luts=3000)
    monkeypatch.setitem(packaged().targets, "xc7", small)
    run = compile_run(checkpoint, tmp_path / "r", backend="dsp", **OPTIONS)
    rows = dsp_section.of(run.report).tried
    assert max(row.luts for row in rows) > 3000
    [chosen] = [row for row in rows if row.chosen]
    assert chosen.throughput == max(row.throughput for row in rows if row.luts <= 3000)
    table = (run.path / "ir" / "engines.csv").read_text().splitlines()
    assert len(table) == 1 + len(rows)
    assert table[0].startswith("slices,contexts,")


def test_the_engine_asked_for_is_shown_beside_others(run, monkeypatch, checkpoint, tmp_path):
    dsp = dsp_section.of(run.report)
    rows, why = dsp.tried, dsp.tried_why
    assert [row.slices for row in rows if row.chosen] == [2]
    assert {row.slices for row in rows} > {1, 2, 4}
    assert "--dsps 2" in why
    page = render_html(run.report)
    for row in rows:
        assert f'<td class="num">{row.throughput:.3g}</td>' in page
    assert "Percent of slices at work" in page
    assert (run.path / "ir" / "engines.svg").read_text().count("<circle") == len(rows) + 1
    monkeypatch.setattr(dsp_choice, "CHEAP_OPS", 0)
    large = compile_run(checkpoint, tmp_path / "r", backend="dsp", dsps=2, **OPTIONS)
    alone = dsp_section.of(large.report)
    assert len(alone.tried) == 1
    assert "--max-dsps" in alone.tried_why


def test_the_report_says_how_busy_the_slices_are(run):
    program = Program.load(run.ir_path("program"))
    percents = dsp_section.of(run.report).activity
    assert sum(percents) / len(percents) == pytest.approx(100 * program.utilization, abs=2)
    assert percents[0] > 0


def test_reports_of_earlier_versions_load(run):
    data = json.loads(run.report.dumps())
    [section] = data.pop("sections")
    data |= {"dsp": section["data"], "mixed": None}
    assert dsp_section.of(Report.loads(json.dumps(data))) == dsp_section.of(run.report)
    for name in ("tried", "tried_why", "activity"):
        del data["dsp"][name]
    report = Report.loads(json.dumps(data))
    assert dsp_section.of(report).tried == ()
    assert "dsp48e1" in render_html(report)
    del data["dsp"]["slices"]
    with pytest.raises(CheckpointError, match="lacks slices"):
        dsp_section.of(Report.loads(json.dumps(data)))
    del data["dsp"]
    assert dsp_section.of(Report.loads(json.dumps(data))) is None
    del data["timing"]
    with pytest.raises(CheckpointError, match="lacks timing"):
        Report.loads(json.dumps(data))


def test_auto_takes_luts_where_they_meet_the_budgets(checkpoint, tmp_path):
    run = compile_run(checkpoint, tmp_path / "a", backend="auto", max_luts=5000, **OPTIONS)
    assert dsp_section.of(run.report) is None
    assert run.ir_path("design").exists()
    assert run.report.rung(4).title == "LogicNet = HardwareDesign"
    assert any("--backend auto: " in step.name for step in run.report.steps)


def test_auto_turns_to_slices_where_luts_miss_the_budgets(checkpoint, tmp_path, monkeypatch):
    # So small a network takes fewer LUTs than an engine: pretend that it takes more.
    missed = ("9999 LUTs", [Problem("--max-luts", "9999")])
    monkeypatch.setattr(lut_estimate, "lut_problems", lambda *_: missed)
    options = {"backend": "auto", "max_luts": 5000, "max_dsps": 2}
    run = compile_run(checkpoint, tmp_path / "a", **options, **OPTIONS)
    dsp = dsp_section.of(run.report)
    assert dsp.slices <= 2
    assert "9999 LUTs" in dsp.choice
    assert LogicNet.load(run.ir_path("logic")).k == 2
    assert run.report.rung(4).verdict == "pass"
    assert not run.ir_path("design").exists()
    assert "--max-luts 5000 --max-dsps 2" in run.report.commands[0].line


def test_budgets_no_backend_meets_are_told_for_both(checkpoint, tmp_path):
    with pytest.raises(TargetMissed) as error:
        compile_run(checkpoint, tmp_path / "b", backend="auto", max_latency=1.0, **OPTIONS)
    where = [p.where for p in error.value.problems]
    assert where[:2] == ["--max-latency, ns", "--max-latency, ns (dsp)"]
    assert where[2:] == ["--max-latency, ns (mixed)"] * 2
    assert not (tmp_path / "b").exists()


def test_a_rate_is_a_budget_of_every_backend(checkpoint, tmp_path):
    with pytest.raises(TargetMissed) as error:
        compile_run(checkpoint, tmp_path / "b", backend="auto", samples_per_second=1e12, **OPTIONS)
    problems = error.value.problems
    names = ["", " (dsp)", " (mixed)"]
    wanted = [f"--samples-per-second{name}" for name in names]
    assert [p.where for p in problems if p.where in wanted][:3] == wanted
    assert "fewer than 1,000,000,000,000" in problems[0].why
    run = compile_run(checkpoint, tmp_path / "c", backend="auto", samples_per_second=1e6, **OPTIONS)
    assert run.report.backend == "lut"


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"backend": "dsp", "target": "ecp5"}, UsageError, "--dsps"),
        ({"backend": "dsp", "dsps": 0}, UsageError, "more than 0"),
        ({"backend": "dsp", "dsps": 2, "max_dsps": 2}, UsageError, "excludes"),
        ({"backend": "dsp", "dsps": 2, "start_from": "rtl"}, UsageError, "--from design"),
        ({"backend": "lut", "max_luts": 1}, TargetMissed, "--max-luts"),
        ({"backend": "dsp", "dsps": 2, "target": "ice40"}, UsageError, "fabric variant"),
        ({"backend": "auto", "max_luts": 1, "target": "ecp5"}, TargetMissed, "no DSP logic units"),
        ({"backend": "dsp", "dsps": 2, "max_luts": 9, "target": "ecp5"}, UsageError, "synthesis"),
        ({"backend": "dsp", "dsps": 2, "dsps_of_part": 1}, TargetMissed, "1 more than its 1"),
        ({"backend": "dsp", "dsps": 9999}, UsageError, "more slices than operations"),
        ({"backend": "dsp", "dsps": 1, "max_latency": 1.0}, TargetMissed, "--max-latency, ns"),
        ({"backend": "dsp", "dsps": 1, "max_luts": 1}, TargetMissed, "allow 1 slices"),
        ({"backend": "dsp", "dsps": 1, "samples_per_second": 1e12}, TargetMissed, "less than the"),
    ],
)
def test_what_cannot_be_built_is_refused_and_nothing_written(
    checkpoint, tmp_path, monkeypatch, options, error, text
):
    options = dict(options)
    if most := options.pop("dsps_of_part", None):
        small = with_room(dsps=most)
        monkeypatch.setitem(packaged().targets, "xc7", small)
    with pytest.raises(error, match=text):
        compile_run(checkpoint, tmp_path / "r", **{**OPTIONS, **options})
    assert not list(tmp_path.iterdir())


def test_report_json_has_a_dsp_section_only_for_engines(run):
    data = json.loads((run.path / "report.json").read_text())
    [section] = data["sections"]
    assert (section["name"], section["data"]["lanes"]) == ("dsp", 48)
    assert Report("x", "0").to_json()["sections"] == []


def test_a_program_can_go_on_from_a_run_and_luts_are_not_counted_on_pairs(run, tmp_path):
    again = compile_run(
        run.path, tmp_path / "a", backend="dsp", dsps=1, start_from="design", **OPTIONS
    )
    assert dsp_section.of(again.report).slices == 1
    with pytest.raises(UsageError, match="nodes of 2 inputs"):
        compile_run(
            run.path, tmp_path / "b", backend="auto", max_luts=9, start_from="design", **OPTIONS
        )


def test_the_report_says_what_beats_carry(run):
    [engine] = (run.path / "rtl").glob("*.v")
    text = engine.read_text()
    for pin in run.report.pins:
        assert pin.bits % 48 == 0
        assert re.search(rf"put[^;]*\[{pin.bits - 1}:0\]\s*{pin.name}\b", text), pin
    assert [pin.way for pin in run.report.pins] == ["input", "output"]
