"""Verify a continuous stream: parts, sliding windows, a long sequence, planted faults."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nnlogic.backends.stream.checks.samples import CONTINUOUS_FAULTS, window_faults
from nnlogic.backends.stream.model.continuous import ContinuousDesign
from nnlogic.backends.stream.model.samples import results_of, samples_of
from nnlogic.backends.stream.rows import DESIGN, FAULTS, LOGIC, TAGS_CHECK, VERILOG, with_part
from nnlogic.backends.stream.section import with_facts
from nnlogic.backends.stream.segments import check_part, load_cores
from nnlogic.backends.stream.stages import cut_of
from nnlogic.backends.stream.verify import tag_simulator
from nnlogic.checks.verdict import Verdict
from nnlogic.core.errors import ToolNotFound
from nnlogic.core.formats import IntArray
from nnlogic.core.progress import Progress
from nnlogic.hw.stream.samples import sample_shapes
from nnlogic.hw.stream.samples_verilog import write_samples
from nnlogic.job.backend import Simulate, backend_of
from nnlogic.job.context import saved_context
from nnlogic.job.directory import Run
from nnlogic.job.ladder import verdict_check
from nnlogic.job.rows import read_saved
from nnlogic.job.simulate import missing_simulator, need_simulator, simulator_facts
from nnlogic.quant.ir import QuantNet
from nnlogic.quant.kernel_network import Part
from nnlogic.report.model import Report
from nnlogic.report.rows import Artifact, Check
from nnlogic.sim.cocotb_run import CocotbRun
from nnlogic.sim.stream.samples import chain_tags, run_chains, run_samples_bench

SAMPLES = 6_000
"""Samples that a simulator is sent, at least `FIELDS` receptive fields."""
FIELDS = 12


@dataclass(frozen=True, eq=False)
class Sequence:
    """A run with the samples to send, and the results that must come out."""

    design: ContinuousDesign
    parts: tuple[Part, ...]
    folder: Path
    samples: IntArray
    expected: IntArray
    progress: Progress

    def files(self) -> list[Path]:
        """Return the Verilog of the run."""
        return sorted((self.folder / "rtl").glob("*.v"))


def sequence_of(run: Run, progress: Progress, most: int = SAMPLES) -> Sequence:
    """Return a run with its rows as one sequence, again and again where they are few."""
    design = ContinuousDesign.load(run.ir_path("design"))
    parts = cut_of(saved_context(backend_of(run), run)).parts
    samples = samples_of(design, read_saved(run.path / "sim" / "rows.npz")[0].codes)
    count = max(most, FIELDS * design.reach.samples)
    sent = samples[[i % len(samples) for i in range(count)]]
    expected = results_of(QuantNet.load(run.ir_path("quant")), design, sent)
    return Sequence(design, parts, run.path, sent, expected, progress)


def simulate_samples(run: Run, ask: Simulate) -> Report:
    """Check the parts and simulate the stream; return the report with what was found.

    Raises
    ------
    ToolNotFound
        A simulator that is required is missing, or there is none for the sliding windows.
    """
    whole = sequence_of(run, ask.progress)
    report = run.report
    for part in whole.parts:
        with ask.progress.step(f"check: {part.title}"):
            own = check_part(part, run.path, ask)
        report = with_part(report, part, own, (LOGIC, DESIGN, VERILOG, FAULTS))
    if report.failed:
        return report
    report = report.with_check(5, verdict_check(TAGS_CHECK, _tags(whole)))
    ran = []
    for name in ask.simulators:
        check, result = _regression(whole, name, ask)
        report = report.with_check(5, check)
        if result is not None:
            ran.append(name)
            report = with_facts(
                report,
                simulated_latency=result.measured.get("latency"),
                simulated_interval=result.measured.get("interval"),
            )
    if report.failed:
        return report
    with ask.progress.step("planted faults"):
        for check in _faults(whole):
            report = report.with_check(0, check)
    return report.put(*simulator_facts(ran), Artifact("sim/rows.npz", "rows simulated"))


def regression_check(title: str, design: ContinuousDesign, result: CocotbRun, sent: int) -> Check:
    """Return what a simulation of a whole stream says; the times must be those promised."""
    reach = design.reach
    found = tuple(result.measured.get(name) for name in ("latency", "interval", "first"))
    promised = design.latency, reach.hop, reach.samples
    failed = len(result.tests) - result.passed
    good = not failed and found == promised
    bad = next((t for t in result.tests if not t.passed), None)
    detail = (
        f"{result.passed} tests passed, {failed} failed; latency {found[0]} cycles, a result every "
        f"{found[1]}, the first after {found[2]} samples; promised {promised[0]}, {promised[1]} "
        f"and {promised[2]}"
    )
    detail += f"; {bad.name}: {bad.message}" if bad else ""
    how, seconds = f"sampled n={sent}", round(result.seconds, 3)
    return Check(title, "pass" if good else "fail", how, detail, seconds)


def _tags(whole: Sequence) -> Verdict:
    started = time.monotonic()
    shapes = sample_shapes(whole.design)
    if not shapes:
        why = "every window is one sample: there are no chains"
        return Verdict("windows", "Verilog", True, "exhaustive", why).timed(started)
    simulator = tag_simulator()
    result = run_chains(
        whole.design, whole.files(), whole.folder / "sim" / "tags", simulator=simulator,
        progress=whole.progress,
    )  # fmt: skip
    bad = next((t for t in result.tests if not t.passed), None)
    count = sum(chain_tags(shape, 1 + i)[0].size for i, shape in enumerate(shapes.values()))
    detail = bad.message if bad else (
        f"by data independence: {count:,} unique tags through {len(shapes)} chains from reset, "
        f"until their control repeats, without and with gaps, on {simulator}"
    )  # fmt: skip
    return Verdict("windows", "Verilog", bad is None, "exhaustive", detail).timed(started)


def _regression(whole: Sequence, simulator: str, ask: Simulate) -> tuple[Check, CocotbRun | None]:
    title = f"cocotb on {simulator}"
    try:
        need_simulator(simulator)
        result = run_samples_bench(
            whole.design,
            whole.files(),
            whole.folder / "sim" / f"cocotb-{simulator}",
            samples=whole.samples,
            expected=whole.expected,
            simulator=simulator,
            progress=ask.progress,
        )
    except ToolNotFound as error:
        return missing_simulator(title, error, ask), None
    return regression_check(title, whole.design, result, len(whole.expected)), result


def _faults(whole: Sequence) -> Iterator[Check]:
    """Plant one fault of each kind in a sliding window; unique tags must show it."""
    cores = load_cores(whole.folder, whole.parts)
    simulator = tag_simulator()
    folder = whole.folder / "sim" / "faults"
    left = list(CONTINUOUS_FAULTS)
    for title, module, shape in window_faults(whole.design):
        started = time.monotonic()
        files = write_samples(whole.design, cores, folder / "rtl", shapes={module: shape})
        result = run_chains(
            whole.design, files[:1], folder / "bench", modules=[module], simulator=simulator
        )
        caught = result.passed < len(result.tests)
        said = next((t.message for t in result.tests if not t.passed), "not caught")
        verdict = Verdict("planted fault", "tags", caught, "exhaustive", said[:200], module)
        left.remove(title)
        yield verdict_check(title, verdict.timed(started))
    for title in left:
        yield Check(title, "pass", "exhaustive", "no window of this network can have it")
