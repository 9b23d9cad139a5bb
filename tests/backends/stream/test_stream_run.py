"""Runs of the stream backend: what is written, promised, simulated, synthesized and refused."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace

import pytest
from helpers import constant_net, digits_net, map_net

from nnlogic.backends.stream import section as stream_section
from nnlogic.backends.stream.checks.faults import STREAM_FAULTS, geometry_faults
from nnlogic.backends.stream.model.cycles import StreamTiming
from nnlogic.backends.stream.model.ir import StreamDesign
from nnlogic.backends.stream.rows import (
    FRAMES_CHECK,
    NETLIST_CHECK,
    NETLIST_FAULT,
    NETLIST_PARTS,
    TAGS_CHECK,
)
from nnlogic.backends.stream.segments import load_cores
from nnlogic.backends.stream.stages import cut_of
from nnlogic.backends.stream.synth import prove_parts
from nnlogic.core.errors import Different, TargetMissed, UsageError
from nnlogic.core.progress import SILENT
from nnlogic.flows.memories import stream_target
from nnlogic.flows.synth import synthesize
from nnlogic.flows.targets import Target
from nnlogic.hw.stream.verilog import write_stream
from nnlogic.job.backend import backend_of
from nnlogic.job.context import saved_context
from nnlogic.job.directory import open_run
from nnlogic.job.rows import read_saved
from nnlogic.job.tools import Ask
from nnlogic.run.compile_run import compile
from nnlogic.run.synth_run import synth
from nnlogic.run.verify_run import verify
from nnlogic.sim.netlist import wrong_netlists
from nnlogic.sim.stream.run import run_stream_bench, run_tags

FRAMES = 12
QUICK = {"backend": "stream", "effort": "fast", "jobs": 1}


def made(tmp_path_factory, net, **options):
    folder = tmp_path_factory.mktemp(net.name)
    net.save(folder / "net.safetensors")
    return compile(folder / "net.safetensors", folder / "run", **QUICK, **options)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return made(tmp_path_factory, digits_net(), target="xc7")


def bench(run, folder, files=None, **options):
    design = StreamDesign.load(run.ir_path("design"))
    rows, expected = read_saved(run.path / "sim" / "rows.npz")
    files = sorted((run.path / "rtl").glob("*.v")) if files is None else files
    return design, run_stream_bench(
        design, files, folder, codes=rows.codes[:FRAMES], expected=expected[:FRAMES],
        simulator="icarus", **options,
    )  # fmt: skip


def test_a_run_says_what_it_promises(run):
    design = StreamDesign.load(run.ir_path("design"))
    timing, facts = StreamTiming.of(design), stream_section.of(run.report)
    assert run.report.timing.latency_cycles == timing.alone
    assert run.report.timing.initiation_interval == 64
    assert facts.frames_per_second == pytest.approx(200e6 / 64)
    total = run.report.resource("total", "estimate")
    parts = [
        run.report.resource(p, "estimate") for p in ("kernels", "dense layers", "line buffers")
    ]
    assert total.luts == sum(row.luts for row in parts)
    assert facts.line_bits == sum(layer.line_bits for layer in facts.layers) > 0
    assert {f.name for f in (run.path / "rtl").glob("digits*.v")} >= {"digits.v", "digits_stream.v"}
    checks = {c.title: c for rung in run.report.ladder for c in rung.checks}
    assert checks[FRAMES_CHECK].verdict == "pass"
    assert checks["kernel of conv1, Verilog"].how == "proved"
    assert checks["dense layers, logic"].verdict == "pass"
    assert (run.path / "flows" / "vivado.tcl").exists()
    assert open_run(run.path / "segments" / "digits_0_conv1_kernel0").status == "compiled"


def test_verify_passes_every_rung_and_measures_what_was_promised(run, tmp_path):
    copy = tmp_path / "run"
    shutil.copytree(run.path, copy)
    done = verify(copy, simulators=("icarus",))
    checks = {c.title: c for rung in done.report.ladder for c in rung.checks}
    assert done.status == "verified"
    assert {checks[title].verdict for title in STREAM_FAULTS} == {"pass"}
    assert checks[TAGS_CHECK].how == "exhaustive"
    assert "by data independence" in checks[TAGS_CHECK].detail
    facts = stream_section.of(done.report)
    assert facts.simulated_latency == facts.latency_cycles
    assert facts.simulated_interval == facts.interval_cycles
    assert "back to back" in json.dumps(done.report.to_json())


def test_synthesis_counts_parts_apart_and_simulates_the_netlist(run, tmp_path):
    copy = tmp_path / "run"
    shutil.copytree(run.path, copy)
    done = synth(copy, pnr=False, primitives=False)
    rows = [r for r in done.report.resources if r.source == "synth"]
    total = next(r for r in rows if r.part == "total")
    assert {r.part for r in rows} == {
        "kernels", "dense layers", "frame register", "line buffers", "window generators",
        "stream wrapper", "total",
    }  # fmt: skip
    harness = total.luts - sum(r.luts for r in rows if r is not total)
    assert harness == 0
    checks = {c.title: c.verdict for c in done.report.rung(6).checks}
    assert checks == {NETLIST_PARTS: "pass", NETLIST_CHECK: "pass", NETLIST_FAULT: "pass"}
    assert stream_section.of(done.report).measured_line_luts > 0


def test_primitives_keep_the_mapping(run, tmp_path):
    copy = tmp_path / "run"
    shutil.copytree(run.path, copy)
    done = synth(copy, pnr=False)
    assert list((copy / "synth" / "rtl").glob("*.v"))
    facts = stream_section.of(done.report)
    rows = {r.part: r for r in done.report.resources if r.source == "synth"}
    assert rows["kernels"].luts <= facts.kernel_luts
    assert done.report.rung(6).verdict == "pass"


@pytest.mark.parametrize("lanes", [2, 8])
def test_several_positions_per_clock(tmp_path_factory, tmp_path, lanes):
    run = made(tmp_path_factory, digits_net(3), positions_per_clock=lanes)
    design, result = bench(run, tmp_path / "bench")
    assert [t for t in result.tests if not t.passed] == []
    timing = StreamTiming.of(design)
    assert result.measured == {
        "latency": timing.alone, "interval": 64 // lanes, "steady": timing.steady
    }  # fmt: skip


@pytest.mark.parametrize("options", [{"line_buffers": "block"}, {"clock": 300.0, "target": "xcup"}])
def test_a_map_that_goes_out(tmp_path_factory, tmp_path, options):
    run = made(tmp_path_factory, map_net(), **options)
    design, result = bench(run, tmp_path / "bench")
    assert [t for t in result.tests if not t.passed] == []
    assert result.measured["latency"] == StreamTiming.of(design).alone


def test_a_kernel_that_reads_nothing(tmp_path_factory, tmp_path):
    run = made(tmp_path_factory, constant_net(), target="xc7")
    design, result = bench(run, tmp_path / "bench")
    assert [t for t in result.tests if not t.passed] == []
    assert run_tags(design, sorted((run.path / "rtl").glob("*.v")), tmp_path / "tags").passed == 1


def faulty(run, folder, title):
    """Verilog of a run with one geometry fault in it."""
    design = StreamDesign.load(run.ir_path("design"))
    parts = cut_of(saved_context(backend_of(run), run)).parts
    number, shape = next((n, s) for t, n, s, _ in geometry_faults(design) if t == title)
    wrong = write_stream(design, load_cores(run.path, parts), folder, shapes={number: shape})
    mine = {file.name: file for file in wrong}
    return [mine.get(f.name, f) for f in sorted((run.path / "rtl").glob("*.v"))], number


@pytest.mark.parametrize("title", STREAM_FAULTS)
def test_whole_frames_and_tags_see_every_fault_of_geometry(run, tmp_path, title):
    files, number = faulty(run, tmp_path / "rtl", title)
    _, result = bench(run, tmp_path / "bench", files, tests=("stream_frames",))
    assert result.passed == 0
    design = StreamDesign.load(run.ir_path("design"))
    assert run_tags(design, files, tmp_path / "tags", layers=[number]).passed == 0


CONTROL_FAULTS = {
    "beats are taken without room": (
        "digits_stream.v", r"\bgo <= [^;]+;", "go <= 1'h1;",
        ("stream_blocked", "stream_back_pressure"),
    ),
    "a short frame does not begin a new one": (
        "digits_stream.v", r"s_axis_tlast \| whole", "whole", ("stream_short_frames",),
    ),
    "frames are not counted": (
        "digits_stream.v", r"s_axis_tlast \| whole", "s_axis_tlast", ("stream_without_tlast",),
    ),
    "reset leaves a frame begun": (
        "digits_stream.v", r"if \(!aresetn\) start <= 1'h1;\s+else ", "",
        ("stream_reset_in_mid_frame",),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CONTROL_FAULTS)
def test_protocol_tests_see_faults_of_control(run, tmp_path, name):
    target, old, new, tests = CONTROL_FAULTS[name]
    files = []
    for file in sorted((run.path / "rtl").glob("*.v")):
        text = file.read_text()
        if file.name == target:
            text, count = re.subn(old, new, text)
            assert count == 1
        files.append(tmp_path / file.name)
        files[-1].write_text(text)
    _, result = bench(run, tmp_path / "bench", files, tests=tests)
    assert result.passed < len(tests)


def test_an_edited_kernel_is_stale(run, tmp_path):
    copy = tmp_path / "run"
    shutil.copytree(run.path, copy)
    other = made_logic(copy)
    with pytest.raises(Different):
        verify(copy, simulators=("icarus",))
    assert other.exists()


def made_logic(folder):
    """Put the logic of the wrong kernel in a run."""
    segments = folder / "segments"
    wrong = segments / "digits_2_conv2_kernel0" / "ir" / "design.safetensors"
    place = segments / "digits_0_conv1_kernel0" / "ir" / "design.safetensors"
    shutil.copyfile(wrong, place)
    return place


def test_budgets_are_held(run, tmp_path):
    source = run.path.parent / "net.safetensors"
    with pytest.raises(TargetMissed, match="more than 5") as caught:
        compile(source, tmp_path / "a", **QUICK, target="xc7", max_luts=5)
    assert "--max-luts" in caught.value.text()
    with pytest.raises(TargetMissed, match="--max-latency"):
        compile(source, tmp_path / "b", **QUICK, target="xc7", max_latency=1.0)
    with pytest.raises(UsageError, match="the stream backend does not use it"):
        compile(source, tmp_path / "c", **QUICK, dsps=4)
    assert not list(tmp_path.iterdir())


def test_auto_takes_a_stream_where_luts_alone_miss_the_budget(tmp_path):
    net = replace(digits_net(), name="auto")
    net.save(tmp_path / "net.safetensors")
    done = compile(
        tmp_path / "net.safetensors", tmp_path / "run", backend="auto", arith="auto", target="xc7",
        effort="fast", jobs=1, max_luts=100,
    )  # fmt: skip
    assert done.report.backend == "stream"
    assert "LUTs" in stream_section.of(done.report).choice


@pytest.mark.parametrize(("rate", "lanes"), [(1e6, 1), (6e6, 2)])
def test_auto_by_a_rate_alone_takes_the_slowest_stream_that_suffices(tmp_path, rate, lanes):
    replace(digits_net(), name="auto").save(tmp_path / "net.safetensors")
    done = compile(
        tmp_path / "net.safetensors", tmp_path / "run", backend="auto", arith="auto", target="xc7",
        effort="fast", jobs=1, samples_per_second=rate,
    )  # fmt: skip
    facts = stream_section.of(done.report)
    assert facts.positions_per_clock == lanes
    assert facts.frames_per_second >= rate
    assert "frames per second" in facts.choice


def test_a_wrong_bit_in_a_module_of_the_netlist_is_seen(run, tmp_path):
    copy = tmp_path / "run"
    shutil.copytree(run.path, copy)
    cores = load_cores(copy, cut_of(saved_context(backend_of(run), run)).parts)
    target = stream_target(Target.named("xc7"))
    result = synthesize(
        sorted((copy / "rtl").glob("*.v")), "digits_stream", target, copy / "synth", modules=True
    )
    ask = Ask(Target.named("xc7"), False, False, False, None, 600, SILENT)
    assert prove_parts(cores, result, ask).verdict == "pass"
    place = result.files["modules_verilog"]
    text = place.read_text()
    start = text.index("module digits_2_conv2_kernel0")
    wrong, _ = next(wrong_netlists(text[start:]))
    place.write_text(text[:start] + wrong)
    check = prove_parts(cores, result, ask)
    assert check.verdict == "fail"
    assert "digits_2_conv2_kernel0" in check.detail
