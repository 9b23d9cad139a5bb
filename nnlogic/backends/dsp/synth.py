"""Synthesize the engine of a DSP run; the fabric variant is also placed and routed."""

from __future__ import annotations

from nnlogic.backends.dsp import section as dsp_section
from nnlogic.backends.dsp.choice import with_kind
from nnlogic.backends.dsp.flow import synthesize_engine
from nnlogic.backends.dsp.kernels import saved_engine
from nnlogic.backends.dsp.netlist import netlist_checks
from nnlogic.backends.dsp.rows import measured_report
from nnlogic.core.errors import Problem, TargetMissed, UsageError
from nnlogic.flows.memories import memory_target
from nnlogic.flows.targets import Target
from nnlogic.job.directory import Run
from nnlogic.job.tools import Ask, forget_tools, place, put_synth
from nnlogic.report.model import Report

ENGINE = "engine"


def synth_engine(run: Run, ask: Ask) -> tuple[Report, TargetMissed | None]:
    """Return the report with the engine's figures, and the error of a clock that is not met.

    Raises
    ------
    ToolNotFound, ToolFailed, ToolTimeout
        A program is missing or failed.
    """
    target = ask.target
    files = sorted((run.path / "rtl").glob("*.v"))
    engine = saved_engine(run)
    result, found = synthesize_engine(
        files,
        engine.name,
        engine.widths,
        target,
        run.path / "synth",
        timeout=ask.timeout,
        progress=ask.progress,
    )
    how = (
        f"{target.name}: {result.tool}, {result.command}; {found.dsps} DSP cells, {found.brams} "
        f"block RAMs, {found.memory_luts} of the LUTs are memory"
    )
    report = measured_report(put_synth(forget_tools(run.report), run.path, result), found, how)
    netlist = result.files["netlist_verilog"]
    for check in netlist_checks(run, netlist, engine.name, engine.widths, target, ask.progress):
        report = report.with_check(6, check)
    goal = run.report.config.get("clock")
    placed = memory_target(target)
    return place(report, run.path, result, placed, ask, goal, engine.cycles, ENGINE)


def check_engine(run: Run, target: Target, primitives: bool) -> None:
    """Raise UsageError where the engine of a run cannot be synthesized like this."""
    problems = []
    dsp = dsp_section.of(run.report)
    kind = dsp.kind if dsp else ""
    room = target.dsp
    if primitives:
        why = "an engine has no LUT network to keep"
        problems.append(Problem("--primitives", why, "leave it out"))
    if room is None or room.kind != kind:
        why = f"the engine is made of {kind} slices, which {target.name} does not have"
        fix = f"compile again with --target {target.asked}" if room else with_kind(kind)
        problems.append(Problem("--target", why, fix))
    if problems:
        raise UsageError("the engine cannot be synthesized like this", problems=problems)
