"""Run the stages of a backend one after the other, each followed by its checks."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import pairwise

from nnlogic.job.context import Context
from nnlogic.job.directory import close_run, ir_path, write_config
from nnlogic.job.evidence import bound
from nnlogic.job.facts import TOTAL, device_facts
from nnlogic.job.ladder import verdict_check
from nnlogic.job.package import write_package
from nnlogic.job.stage import Stage
from nnlogic.job.stages.raw import stages_of
from nnlogic.report.model import Report
from nnlogic.report.rows import Artifact, StepRow


def run_stages(ctx: Context) -> Report:
    """Run all stages of the context's backend, and close the run; return its report."""
    started = time.monotonic()
    write_config(ctx.folder, ctx.opts.to_json())
    status = _run(ctx, stages_of(ctx))
    ctx.put(*device_facts(ctx.target, ctx.report.resource(TOTAL)))
    if status == "compiled":
        ctx.put(*ctx.backend.commands(ctx), *write_package(ctx))
    seconds = round(time.monotonic() - started, 3)
    report = ctx.report.replace(status=status, seconds=seconds)
    report = bound(report, ctx.folder)
    close_run(ctx.folder, report)
    return report


def _run(ctx: Context, stages: Sequence[Stage]) -> str:
    """Run stages; return the word for STATUS."""
    ends = {a.group for a, b in pairwise(stages) if a.group != b.group}
    for stage, after in zip(stages, [*stages[1:], None], strict=True):
        run_stage(ctx, stage)
        if ctx.report.failed:
            return "failed"
        last = after is None or after.group != stage.group
        if last and stage.group in ends and stage.group == ctx.opts.stop_after:
            return "stopped"
    return "compiled"


def run_stage(ctx: Context, stage: Stage) -> None:
    """Make or load the value of a stage, save it, report it and check it."""
    started = time.monotonic()
    # Only what ``--from`` can name is taken over; what stands between is made again.
    reused = stage.name == stage.group and ctx.opts.reuses(stage.group)
    value = stage.load(ctx, ctx.source) if reused else stage.make(ctx)
    before = ctx.values.get(stage.before)
    stage.use(ctx, value)
    if value is not None and value is not before:
        name = _save(ctx, stage, value)
        row = StepRow(
            f"{name} (reused)" if reused else name,
            round(time.monotonic() - started, 3),
            before=dict(before.stats()) if before is not None else {},
            after=dict(value.stats()),
        )
        what = f"{type(value).kind}; printed in ir/{name}.txt"
        ctx.put(row, Artifact(f"ir/{name}.safetensors", what))
    elif value is None:
        ctx.put(StepRow(stage.name, round(time.monotonic() - started, 3)))
    ctx.put(*stage.facts(ctx))
    for comparison in stage.checks(ctx):
        ctx.check(comparison.rung, comparison.title, comparison.make)
    ctx.put(*stage.checked(ctx))


def _save(ctx: Context, stage: Stage, value: object) -> str:
    name = stage.file(value)
    value.save(ir_path(ctx.folder, name))  # type: ignore[attr-defined]
    (ctx.folder / "ir" / f"{name}.txt").write_text(value.text())  # type: ignore[attr-defined]
    return name


def recheck(ctx: Context) -> Report:
    """Return the report of a finished run with the checks that it owes made again, from its files.

    A check that passed on the files as they are now stays. What is known of the checkpoint, and
    what approximate mode observed, cannot be seen from a run.
    """
    report = ctx.report
    for stage in stages_of(ctx):
        value = stage.load(ctx, ctx.folder)
        if value is None and stage.kind is not None:
            break
        stage.use(ctx, value)
        for comparison in stage.checks(ctx):
            if comparison.rung == 1:
                continue
            known = {c.title: c.verdict for c in report.rung(comparison.rung).checks}
            if known.get(comparison.title) != "pass":
                with ctx.progress.step(f"check again: {comparison.title}"):
                    check = verdict_check(comparison.title, comparison.make())
                report = report.with_check(comparison.rung, check)
            if report.failed:
                return report
    return report
