"""``nnlogic train``: a recipe becomes a checkpoint, in a folder with the state of training."""

from __future__ import annotations

from pathlib import Path

import click

from nnlogic.cli.options import Session, pass_session, verb_options


@click.command("train", short_help="Train a recipe to a checkpoint.")
@click.argument("recipe")
@click.option(
    "-o",
    "--out",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Folder for the checkpoint and the state of training (default: train-NAME, here).",
)
@click.option(
    "--data",
    "data_dir",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Directory of the data sets.",
)
@click.option(
    "--seed", metavar="N", type=click.IntRange(min=0), help="Seed (default: the recipe's)."
)
@click.option("--resume", is_flag=True, help="Go on from an interrupted training.")
@click.option(
    "--effort",
    type=click.Choice(["none", "fast", "normal"]),
    default="fast",
    show_default=True,
    help="Time spent on compiling the result, to count its LUTs.",
)
@click.option("--jobs", metavar="N", type=click.IntRange(min=1), help="Processes for that.")
@verb_options
@pass_session
def command(
    session: Session,
    recipe: str,
    out: Path | None,
    data_dir: Path | None,
    seed: int | None,
    resume: bool,
    effort: str,
    jobs: int | None,
) -> int:
    """Train RECIPE (a name, or a .toml file) and write its checkpoint."""
    out = out or Path(f"train-{Path(recipe).stem}")
    click.echo(f"nnlogic: training {recipe} to {out}", err=True)
    from nnlogic.cli.output import print_json
    from nnlogic.cli.progress import open_progress
    from nnlogic.report.codec import to_json
    from nnlogic.train import train

    session.interrupted = "Run the same command with --resume to go on."
    progress = open_progress(session.verbose)
    result = train(recipe, out=out, data_dir=data_dir, seed=seed, resume=resume, progress=progress)
    width = max(len(name) for name in (*result.accuracy, "LUT estimate"))
    if not session.json:
        for name, fraction in result.accuracy.items():
            click.echo(f"{name:<{width}} {100 * fraction:.2f} % correct")
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
