"""Verify a run of the stream backend: parts, window generators, whole frames, planted faults."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from nnlogic.backends.stream.checks.faults import STREAM_FAULTS, geometry_faults
from nnlogic.backends.stream.model.cycles import StreamTiming
from nnlogic.backends.stream.model.ir import StreamDesign
from nnlogic.backends.stream.rows import (
    DESIGN,
    FAULTS,
    LOGIC,
    TAGS_CHECK,
    VERILOG,
    with_part,
)
from nnlogic.backends.stream.section import with_facts
from nnlogic.backends.stream.segments import check_part, load_cores
from nnlogic.backends.stream.stages import cut_of
from nnlogic.checks.verdict import Verdict
from nnlogic.core.errors import ToolNotFound
from nnlogic.core.formats import IntArray
from nnlogic.core.progress import Progress
from nnlogic.hw.stream.verilog import write_stream
from nnlogic.job.backend import Simulate, backend_of
from nnlogic.job.context import saved_context
from nnlogic.job.directory import Run
from nnlogic.job.ladder import accuracy_rows, verdict_check
from nnlogic.job.rows import read_saved
from nnlogic.job.simulate import missing_simulator, need_simulator, simulator_facts
from nnlogic.quant.ir import QuantNet
from nnlogic.quant.kernel_network import Part
from nnlogic.report.model import Report
from nnlogic.report.rows import Artifact, Check
from nnlogic.sim.cocotb_run import CocotbRun
from nnlogic.sim.stream.run import run_stream_bench, run_tags, tags

BEATS = 8_000
"""Beats of whole frames that a simulator is sent, at least `FRAMES` frames."""
FRAMES = 8


@dataclass(frozen=True, eq=False)
class _Stream:
    design: StreamDesign
    parts: tuple[Part, ...]
    folder: Path
    codes: IntArray
    expected: IntArray
    progress: Progress

    def files(self) -> list[Path]:
        """Return the Verilog of the run."""
        return sorted((self.folder / "rtl").glob("*.v"))


def frame_count(design: StreamDesign) -> int:
    """Return how many frames are simulated."""
    return max(FRAMES, BEATS // design.beats)


def simulate_stream(run: Run, ask: Simulate) -> Report:
    """Check the parts and simulate the stream; return the report with what was found.

    Raises
    ------
    ToolNotFound
        A simulator that is required is missing, or there is none for the window generators.
    """
    design = StreamDesign.load(run.ir_path("design"))
    ctx = saved_context(backend_of(run), run)
    parts = cut_of(ctx).parts
    report = run.report
    for part in parts:
        with ask.progress.step(f"check: {part.title}"):
            own = check_part(part, run.path, ask)
        report = with_part(report, part, own, (LOGIC, DESIGN, VERILOG, FAULTS))
    if report.failed:
        return report
    rows, expected = read_saved(run.path / "sim" / "rows.npz")
    count = frame_count(design)
    whole = _Stream(design, parts, run.path, rows.codes[:count], expected[:count], ask.progress)
    verdict = _tags(whole)
    report = report.with_check(5, verdict_check(TAGS_CHECK, verdict))
    ran = []
    for name in ask.simulators:
        check, result = _regression(whole, name, ask)
        report = report.with_check(5, check)
        if result is not None:
            ran.append(name)
            report = with_facts(
                report,
                simulated_latency=result.measured.get("latency"),
                simulated_steady=result.measured.get("steady"),
                simulated_interval=result.measured.get("interval"),
            )
    if report.failed:
        return report
    if ran:
        net = QuantNet.load(run.ir_path("quant"))
        labels = None if rows.labels is None else rows.labels[:count]
        simulated = replace(rows, codes=whole.codes, labels=labels)
        report = report.put(*accuracy_rows(net, simulated, "RTL", whole.expected))
    with ask.progress.step("planted faults"):
        for check in _faults(whole):
            report = report.with_check(0, check)
    return report.put(*simulator_facts(ran), Artifact("sim/rows.npz", "rows simulated"))


def tag_simulator() -> str:
    """Return the simulator that window generators run on: the one that builds faster.

    Raises
    ------
    ToolNotFound
        There is none.
    """
    try:
        need_simulator("icarus")
    except ToolNotFound:
        need_simulator("verilator")
        return "verilator"
    return "icarus"


def _tags(whole: _Stream) -> Verdict:
    started = time.monotonic()
    simulator = tag_simulator()
    sent = [
        tags(layer, 1 + i) for i, layer in enumerate(whole.design.layers) if not layer.scan.passes
    ]
    if not sent:
        why = "every window is one position: there are no generators"
        return Verdict("windows", "Verilog", True, "exhaustive", why).timed(started)
    result = run_tags(
        whole.design, whole.files(), whole.folder / "sim" / "tags", simulator=simulator,
        progress=whole.progress,
    )  # fmt: skip
    bad = next((t for t in result.tests if not t.passed), None)
    count = sum(int(frames[0].size) for frames in sent)
    detail = (
        bad.message
        if bad
        else f"by data independence: {count:,} unique tags in {max(map(len, sent))} frames, back "
        f"to back and with gaps, on {simulator}"
    )
    how = "exhaustive"
    return Verdict("windows", "Verilog", bad is None, how, detail).timed(started)


def _regression(whole: _Stream, simulator: str, ask: Simulate) -> tuple[Check, CocotbRun | None]:
    title = f"cocotb on {simulator}"
    try:
        need_simulator(simulator)
        result = run_stream_bench(
            whole.design,
            whole.files(),
            whole.folder / "sim" / f"cocotb-{simulator}",
            codes=whole.codes,
            expected=whole.expected,
            simulator=simulator,
            progress=ask.progress,
        )
    except ToolNotFound as error:
        return missing_simulator(title, error, ask), None
    return regression_check(title, whole.design, result, len(whole.codes)), result


def regression_check(title: str, design: StreamDesign, result: CocotbRun, frames: int) -> Check:
    """Return what a simulation of a whole stream says; the times must be those promised."""
    timing = StreamTiming.of(design)
    found = tuple(result.measured.get(name) for name in ("latency", "steady", "interval"))
    failed = len(result.tests) - result.passed
    good = not failed and found == (timing.alone, timing.steady, timing.interval)
    bad = next((t for t in result.tests if not t.passed), None)
    detail = (
        f"{result.passed} tests passed, {failed} failed; latency {found[0]} cycles alone and "
        f"{found[1]} back to back, a frame every {found[2]}; promised {timing.alone}, "
        f"{timing.steady} and {timing.interval}"
    )
    detail += f"; {bad.name}: {bad.message}" if bad else ""
    how, seconds = f"sampled n={frames}", round(result.seconds, 3)
    return Check(title, "pass" if good else "fail", how, detail, seconds)


def _faults(whole: _Stream) -> Iterator[Check]:
    """Plant one fault of each kind in a window generator; unique tags must show it."""
    cores = load_cores(whole.folder, whole.parts)
    simulator = tag_simulator()
    folder = whole.folder / "sim" / "faults"
    left = list(STREAM_FAULTS)
    for title, number, shape, where in geometry_faults(whole.design):
        started = time.monotonic()
        files = write_stream(whole.design, cores, folder / "rtl", shapes={number: shape})
        result = run_tags(
            whole.design, files[:1], folder / "bench", layers=[number], simulator=simulator
        )
        caught = result.passed < len(result.tests)
        said = next((t.message for t in result.tests if not t.passed), "not caught")
        verdict = Verdict("planted fault", "tags", caught, "exhaustive", said[:200], where)
        left.remove(title)
        yield verdict_check(title, verdict.timed(started))
    for title in left:
        yield Check(title, "pass", "exhaustive", "no layer of this network can have it")
