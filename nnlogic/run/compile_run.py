"""The main job: a trained network becomes proved Verilog in a run directory."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from nnlogic.checks.sampling import Stage
from nnlogic.core.errors import Different, Problem, TargetMissed, UsageError
from nnlogic.core.lock import locked
from nnlogic.core.progress import SILENT, Progress
from nnlogic.flows.targets import Target
from nnlogic.job.backend import (
    AUTO,
    DEFAULT,
    Backend,
    backend_named,
    chosen_backend,
    make_options,
    refuse_unplanned,
)
from nnlogic.job.context import open_context
from nnlogic.job.directory import Run, is_run, staged_run
from nnlogic.job.options import Options
from nnlogic.job.recorded import Recorded, recorded
from nnlogic.job.runner import run_stages
from nnlogic.job.source import load_source
from nnlogic.plan.predict import with_other_ways
from nnlogic.report.model import Report
from nnlogic.report.rows import StepRow
from nnlogic.run.given import Given, as_file
from nnlogic.tools.cluster import on_cluster
from nnlogic.tools.find import find
from nnlogic.tools.limits import MEGABYTES, Limits, limited

log = logging.getLogger("nnlogic.run")


def compile(
    source: Path | str | Stage,
    out: Path | str,
    *,
    force: bool = False,
    allow_pickle: bool = False,
    progress: Progress = SILENT,
    **options: Any,
) -> Run:
    """Compile a network to Verilog, with proofs, in a new run directory.

    Parameters
    ----------
    source : path, QuantNet, TableNet, LogicNet or HardwareDesign
        A file that `nnlogic.load` reads, or what it, or `nnlogic.from_torch`, returns; with
        `start_from`, an existing run directory. Tables and logic are gone on from as they are,
        and proved equal to a QuantNet of what they compute; a backend that makes tables or logic
        of its own begins with that QuantNet. Of a design its logic is taken.
    out : path
        The run directory to write; docs/guide/flow.md says what it holds.
    force : bool
        Replace an existing run.
    allow_pickle : bool
        Read torch pickles that may run code.
    progress : Progress
    **options
        ``backend`` (a name, or ``"auto"``: what meets the budgets), and the fields of
        `nnlogic.job.options.Options` and of the backend's own class, which say what they mean:
        ``nnlogic compile --help`` lists the same ones. With `start_from`, those that are not
        given are as the run was compiled; what differs stands in ``report.changes``.

    Returns
    -------
    Run

    Raises
    ------
    UsageError, CheckpointError, UnsupportedModel, InputError
        Before anything is written.
    ToolNotFound, ToolFailed, TargetMissed
        Nothing is left behind.
    Different
        Two stages differ; the run is kept with STATUS ``failed``.
    """
    out = Path(out)
    with ExitStack() as stack:
        given = stack.enter_context(as_file(source))
        source = given.network
        if is_run(source) and not (out.exists() and out.samefile(source)):
            stack.enter_context(locked(source, source, shared=True))
        before = recorded(source, options)
        options = options if before is None else before.effective()
        if given.stages is not None:
            source, options = _going_on(given, given.stages, options)
        bounds = Limits(options.get("tool_timeout"), options.get("tool_output") or MEGABYTES)
        stack.enter_context(limited(bounds))
        return _planned(source, out, options, before, force, allow_pickle, progress)


def _going_on(given: Given, stages: Path, options: dict[str, Any]) -> tuple[Path, dict[str, Any]]:
    """Return source and options of a run that begins with a stage that was given."""
    if options.get("start_from") is not None:
        raise UsageError(
            "start_from is for run directories", why="a stage was given, and is begun with",
            fix="leave start_from out",
        )  # fmt: skip
    if chosen_backend(options) != DEFAULT:
        return given.network, options
    size = Target.of(options.get("target") or Options.target).lut_size
    # Wider nodes than the device has are minimized anew.
    start = given.start if given.widest <= size else "logic"
    return stages, {**options, "start_from": start}


def _planned(
    source: Path,
    out: Path,
    options: dict[str, Any],
    before: Recorded | None,
    force: bool,
    allow_pickle: bool,
    progress: Progress,
) -> Run:
    name = chosen_backend(options)
    problems: list[Problem] = []
    if name == AUTO:
        refuse_unplanned(options)
    else:
        opts = make_options(backend_named(name), options)
    find("abc"), find("yosys")
    plans = (
        _chosen(source, options, allow_pickle, progress)
        if name == AUTO
        else iter([(backend_named(name), opts, "")])
    )
    for backend, chosen, choice in plans:
        try:
            return _compiled(
                backend, chosen, choice, source, out, before, force, allow_pickle, progress
            )
        except (TargetMissed, UsageError) as error:
            # What was estimated did not hold, or the design cannot be cut as planned.
            if name != AUTO or not error.problems:
                if isinstance(error, TargetMissed) and name != AUTO:
                    net, _ = load_source(source, chosen, allow_pickle)
                    raise with_other_ways(error, backend, net, options, chosen) from error
                raise
            problems += [replace(p, where=f"{p.where} ({backend.name})") for p in error.problems]
    raise TargetMissed("no design meets the budgets", where="--backend auto", problems=problems)


def _chosen(
    source: Path, given: dict[str, Any], allow_pickle: bool, progress: Progress
) -> Iterator[tuple[Backend, Options, str]]:
    from nnlogic.plan.choose import choose

    for proposal, why in choose(source, given, allow_pickle=allow_pickle, progress=progress):
        if proposal.opts is not None:
            yield proposal.backend, proposal.opts, why


def _compiled(
    backend: Backend,
    opts: Options,
    choice: str,
    source: Path,
    out: Path,
    before: Recorded | None,
    force: bool,
    allow_pickle: bool,
    progress: Progress,
) -> Run:
    with on_cluster(opts.dask), staged_run(out, force=force) as folder:
        with progress.step("load"):
            ctx = open_context(
                backend, opts, source, folder, allow_pickle=allow_pickle, choice=choice,
                rows=None if before is None else before.kept_rows(),
                notes=[StepRow(choice)] if choice else (), progress=progress,
            )  # fmt: skip
            if before is not None:
                changes = before.changes(ctx.report)
                ctx.report = ctx.report.replace(changes=changes)
                for change in changes:
                    log.info("not as in %s: %s", source, change)
        report = run_stages(ctx)
    _refuse_failed(out, report)
    return Run(out, report)


def _refuse_failed(out: Path, report: Report) -> None:
    if report.failed:
        rung = next(r for r in report.ladder if r.verdict == "fail")
        bad = next((c for c in rung.checks if c.verdict == "fail"), rung)
        raise Different(
            f"check failed: {bad.title}", where=str(out), why=bad.detail or rung.detail,
            fix="the run is kept for inspection; please report this as a bug",
        )  # fmt: skip
