"""Synthesize the engine of a DSP run; the fabric variant is also placed and routed."""

from __future__ import annotations

from pathlib import Path

from nnlogic.core.errors import Problem, TargetMissed, UsageError
from nnlogic.core.names import identifier
from nnlogic.dsp.ir import Program
from nnlogic.dsp.ops import LANES
from nnlogic.flows.dsp import engine_target, synthesize_engine
from nnlogic.flows.pnr import PnrResult, place_and_route
from nnlogic.flows.targets import Target
from nnlogic.hw.dsp.encode import EngineShape
from nnlogic.report.model import TOTAL, Report
from nnlogic.report.rows import ResourceRow, StepRow
from nnlogic.run import facts
from nnlogic.run.directory import Run
from nnlogic.run.dsp_choice import ROOMS
from nnlogic.run.dsp_rows import measured_report
from nnlogic.run.synth_run import Ask, file_artifacts, used_by_core


def synth_engine(run: Run, ask: Ask) -> tuple[Report, TargetMissed | None]:
    """Return the report with the engine's figures, and the error of a clock that is not met.

    Raises
    ------
    ToolNotFound, ToolFailed, ToolTimeout
        A program is missing or failed.
    """
    target = ask.target
    files = sorted((run.path / "rtl").glob("*.v"))
    program = Program.load(run.ir_path("program"))
    shape = EngineShape.of(program)
    widths = LANES * shape.input_banks, LANES * len(shape.emitters)
    result, found = synthesize_engine(
        files,
        identifier(program.name),
        widths,
        target,
        run.path / "synth",
        timeout=ask.timeout,
        progress=ask.progress,
    )
    kept = [r for r in run.report.resources if r.source not in ("synth", "pnr")]
    report = run.report.replace(resources=tuple(kept))
    report = report.with_timing(fmax_mhz=None, fmax_source=None, latency_ns=None)
    how = (
        f"{target.name}: {result.tool}, {result.command}; {found.dsps} DSP cells, {found.brams} "
        f"block RAMs, {found.memory_luts} of the LUTs are memory"
    )
    report = measured_report(report, found, how).put(
        StepRow(f"synthesis for {target.name}", round(result.seconds, 3)),
        *file_artifacts(run.path, result.files, "synthesis"),
        *facts.tool_facts("yosys"),
    )
    if not ask.pnr or target.pnr is None:
        return report, None
    goal = ask.clock or run.report.config.get("clock")
    try:
        placed = place_and_route(
            result,
            engine_target(target),
            run.path / "pnr",
            clock=goal,
            timeout=ask.timeout,
            progress=ask.progress,
        )
        report = _placed(report, run.path, program, placed)
        placed.require_clock()
    except TargetMissed as error:
        return report, error
    return report, None


def check_engine(run: Run, target: Target, primitives: bool) -> None:
    """Raise UsageError where the engine of a run cannot be synthesized like this."""
    files = list((run.path / "rtl").glob("*.v"))
    problems = []
    kind = run.report.dsp.kind if run.report.dsp else ""
    room = ROOMS.get(target.name)
    if not files:
        why = "the run has no Verilog"
        problems.append(Problem(str(run.path), why, "compile it without --stop-after"))
    if primitives:
        why = "an engine has no LUT network to keep"
        problems.append(Problem("--primitives", why, "leave it out"))
    if files and (room is None or room.kind != kind):
        why = f"the engine is made of {kind} slices, which {target.name} does not have"
        fix = f"compile again with --target {target.name}" if room else "--target xc7, xcup or ecp5"
        problems.append(Problem("--target", why, fix))
    if problems:
        what = "the engine cannot be synthesized like this" if files else "nothing to synthesize"
        raise UsageError(what, problems=problems)


def _placed(report: Report, folder: Path, program: Program, placed: PnrResult) -> Report:
    fmax = placed.fmax_mhz
    where = "in the engine" if placed.path_in_core else "at the test harness, not in the engine"
    used = ", ".join(f"{name} {n}/{of}" for name, (n, of) in placed.utilization.items() if n)
    detail = (
        f"{placed.device}: {placed.tool}, seed {placed.seed}; with a shift-register harness of "
        f"{placed.harness_luts} LUTs and {placed.harness_ffs} FFs; limiting path {where}; {used}"
    )
    luts, ffs = used_by_core(placed)
    report = report.put(
        ResourceRow(TOTAL, "pnr", luts, ffs, detail=detail),
        StepRow("place and route", round(placed.seconds, 3)),
        *file_artifacts(folder, placed.files, "place and route"),
    )
    return report.with_timing(
        fmax_mhz=round(fmax, 2),
        fmax_source="pnr",
        latency_ns=round(1000.0 * program.cycles / fmax, 2),
    )
