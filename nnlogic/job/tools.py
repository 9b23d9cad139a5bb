"""What synthesis and place and route say in a report, whatever was synthesized."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from nnlogic.core.errors import TargetMissed
from nnlogic.core.progress import Progress
from nnlogic.flows.pnr import PnrResult, place_and_route
from nnlogic.flows.synth import SynthResult
from nnlogic.flows.target_facts import PnrSettings
from nnlogic.flows.targets import Target
from nnlogic.job import facts
from nnlogic.report.model import TOTAL, Report
from nnlogic.report.rows import Artifact, ResourceRow, StepRow

CELLS = "cells"
"""Section of the report of a run that was synthesized for standard cells."""


@dataclass(frozen=True)
class Ask:
    """What `synth` was asked for, defaults filled in."""

    target: Target
    pnr: bool
    primitives: bool
    dual: bool
    clock: float | None
    timeout: float
    progress: Progress


def forget_tools(report: Report) -> Report:
    """Return a report without the figures of an earlier synthesis: they are of another netlist."""
    kept = [row for row in report.resources if row.source not in ("synth", "pnr")]
    report = report.replace(resources=tuple(kept))
    sections = tuple(section for section in report.sections if section.name != CELLS)
    return report.replace(timing=report.timing.estimated(), sections=sections)


def put_synth(report: Report, folder: Path, result: SynthResult, *rows: ResourceRow) -> Report:
    """Return a report with the rows, files and time of a synthesis."""
    return report.put(
        *rows,
        StepRow(f"synthesis for {result.target}", round(result.seconds, 3)),
        *file_artifacts(folder, result.files, "synthesis"),
        *facts.tool_facts("yosys"),
    )


def put_placed(
    report: Report,
    folder: Path,
    cycles: int,
    placed: PnrResult,
    settings: PnrSettings,
    what: str = "core",
) -> Report:
    """Return a report with what place and route gave.

    Parameters
    ----------
    report : Report
    folder : Path
        Of the run.
    cycles : int
        Latency.
    placed : PnrResult
    settings : PnrSettings
        Those it was placed with.
    what : str
        What was placed, in one word.
    """
    fmax = placed.fmax_mhz
    where = f"in the {what}" if placed.path_in_core else f"at the test harness, not in the {what}"
    used = ", ".join(f"{name} {n}/{of}" for name, (n, of) in placed.utilization.items() if n)
    detail = (
        f"{placed.device}: {placed.tool}, seed {placed.seed}; with a shift-register harness of "
        f"{placed.harness_luts} LUTs and {placed.harness_ffs} FFs; limiting path {where}; {used}"
    )
    luts, ffs = used_by_core(placed, settings)
    report = report.put(
        ResourceRow(TOTAL, "pnr", luts, ffs, detail=detail),
        StepRow("place and route", round(placed.seconds, 3)),
        *file_artifacts(folder, placed.files, "place and route"),
    )
    return report.replace(timing=replace(report.timing, latency_cycles=cycles).reached(fmax))


def place(
    report: Report,
    folder: Path,
    result: SynthResult,
    target: Target,
    ask: Ask,
    goal: float | None,
    cycles: int,
    what: str = "core",
) -> tuple[Report, TargetMissed | None]:
    """Place and route a synthesis result where that was asked for and there is an open tool.

    Parameters
    ----------
    report : Report
    folder : Path
        Of the run.
    result : SynthResult
    target : Target
        The one it was synthesized with.
    ask : Ask
    goal : float or None
        MHz, where `ask` names no clock.
    cycles : int
        Latency.
    what : str
        What is placed, in one word.

    Returns
    -------
    Report, TargetMissed or None
        The error of a design that does not fit, or misses the clock.
    """
    if not ask.pnr or ask.target.pnr is None:
        return report, None
    try:
        placed = place_and_route(
            result,
            target,
            folder / "pnr",
            clock=ask.clock or goal,
            timeout=ask.timeout,
            progress=ask.progress,
        )
        report = put_placed(report, folder, cycles, placed, ask.target.pnr, what)
        placed.require_clock()
    except TargetMissed as error:
        return report, error
    return report, None


def used_by_core(placed: PnrResult, settings: PnrSettings) -> tuple[int | None, int | None]:
    """LUTs and flip-flops used, without the harness."""
    luts = placed.utilization.get(settings.lut_resource)
    ffs = placed.utilization.get(settings.ff_resource)
    separate = settings.lut_resource != settings.ff_resource
    return (
        luts[0] - placed.harness_luts if luts and separate else None,
        ffs[0] - placed.harness_ffs if ffs and separate else None,
    )


def file_artifacts(folder: Path, files: Mapping[str, Path], what: str) -> list[Artifact]:
    """Return the files of a tool's result that exist, relative to the run."""
    return [
        Artifact(str(file.resolve().relative_to(folder.resolve())), f"{what}: {name}")
        for name, file in files.items()
        if file.exists()
    ]
