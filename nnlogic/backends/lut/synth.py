"""Synthesize the core of a LUT run, prove the netlist, place and route it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from nnlogic.backends.lut.wrapper import wrapper_rows
from nnlogic.checks.formal import prove_netlist
from nnlogic.core.errors import TargetMissed
from nnlogic.core.progress import Progress
from nnlogic.design.ir import HardwareDesign
from nnlogic.flows.reports import Cells
from nnlogic.flows.synth import SynthResult, add_cells, dual_note, synthesize
from nnlogic.flows.targets import Target
from nnlogic.hw.lut.verilog import write_verilog
from nnlogic.hw.names import name_design
from nnlogic.job import facts
from nnlogic.job.directory import Run
from nnlogic.job.ladder import verdict_check
from nnlogic.job.tools import Ask, forget_tools, place, put_synth
from nnlogic.report.model import Report
from nnlogic.report.rows import ResourceRow


def synth(run: Run, ask: Ask) -> tuple[Report, TargetMissed | None]:
    """Return the report with the figures of the core, and the error of a clock that is missed.

    Raises
    ------
    ToolNotFound, ToolFailed, ToolTimeout
        A program is missing or failed.
    """
    design = HardwareDesign.load(run.ir_path("design"))
    core = run.path / "rtl" / f"{design.name}.v"
    if ask.primitives:
        folder = run.path / "synth" / "rtl"
        core = write_primitives(design, folder, ask)
    report, result = _synthesize(run, design, core, ask.target, ask.timeout, ask.progress)
    total = report.resource(facts.TOTAL, "synth")
    if design.stream and total is not None:
        rtl, folder = run.path / "rtl", run.path / "synth" / "stream"
        report = report.put(*wrapper_rows(design, rtl, folder, ask, total))
    goal = run.report.timing.clock_mhz
    return place(report, run.path, result, ask.target, ask, goal, design.latency)


def fits_cells(path: Path, target: Target) -> bool:
    """Whether the LUTs of a stored pipeline fit those of a target."""
    return HardwareDesign.load(path).logic.k <= target.lut_cell.width


def write_primitives(design: HardwareDesign, folder: Path, ask: Ask) -> Path:
    """Write the core as LUT cells of a device family; return the file."""
    folder.mkdir(parents=True, exist_ok=True)
    core_only = replace(design, stream=False)
    cell = ask.target.lut_cell
    return write_verilog(core_only, folder, primitives=cell, dual=ask.dual, progress=ask.progress)[
        0
    ]


def _synthesize(
    run: Run,
    design: HardwareDesign,
    core: Path,
    target: Target,
    timeout: float,
    progress: Progress,
) -> tuple[Report, SynthResult]:
    folder = run.path / "synth"
    result = synthesize([core], design.name, target, folder, timeout=timeout, progress=progress)
    rows = _synth_rows(design, result, target)
    report = put_synth(forget_tools(run.report), run.path, result, *rows)
    with progress.step("check: Verilog = netlist"):
        netlist = result.files["netlist_verilog"]
        verdict = prove_netlist(design, [netlist], target=target, timeout=timeout)
    return report.with_check(6, verdict_check("Verilog = netlist", verdict)), result


def _synth_rows(design: HardwareDesign, result: SynthResult, target: Target) -> list[ResourceRow]:
    modules = name_design(design).modules
    role_of: dict[str, str] = {modules[i]: design.logic.layers[i].role for i in modules}
    rows = []
    for role in ("encoder", "network", "output"):
        parts = [c for name, c in result.modules.items() if role_of.get(name) == role]
        if parts:
            rows.append(_row(role, add_cells(parts)))
    rest = [c for name, c in result.modules.items() if name not in role_of]
    if rest:
        rows.append(_row("input registers and valid chain", add_cells(rest)))
    detail = f"{result.target}: {result.tool}, {result.command}"
    detail += dual_note(result.total, target)
    return [*rows, replace(_row(facts.TOTAL, result.total), detail=detail)]


def _row(part: str, cells: Cells) -> ResourceRow:
    kinds = ", ".join(f"{n} {name}" for name, n in cells.luts.items())
    wide = sum(cells.wide_muxes.values())
    return ResourceRow(part, "synth", cells.luts_total, cells.ffs, wide, kinds)
