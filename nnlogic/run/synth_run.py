"""Synthesize, place and route a compiled run, and prove the netlist."""

from __future__ import annotations

from pathlib import Path

from nnlogic.core.progress import SILENT, Progress
from nnlogic.flows.targets import Target
from nnlogic.job.backend import backend_of
from nnlogic.job.directory import TARGETS, WORDS, Run, close_run, open_run, reopened_run
from nnlogic.job.evidence import bound
from nnlogic.job.tools import Ask
from nnlogic.job.verify import need_output, refuse_failed, refuse_stale


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
        The netlist differs from the logic; STATUS is ``failed``. Or verdicts of the run are of
        other files than those that are there.
    """
    opened = open_run(Path(path))
    status = opened.report.status
    asked = target or opened.report.target
    chosen = Target.of(asked, Path(path) / TARGETS) if asked else Target.default()
    backend = backend_of(opened)
    need_output(opened, "synthesize")
    backend.refuse_synth(opened, chosen, primitives)
    with reopened_run(Path(path)) as run:
        chosen.keep(run.path / TARGETS)
        chosen.keep(run.path / TARGETS)
        ask = Ask(chosen, pnr, primitives, clock, timeout, progress)
        report, missed = backend.synth(run, ask)
        status = "failed" if report.failed else status if status in WORDS else "stale"
        report = report.replace(status=status, target=chosen.name)
        report = bound(report, run.path, run.report)
        close_run(run.path, report, "synth/", "pnr/", f"{TARGETS}/")
    refuse_failed(Path(path), report)
    if missed is not None:
        raise missed
    refuse_stale(Path(path), report)
    return Run(Path(path), report)
