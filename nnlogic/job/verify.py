"""Check a compiled run: stale comparisons again, simulations, planted faults."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from nnlogic.core.errors import Different, UsageError
from nnlogic.job.backend import Simulate, backend_of
from nnlogic.job.context import saved_context
from nnlogic.job.directory import Run, close_run, reopened_run
from nnlogic.job.evidence import COMPARED, bound, compared, forget_netlist, roots_changed
from nnlogic.job.runner import recheck
from nnlogic.report.model import Report


def verified(path: Path, ask: Simulate) -> Run:
    """Verify a run; raises as `nnlogic.run.verify` says."""
    with reopened_run(path) as opened:
        need_output(opened, "simulate")
        run = replace(opened, report=forget_netlist(opened.report))
        taken = {number: compared(run.path, number) for number in COMPARED}
        changed = roots_changed(run.path)
        report = _checked(run, ask)
        stale = report.stale or bool(changed)
        status = "failed" if report.failed else "stale" if stale else _status(report)
        report = bound(report.replace(status=status), run.path, run.report, taken)
        close_run(run.path, report, "segments/")
    refuse_failed(path, report)
    refuse_stale(path, report, changed)
    return Run(path, report)


def _checked(run: Run, ask: Simulate) -> Report:
    backend = backend_of(run)
    report = recheck(saved_context(backend, run, ask.progress))
    if report.failed:
        return report
    return backend.simulate(replace(run, report=report), ask)


def need_output(run: Run, verb: str) -> None:
    """Raise UsageError where a run did not come as far as what its backend makes."""
    output = backend_of(run).output
    if not any(run.path.glob(output)):
        raise UsageError(
            f"nothing to {verb}",
            where=str(run.path),
            why=f"the run has no {output}",
            fix="compile it without --stop-after",
        )


def refuse_failed(path: Path, report: Report) -> None:
    """Raise Different where a check of a run failed."""
    if report.failed:
        bad = next(c for r in report.ladder for c in r.checks if c.verdict == "fail")
        raise Different(f"check failed: {bad.title}", where=str(path), why=bad.detail)


def refuse_stale(path: Path, report: Report, changed: Sequence[str] = ()) -> None:
    """Raise Different where a verdict of a run is not of the files that are there now."""
    if not report.stale and not changed:
        return
    old = [c for rung in report.ladder for c in rung.checks if c.verdict == "stale"]
    raise Different(
        "the run was changed after it was checked",
        where=str(path),
        why="; ".join([f"{c.title}: {c.detail}" for c in old[:3]] or changed),
        fix="compile the network again; figures and verdicts of the changed files are withdrawn",
    )


def _status(report: Report) -> str:
    """``verified`` needs all rungs of the backend but 1 and 6 to have passed.

    Of several simulators one is enough.
    """
    rungs = [r for r in report.ladder if r.number in (0, 2, 3, 4) and r.checks]
    simulated = [c.verdict for c in report.rung(5).checks if c.title.startswith("cocotb")]
    others = [c.verdict for c in report.rung(5).checks if not c.title.startswith("cocotb")]
    ran = "pass" in simulated if simulated else bool(others)
    ok = ran and all(v == "pass" for v in others) and all(r.verdict == "pass" for r in rungs)
    return "verified" if ok else "compiled"
