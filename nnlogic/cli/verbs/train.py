"""``nnlogic train``: a recipe, or a table of a user, becomes a checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from nnlogic.cli.options import (
    Session,
    data_option,
    effort_option,
    folder_option,
    jobs_option,
    verb_options,
)
from nnlogic.core.errors import UsageError
from nnlogic.core.inert import visible

PLACE = 130
MISSING = ("refuse", "drop")
MOST_QUANTITIES = 8
"""Quantities whose errors are printed one by one."""


OF_TABLES = (
    "label", "task", "loss", "quantile", "luts", "minutes", "test", "drop", "missing", "inputs",
    "balanced", "shape",
)  # fmt: skip
OF_RECIPES = ("data_dir", "resume")


@click.command("train", short_help="Train a recipe, or a table of your own, to a checkpoint.")
@click.argument("source")
@folder_option("Folder for the checkpoint and the state of training (default: train-NAME, here).")
@data_option
@click.option(
    "--seed", metavar="N", type=click.IntRange(min=0), help="Seed (default: the recipe's)."
)
@click.option("--resume", is_flag=True, help="Go on from an interrupted training.")
@effort_option("compiling the result, to count its LUTs", "none", "fast", "normal")
@click.option(
    "--teacher",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Learn from it: predictions of the rows of a table, or a model that nnlogic reads.",
)
@jobs_option("Processes for that.")
@click.option(
    "--label",
    metavar="NAME",
    multiple=True,
    help="Table: column of the labels (default: y, label, class or target); of quantities "
    "repeatable.",
)
@click.option(
    "--task",
    type=click.Choice(["classification", "regression"]),
    default="classification",
    show_default=True,
    help="Table: whether labels are classes, or quantities.",
)
@click.option(
    "--loss",
    type=click.Choice(["squared", "absolute", "quantile"]),
    default="squared",
    show_default=True,
    help="Table, regression: what is made small.",
)
@click.option(
    "--quantile",
    metavar="Q",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.5,
    show_default=True,
    help="Table, --loss quantile: share of rows below the output.",
)
@click.option(
    "--luts",
    metavar="N",
    type=click.IntRange(min=1),
    default=200,
    show_default=True,
    help="Table: most LUT6, encoder and output logic included.",
)
@click.option(
    "--minutes",
    metavar="M",
    type=click.FloatRange(min=0, min_open=True),
    default=2.0,
    show_default=True,
    help="Table: time for training candidates.",
)
@click.option(
    "--test",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Table: test rows (default: a fifth of every class).",
)
@click.option(
    "--drop", metavar="NAME", multiple=True, help="Table: column to leave out; repeatable."
)
@click.option(
    "--missing",
    type=click.Choice(MISSING),
    default=MISSING[0],
    show_default=True,
    help="Table: what to do with rows that lack a value.",
)
@click.option(
    "--inputs",
    type=click.Choice(["fixed", "quantile", "uniform"]),
    default="fixed",
    show_default=True,
    help="Table: input codes; fixed point costs no logic before ours.",
)
@click.option(
    "--balanced", is_flag=True, help="Table: all classes count alike, however rare they are."
)
@click.option(
    "--shape",
    metavar="SHAPE",
    default="",
    help="Table: its columns are a map, row by row: 28x28, 64x1, or 3x32x32 for three channels.",
)
@verb_options
@click.pass_context
def command(ctx: click.Context, source: str, **how: Any) -> int:
    """Train SOURCE and write its checkpoint.

    SOURCE is a recipe (a name, or a .toml file), or a table of your own (.csv, .npz or .parquet),
    for which a network within --luts is found, trained, compiled and proved.
    """
    session = ctx.ensure_object(Session)
    table = "." in source.replace("\\", "/").rsplit("/", 1)[-1] and not source.endswith(".toml")
    _refuse_others(ctx, source, OF_RECIPES if table else OF_TABLES)
    if table:
        from nnlogic.cli.train_table import train_table

        return train_table(session, Path(source), **{k: how[k] for k in how if k not in OF_RECIPES})
    return _train_recipe(session, source, **{k: how[k] for k in how if k not in OF_TABLES})


def _refuse_others(ctx: click.Context, source: str, names: tuple[str, ...]) -> None:
    default = click.core.ParameterSource.DEFAULT
    given = [n for n in names if ctx.get_parameter_source(n) is not default]
    if given:
        words = ", ".join("--data" if n == "data_dir" else f"--{n}" for n in given)
        kind = "a recipe" if names is OF_TABLES else "a table"
        other = "in the recipe" if names is OF_TABLES else "for recipes only"
        raise UsageError(f"{words} does not go with {kind}", where=source, why=f"it is {other}")


def _train_recipe(
    session: Session,
    recipe: str,
    out: Path | None,
    data_dir: Path | None,
    seed: int | None,
    resume: bool,
    effort: str,
    jobs: int | None,
    teacher: Path | None,
) -> int:
    out = out or Path(f"train-{Path(recipe).stem}")
    click.echo(f"nnlogic: training {recipe} to {out}", err=True)
    from nnlogic.cli.output import print_json
    from nnlogic.cli.progress import open_progress
    from nnlogic.report.codec import to_json
    from nnlogic.train import train

    session.interrupted = "Run the same command with --resume to go on."
    progress = open_progress(session.verbose)
    how: dict[str, Any] = {} if teacher is None else {"teacher": teacher}
    result = train(
        recipe, out=out, data_dir=data_dir, seed=seed, resume=resume, progress=progress, **how
    )
    width = max(map(len, (*result.accuracy, *result.error, "LUT estimate")))
    if not session.json:
        for name, fraction in result.accuracy.items():
            click.echo(f"{name:<{width}} {100 * fraction:.2f} % correct")
        for name, errors in result.error.items():
            if len(errors) > MOST_QUANTITIES:
                mean = sum(off["rmse"] for off in errors.values()) / len(errors)
                click.echo(f"{name:<{width}} RMSE {mean:.4g}, mean of {len(errors)} quantities")
                continue
            for quantity, off in errors.items():
                what = f"RMSE {off['rmse']:.4g}, MAE {off['mae']:.4g}, 90 % within {off['p90']:.4g}"
                click.echo(f"{name:<{width}} {what} of {visible(quantity)}")
    compiled: dict[str, int] = {}
    if effort != "none":
        from nnlogic.run.trained import compiled_luts

        compiled = compiled_luts(result.checkpoint, effort, jobs, progress)
    if session.json:
        print_json({**to_json(result), "compiled_luts": compiled})
        return 0
    for name, luts in (("LUT estimate", result.lut_estimate), ("compiled", compiled)):
        if luts:
            parts = ", ".join(f"{n} {v:,.0f}" for n, v in luts.items() if n != "total")
            click.echo(f"{name:<{width}} {luts['total']:,.0f} LUT6 ({parts})")
    if result.epochs:
        click.echo(f"{'epochs':<{width}} {result.epochs}, best {result.best_epoch}")
    click.echo(f"{'time':<{width}} {result.seconds:.1f} s")
    click.echo(f"{'checkpoint':<{width}} {result.checkpoint}")
    return 0
