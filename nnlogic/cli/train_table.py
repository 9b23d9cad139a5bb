"""``nnlogic train DATA.csv``: a table becomes a network within a budget, compiled and proved."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nnlogic.cli.options import Session
from nnlogic.core.errors import TargetMissed, UsageError

if TYPE_CHECKING:
    from nnlogic.run.own_data import Fitted


def train_table(
    session: Session,
    table: Path,
    *,
    out: Path | None,
    seed: int | None,
    effort: str,
    jobs: int | None,
    label: str,
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
    from nnlogic.data.own import Choices, load_own
    from nnlogic.train.budget import Pace

    sides = parse_shape(shape) if shape else ()
    data = load_own(table, Choices(label, test, drop, missing, sides))
    for notice in data.notices:
        click.echo(f"nnlogic: {notice}", err=True)
    click.echo(
        f"nnlogic: training on {len(data.y_train):,} rows of {len(data.feature_names)} features, "
        f"{len(data.class_names)} classes, for {minutes:g} minutes, to {out}",
        err=True,
    )
    source: dict[str, object] = {
        "dataset": str(table),
        "label": label,
        "drop": drop,
        "missing": missing,
    }
    if test is not None:
        source["test"] = str(test)
    found = fit_table(
        data, source, out, luts=luts, pace=Pace(60 * minutes), method=inputs,
        balance=float(balanced), seed=seed or 0, effort=effort, jobs=jobs, shape=sides,
        progress=open_progress(session.verbose),
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


def _show(found: Fitted, told: tuple[str, ...]) -> None:
    click.echo("   LUT6  validation  balanced   steps  candidate")
    for c in sorted(found.candidates, key=lambda c: (c.luts, c.validation)):
        mark = "*" if c.chosen else " "
        click.echo(
            f"{mark}{c.luts:>6,} {100 * c.validation:>9.2f} % {100 * c.balanced:>7.2f} % "
            f"{c.steps:>7,}  {c.shape}"
        )
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
