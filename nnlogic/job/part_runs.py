"""Parts of a network as runs of their own below a run: compiled, checked again, told in a row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from nnlogic.core import bits
from nnlogic.core.progress import Progress
from nnlogic.flows.targets import Target
from nnlogic.job.backend import Backend
from nnlogic.job.context import open_context, saved_context
from nnlogic.job.directory import Run, close_run, reopened_run, staged_run
from nnlogic.job.evidence import COMPARED, bound, compared
from nnlogic.job.options import Options
from nnlogic.job.rows import Rows
from nnlogic.job.runner import recheck, run_stages
from nnlogic.quant.kernel_network import Part
from nnlogic.report.model import Report
from nnlogic.report.rows import Check

ROWS = 1024


def compile_part(
    part: Part, folder: Path, backend: Backend, opts: Options, *, target: Target, progress: Progress
) -> Report:
    """Compile a part in its folder below the run; return its report.

    Parameters
    ----------
    part : Part
    folder : Path
        Of the run of the whole.
    backend : Backend
        What compiles it.
    opts : Options
        Of that backend; rows are random codes, whatever they name.
    target : Target
    progress : Progress
    """
    place = folder / part.folder
    place.parent.mkdir(exist_ok=True)
    source = place.parent / f"{part.net.name}.safetensors"
    part.net.save(source)
    codes = bits.random_codes(part.net.inputs, ROWS)
    rows = Rows(codes, None, f"{len(codes)} uniform random codes, seed 0")
    with staged_run(place, force=False) as work:
        ctx = open_context(
            backend, replace(opts, rows=None, raw=None), source, work, target=target, rows=rows,
            progress=progress,
        )  # fmt: skip
        return run_stages(ctx)


def check_part(
    part: Part,
    folder: Path,
    backend: Backend,
    plant: Callable[[Run, Report], Report],
    *,
    progress: Progress,
) -> Report:
    """Make again what a part's run owes, and plant faults in it; return its report.

    Parameters
    ----------
    part : Part
    folder : Path
        Of the run of the whole.
    backend : Backend
        What compiled it.
    plant : callable
        Adds what becomes of planted faults to a report that has not failed.
    progress : Progress
    """
    with reopened_run(folder / part.folder) as run:
        taken = {number: compared(run.path, number) for number in COMPARED}
        report = recheck(saved_context(backend, run, progress))
        if not report.failed:
            report = plant(run, report)
        status = "failed" if report.failed else run.report.status
        report = bound(report.replace(status=status), run.path, run.report, taken)
        close_run(run.path, report, "sim/")
    return report


def part_row(title: str, own: Report, rungs: Sequence[int], *, owes: bool = True) -> Check:
    """Return a row for some rungs of a part's own ladder.

    Parameters
    ----------
    title : str
    own : Report
    rungs : sequence of int
    owes : bool
        Whether a check of the part that was not run is missing; else the whole makes it.
    """
    checks = [c for n in rungs for c in own.rung(n).checks]
    if not owes:
        checks = [c for c in checks if c.verdict != "not run"]
    words = [c.verdict for c in checks]
    word = next((v for v in ("fail", "stale", "not run") if v in words), "pass")
    word = word if checks else "not run"
    how = "; ".join(dict.fromkeys(c.how for c in checks if c.how))
    bad = next((c for c in checks if c.verdict == "fail"), None)
    detail = f"{bad.title}: {bad.detail}" if bad else ""
    seconds = round(sum(c.seconds or 0.0 for c in checks), 3)
    return Check(title, word, how, detail, seconds)  # type: ignore[arg-type]
