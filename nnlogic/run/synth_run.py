"""Synthesize, place and route a compiled run, and prove the netlist."""

from __future__ import annotations

import logging
from pathlib import Path

from nnlogic.core.errors import UsageError
from nnlogic.core.progress import SILENT, Progress
from nnlogic.flows.cells import Library
from nnlogic.flows.targets import Target
from nnlogic.job.backend import backend_of
from nnlogic.job.cells import ASIC, refuse_cells, synth_cells
from nnlogic.job.directory import TARGETS, WORDS, Run, close_run, open_run, reopened_run
from nnlogic.job.evidence import bound
from nnlogic.job.facts import TOTAL, device_facts
from nnlogic.job.options import run_limits
from nnlogic.job.tools import Ask
from nnlogic.job.verify import need_output, refuse_failed, refuse_stale
from nnlogic.report.model import Report
from nnlogic.tools.limits import limited

SECONDS = 1800.0
SYNTHESIS = "synthesis,"
log = logging.getLogger("nnlogic.run")


def synth(
    path: Path | str,
    *,
    target: str | Path | None = None,
    pnr: bool = True,
    primitives: bool | None = None,
    dual_luts: bool = False,
    clock: float | None = None,
    liberty: Path | str | None = None,
    tool_timeout: float | None = None,
    tool_output: float | None = None,
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
    primitives : bool, optional
        Synthesize from the target's own LUT cells in place of Boolean expressions, so that the
        mapping is kept as it is; written to ``synth/rtl``. By default where the backend can.
    dual_luts : bool
        Of these cells, put two functions of shared inputs into one with two outputs.
    clock : float, optional
        MHz to meet; the run's own by default.
    liberty : path, optional
        Standard cells, as a Liberty file, in place of a device: the target is `ASIC` then, and the
        target of the run stays what it is.
    tool_timeout : float, optional
        Seconds for each program; by default what the run was compiled with, at least `SECONDS`.
    tool_output : float, optional
        Megabytes that a program may print; by default what the run was compiled with.

    Returns
    -------
    Run

    Raises
    ------
    TargetMissed
        The clock is not met, or the design does not fit; the report is written all the same.
    Different
        The netlist differs from the logic; STATUS is ``failed``. Or verdicts of the run are of
        other files than those that are there.
    """
    library = _library(target, liberty, primitives)
    opened = open_run(Path(path))
    bounds = run_limits(opened.report.config, tool_timeout, tool_output, least=SECONDS)
    status = opened.report.status
    asked = opened.report.target if library else target or opened.report.target
    chosen = Target.of(asked, Path(path) / TARGETS) if asked else Target.default()
    backend = backend_of(opened)
    need_output(opened, "synthesize")
    if library:
        refuse_cells(opened)
    if primitives is None:
        primitives = not library and backend.keeps_luts(opened, chosen)
    if not library:
        backend.refuse_synth(opened, chosen, primitives)
    if dual_luts:
        _refuse_dual(chosen, primitives)
    with limited(bounds), reopened_run(Path(path)) as run:
        chosen.keep(run.path / TARGETS)
        ask = Ask(chosen, pnr, primitives, dual_luts, clock, bounds.within(None), progress)
        report, missed = synth_cells(run, library, ask) if library else backend.synth(run, ask)
        status = "failed" if report.failed else status if status in WORDS else "stale"
        report = report.replace(status=status, target=chosen.name)
        if not library:
            report = report.put(*device_facts(chosen, report.resource(TOTAL)))
        made_for = f"{ASIC}, {library.name}" if library else chosen.name
        report = report.replace(changes=_changes(report, made_for, clock))
        report = bound(report, run.path, run.report)
        close_run(run.path, report, "synth/", "pnr/", f"{TARGETS}/")
    refuse_failed(Path(path), report)
    if missed is not None:
        raise missed
    refuse_stale(Path(path), report)
    return Run(Path(path), report)


def _library(
    target: str | Path | None, liberty: Path | str | None, primitives: bool | None
) -> Library | None:
    """Return the cells that were asked for; None for a device."""
    if liberty is None:
        if target == ASIC:
            why = "standard cells are a file of yours"
            raise UsageError(f"--target {ASIC} needs a library", why=why, fix="--liberty FILE.lib")
        return None
    if target not in (None, ASIC):
        why = f"--target {target} is a device, --liberty a library of cells"
        raise UsageError("options that do not fit", why=why, fix=f"--target {ASIC}")
    if primitives:
        why = "--primitives are LUTs of a device"
        raise UsageError("options that do not fit", why=why, fix="leave one of them out")
    return Library.load(Path(liberty))


def _refuse_dual(target: Target, primitives: bool) -> None:
    why = ""
    if not target.lut_cell.dual:
        why = f"{target.name} has no LUTs with two outputs"
    elif not primitives:
        why = "synthesis maps LUTs anew here, or makes none"
    if why:
        raise UsageError("--dual-luts cannot be had", why=why, fix="leave --dual-luts out")


def _changes(report: Report, target: str, clock: float | None) -> tuple[str, ...]:
    """Return the changes of a report with those of this synthesis in place of an earlier one's."""
    out = [change for change in report.changes if not change.startswith(SYNTHESIS)]
    for name, now in (("target", target), ("clock", clock)):
        compiled = report.config.get(name)
        if now is not None and now != compiled:
            out.append(f"{SYNTHESIS} {name}: {compiled or 'none'} -> {now}")
            log.info("%s", out[-1])
    return tuple(out)
