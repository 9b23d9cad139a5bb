"""``nnlogic compile``: a checkpoint becomes a run directory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from nnlogic.cli.fields import with_options
from nnlogic.cli.options import Session, folder_option, pass_session, verb_options
from nnlogic.core.inert import visible
from nnlogic.job.backend import DEFAULT, all_options, backends

PLACE = 20


def _is_given(name: str) -> bool:
    return click.get_current_context().get_parameter_source(name) is not ParameterSource.DEFAULT


def _backend_help() -> str:
    names = "; ".join(f"{b.name}: {b.title}" for b in backends().values())
    return f"What computes the logic: {names}; auto: what meets the budgets."


@click.command("compile", short_help="Compile a checkpoint to proved Verilog.")
@click.argument("checkpoint", type=click.Path(path_type=Path))
@folder_option("Run directory to write.", required=True)
@click.option("--backend", default=DEFAULT, metavar="NAME", show_default=True, help=_backend_help())
@with_options(all_options())
@click.option("--force", is_flag=True, help="Replace an existing run directory.")
@click.option(
    "--allow-pickle",
    is_flag=True,
    help="Read a pickle that can run code on this machine; only for files you trust.",
)
@verb_options
@pass_session
def command(session: Session, checkpoint: Path, out: Path, **options: Any) -> int:
    """Compile CHECKPOINT to proved Verilog, in a new run directory."""
    click.echo(f"nnlogic: compiling {visible(checkpoint)} to {visible(out)}", err=True)
    from nnlogic.cli.output import finish_run
    from nnlogic.cli.progress import open_progress
    from nnlogic.run import compile as compile_run

    progress = open_progress(session.verbose)
    # What is not given holds as it is recorded in a run that is gone on from.
    given = {name: value for name, value in options.items() if _is_given(name)}
    run = compile_run(checkpoint, out, progress=progress, **given)
    return finish_run(session, run.path, run.status, run.report)
