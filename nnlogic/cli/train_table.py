"""``nnlogic train DATA.csv``: a table becomes a network within a budget, compiled and proved."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nnlogic.cli.options import Session
from nnlogic.core.errors import Problem, TargetMissed, UsageError
from nnlogic.core.inert import visible

if TYPE_CHECKING:
    from nnlogic.data.own import Choices
    from nnlogic.run.own_data import Fitted

DEFAULT_QUANTILE = 0.5


def train_table(
    session: Session,
    table: Path,
    *,
    out: Path | None,
    seed: int | None,
    effort: str,
    jobs: int | None,
    teacher: Path | None,
    label: tuple[str, ...],
    task: str,
    loss: str,
    quantile: float,
    luts: int,
    minutes: float,
    test: Path | None,
    drop: tuple[str, ...],
    missing: str,
    inputs: str,
    balanced: bool,
    shape: str,
) -> int:
    """Train on a table and print what came of it; returns the exit code."""
    from nnlogic.cli.output import print_json
    from nnlogic.cli.progress import open_progress
    from nnlogic.report.codec import to_json
    from nnlogic.run.own_data import fit_table, refuse_used

    if effort == "none":
        fix = "--effort fast, or normal"
        raise UsageError("a table is always compiled", where="--effort none", fix=fix)
    out = out or Path(f"train-{table.stem}")
    refuse_used(out)
    session.interrupted = f"Nothing of use was written to {out}."
    from nnlogic.data.maps import parse_shape
    from nnlogic.data.own import load_own
    from nnlogic.train.budget import Pace

    sides = parse_shape(shape) if shape else ()
    choices = _choices(label, task, loss, quantile, test, drop, missing, balanced)
    data = load_own(table, replace(choices, shape=sides))
    source: dict[str, object] = {
        "dataset": str(table),
        "label": choices.label,
        "targets": choices.targets,
        "drop": drop,
        "missing": missing,
    }
    if teacher is not None:
        from nnlogic.train.given_teacher import with_teacher

        data = with_teacher(data, teacher)
        source["teacher"] = str(teacher)
    for notice in data.notices:
        click.echo(f"nnlogic: {notice}", err=True)
    click.echo(
        f"nnlogic: training on {len(data.y_train):,} rows of {len(data.feature_names)} features, "
        f"{len(data.outputs)} {'quantities' if data.targets else 'classes'}, "
        f"for {minutes:g} minutes, to {out}",
        err=True,
    )
    if test is not None:
        source["test"] = str(test)
    found = fit_table(
        data, source, out, luts=luts, pace=Pace(60 * minutes), method=inputs,
        balance=float(balanced), loss=loss, quantile=quantile, seed=seed or 0, effort=effort,
        jobs=jobs, shape=sides, progress=open_progress(session.verbose),
    )  # fmt: skip
    if session.json:
        print_json(to_json(found))
    else:
        _show(found, data.notices)
    if found.luts > luts:
        raise TargetMissed(
            "no network met the budget",
            where=f"--luts {luts}",
            why=f"the smallest found takes {found.luts:,} LUT6, {found.luts - luts:,} too many; "
            f"it is kept in {out}",
            fix=f"--luts {found.luts}, more --minutes, or fewer classes or columns (--drop)",
        )
    return 0


def _choices(
    label: tuple[str, ...], task: str, loss: str, quantile: float, test: Path | None,
    drop: tuple[str, ...], missing: str, balanced: bool,
) -> Choices:  # fmt: skip
    """Return what the options say of a table; all that contradicts itself is refused."""
    from nnlogic.data.own import Choices

    quantities, problems = task == "regression", []
    if not quantities and len(label) > 1:
        why = f"{len(label)} columns, but a row has one class"
        problems.append(Problem("--label", why, "--task regression, or name one"))
    if not quantities and (loss != "squared" or quantile != DEFAULT_QUANTILE):
        problems.append(Problem("--loss, --quantile", "for quantities", "--task regression"))
    if quantile != DEFAULT_QUANTILE and loss != "quantile":
        problems.append(Problem("--quantile", f"with --loss {loss}", "--loss quantile"))
    if quantities and balanced:
        problems.append(Problem("--balanced", "for classes, and these are quantities"))
    if problems:
        raise UsageError("options contradict each other", problems=problems)
    one, several = ("", label) if len(label) > 1 else ("".join(label), ())
    return Choices(one, test, drop, missing, quantities, several)


def _show(found: Fitted, told: tuple[str, ...]) -> None:
    rate = "explained" if found.error else "validation"
    other = "lowest" if found.error else "balanced"
    click.echo(f"   LUT6  {rate:>10}  {other:>8}   steps  candidate")
    for c in sorted(found.candidates, key=lambda c: (c.luts, c.validation)):
        mark = "*" if c.chosen else " "
        click.echo(
            f"{mark}{c.luts:>6,} {100 * c.validation:>9.2f} % {100 * c.balanced:>7.2f} % "
            f"{c.steps:>7,}  {c.shape}"
        )
    for name, off in found.error.get("test", {}).items():
        mean = found.error["always the mean"][name]
        ours, always = (
            f"RMSE {e['rmse']:.4g}, MAE {e['mae']:.4g}, 90 % within {e['p90']:.4g}"
            for e in (off, mean)
        )
        rows = f"on {found.rows['test']:,} rows"
        click.echo(f"test        {visible(name)}: {ours} {rows} (always the mean: {always})")
    if not found.error:
        test, common = found.accuracy["test"], found.accuracy["most common class"]
        click.echo(
            f"test        {100 * test:.2f} % correct of {found.rows['test']:,} rows, balanced "
            f"{100 * found.accuracy['test, balanced']:.2f} % (always the most common class: "
            f"{100 * common:.2f} %)"
        )
    click.echo(f"LUTs        {found.luts:,} LUT6 of {found.budget:,}, compiled and proved")
    for notice in found.notices[len(told) :]:
        click.echo(f"beware      {notice}")
    for name in ("checkpoint", "recipe", "run", "plot"):
        click.echo(f"{name:<11} {getattr(found, name)}")
    click.echo(f"time        {found.seconds:.1f} s")
