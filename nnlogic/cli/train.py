"""``nnlogic train``: a recipe becomes a checkpoint."""

from __future__ import annotations

from pathlib import Path

import click

from nnlogic.cli.options import Session, pass_session, verb_options


@click.command("train", short_help="Train a recipe to a checkpoint.")
@click.argument("recipe")
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    help="Checkpoint to write (default: RECIPE's name with .safetensors, here).",
)
@click.option(
    "--data", "data_dir", type=click.Path(path_type=Path), help="Directory of the data sets."
)
@click.option("--seed", type=click.IntRange(min=0), help="Seed (default: the recipe's).")
@click.option("--resume", is_flag=True, help="Go on from an interrupted training.")
@verb_options
@pass_session
def command(
    session: Session,
    recipe: str,
    out: Path | None,
    data_dir: Path | None,
    seed: int | None,
    resume: bool,
) -> int:
    """Train RECIPE (a name, or a .toml file) and write a checkpoint."""
    session.interrupted = "Run the same command with --resume to go on."
    out = out or Path(f"{Path(recipe).stem}.safetensors")
    click.echo(f"nnlogic: training {recipe} to {out}", err=True)
    from nnlogic.cli.output import print_json
    from nnlogic.cli.progress import open_progress
    from nnlogic.report.codec import to_json
    from nnlogic.train import train

    progress = open_progress(session.verbose)
    result = train(recipe, out=out, data_dir=data_dir, seed=seed, resume=resume, progress=progress)
    data = to_json(result)
    if session.json:
        print_json(data)
    else:
        for key, value in data.items():
            click.echo(f"{key:<20} {value}")
    return 0
