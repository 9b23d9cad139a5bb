"""Verify a run of the stream backend: parts, windows, the whole, planted faults."""

from __future__ import annotations

import time
from collections.abc import Iterator

from nnlogic.backends.stream.rows import DESIGN, FAULTS, LOGIC, TAGS_CHECK, VERILOG, with_part
from nnlogic.backends.stream.section import with_facts
from nnlogic.backends.stream.segments import check_part, load_cores
from nnlogic.backends.stream.whole import Whole, regression_check, tag_simulator
from nnlogic.checks.verdict import Verdict
from nnlogic.core.errors import ToolNotFound
from nnlogic.job.backend import Simulate
from nnlogic.job.directory import Run
from nnlogic.job.ladder import verdict_check
from nnlogic.job.simulate import missing_simulator, need_simulator, simulator_facts
from nnlogic.report.model import Report
from nnlogic.report.rows import Artifact, Check
from nnlogic.sim.cocotb_run import CocotbRun


def simulate_stream(run: Run, whole: Whole, ask: Simulate) -> Report:
    """Check the parts and simulate the stream; return the report with what was found.

    Raises
    ------
    ToolNotFound
        A simulator that is required is missing, or there is none for the windows.
    """
    report = run.report
    for part in whole.cut.parts:
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
            measured = {fact: result.measured.get(own) for own, fact in whole.facts.items()}
            report = with_facts(report, **measured)
    if report.failed:
        return report
    if ran:
        report = report.put(*whole.accuracy(run))
    with ask.progress.step("planted faults"):
        for check in _faults(whole):
            report = report.with_check(0, check)
    return report.put(*simulator_facts(ran), Artifact("sim/rows.npz", "rows simulated"))


def _tags(whole: Whole) -> Verdict:
    started = time.monotonic()
    simulator = tag_simulator()
    count, said = whole.tags()
    if not count:
        return Verdict("windows", "Verilog", True, "exhaustive", said).timed(started)
    result = whole.run_tags(whole.files(), whole.folder / "sim" / "tags", simulator)
    bad = next((t for t in result.tests if not t.passed), None)
    how = f"by data independence: {count:,} unique tags {said}, on {simulator}"
    detail = bad.message if bad else how
    return Verdict("windows", "Verilog", bad is None, "exhaustive", detail).timed(started)


def _regression(whole: Whole, simulator: str, ask: Simulate) -> tuple[Check, CocotbRun | None]:
    title = f"cocotb on {simulator}"
    try:
        need_simulator(simulator)
        folder = whole.folder / "sim" / f"cocotb-{simulator}"
        result = whole.run(whole.files(), folder, simulator)
    except ToolNotFound as error:
        return missing_simulator(title, error, ask), None
    return regression_check(title, whole, result), result


def _faults(whole: Whole) -> Iterator[Check]:
    """Plant one fault of each kind in a window; unique tags must show it."""
    cores = load_cores(whole.folder, whole.cut.parts)
    simulator = tag_simulator()
    folder = whole.folder / "sim" / "faults"
    left = list(whole.planted)
    for title, which, shape, where in whole.wrong_windows():
        started = time.monotonic()
        files = whole.write(cores, folder / "rtl", {which: shape})
        result = whole.run_tags(files[:1], folder / "bench", simulator, which)
        caught = result.passed < len(result.tests)
        said = next((t.message for t in result.tests if not t.passed), "not caught")
        verdict = Verdict("planted fault", "tags", caught, "exhaustive", said[:200], where)
        left.remove(title)
        yield verdict_check(title, verdict.timed(started))
    for title in left:
        yield Check(title, "pass", "exhaustive", whole.absent)
