"""Synthesize, place and route a compiled run, and prove the netlist."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from nnlogic.core.errors import Different, TargetMissed, UsageError
from nnlogic.core.progress import SILENT, Progress
from nnlogic.design.ir import HardwareDesign
from nnlogic.flows.reports import Cells
from nnlogic.flows.synth import SynthResult, add_cells, synthesize
from nnlogic.flows.targets import Target
from nnlogic.hw.lut_cell import LutCell
from nnlogic.report.model import Report
from nnlogic.report.rows import ResourceRow
from nnlogic.run import facts
from nnlogic.run.directory import (
    TARGETS,
    WORDS,
    Run,
    close_run,
    is_dsp_run,
    is_mac_run,
    is_mixed_run,
    open_run,
    reopened_run,
)
from nnlogic.run.evidence import bound
from nnlogic.run.ladder_rows import verdict_check
from nnlogic.run.tool_rows import Ask, forget_tools, place, put_synth
from nnlogic.run.verify_run import refuse_stale


def synth(
    path: Path | str,
    *,
    target: str | Path | None = None,
    pnr: bool = True,
    primitives: bool = False,
    clock: float | None = None,
    timeout: float = 1800.0,
    progress: Progress = SILENT,
) -> Run:
    """Synthesize the core of a run, prove the netlist, and place and route it where that is open.

    Parameters
    ----------
    path : path
        A run directory with Verilog.
    target : str or Path, optional
        Another target than the run's own, by name or as a file. Its figures replace those in the
        report; LUT nodes were mapped for the LUT size of the run's target.
    pnr : bool
        Place and route, where an open tool exists for the target.
    primitives : bool
        Synthesize from the target's own LUT cells in place of Boolean expressions, so that the
        mapping is kept as it is; written to ``synth/rtl``.
    clock : float, optional
        MHz to meet; the run's own by default.
    timeout : float
        Seconds for each program.

    Returns
    -------
    Run

    Raises
    ------
    TargetMissed
        The clock is not met, or the design does not fit; the report is written all the same.
    Different
        The netlist differs from the logic; STATUS is ``failed``.
    """
    opened = open_run(Path(path))
    status = opened.report.status
    asked = target or opened.report.target
    chosen = Target.of(asked, Path(path) / TARGETS) if asked else Target.default()
    make = _synth_luts
    if is_dsp_run(opened):
        from nnlogic.run.dsp_synth import check_engine, synth_engine

        check_engine(opened, chosen, primitives)
        make = synth_engine
    elif is_mixed_run(opened):
        from nnlogic.run.mixed_synth import check_mixed, synth_mixed

        check_mixed(opened, chosen, primitives)
        make = synth_mixed
    elif is_mac_run(opened):
        from nnlogic.run.mac_synth import check_mac, synth_mac

        check_mac(opened, chosen, primitives)
        make = synth_mac
    with reopened_run(Path(path)) as run:
        chosen.keep(run.path / TARGETS)
        ask = Ask(chosen, pnr, primitives, clock, timeout, progress)
        report, missed = make(run, ask)
        status = "failed" if report.failed else status
        status = "stale" if status not in WORDS else status
        report = report.replace(status=status, target=chosen.name)
        report = bound(report, run.path, run.report)
        close_run(run.path, report, "synth/", "pnr/", f"{TARGETS}/")
    if report.failed:
        bad = next(c for r in report.ladder for c in r.checks if c.verdict == "fail")
        raise Different(f"check failed: {bad.title}", where=str(path), why=bad.detail)
    if missed is not None:
        raise missed
    refuse_stale(Path(path), report)
    return Run(Path(path), report)


def _synth_luts(run: Run, ask: Ask) -> tuple[Report, TargetMissed | None]:
    if not run.ir_path("design").exists() or not list((run.path / "rtl").glob("*.v")):
        raise UsageError(
            "nothing to synthesize",
            where=str(run.path),
            why="the run has no Verilog",
            fix="compile it without --stop-after",
        )
    design = HardwareDesign.load(run.ir_path("design"))
    core = run.path / "rtl" / f"{design.name}.v"
    if ask.primitives:
        folder = run.path / "synth" / "rtl"
        core = write_primitives(design, folder, ask.target.lut_cell, ask.progress)
    report, result = _synthesize(run, design, core, ask.target, ask.timeout, ask.progress)
    goal = run.report.timing.clock_mhz
    return place(report, run.path, result, ask.target, ask, goal, design.latency)


def write_primitives(
    design: HardwareDesign, folder: Path, lut_cell: LutCell, progress: Progress
) -> Path:
    """Write the core as LUT cells of a device family; return the file."""
    from nnlogic.hw.lut.verilog import write_verilog

    folder.mkdir(parents=True, exist_ok=True)
    core_only = replace(design, stream=False)
    return write_verilog(core_only, folder, primitives=lut_cell, progress=progress)[0]


def _synthesize(
    run: Run,
    design: HardwareDesign,
    core: Path,
    target: Target,
    timeout: float,
    progress: Progress,
) -> tuple[Report, SynthResult]:
    from nnlogic.checks.formal import prove_netlist

    folder = run.path / "synth"
    result = synthesize([core], design.name, target, folder, timeout=timeout, progress=progress)
    rows = _synth_rows(design, result)
    report = put_synth(forget_tools(run.report), run.path, result, *rows)
    with progress.step("check: Verilog = netlist"):
        netlist = result.files["netlist_verilog"]
        verdict = prove_netlist(design, [netlist], target=target, timeout=timeout)
    return report.with_check(6, verdict_check("Verilog = netlist", verdict)), result


def _synth_rows(design: HardwareDesign, result: SynthResult) -> list[ResourceRow]:
    from nnlogic.hw.names import name_design

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
    return [*rows, replace(_row(facts.TOTAL, result.total), detail=detail)]


def _row(part: str, cells: Cells) -> ResourceRow:
    kinds = ", ".join(f"{n} {name}" for name, n in cells.luts.items())
    wide = sum(cells.wide_muxes.values())
    return ResourceRow(part, "synth", cells.luts_total, cells.ffs, wide, kinds)
