"""``nnlogic synth``: synthesis, and place and route, of a run."""

from __future__ import annotations

from pathlib import Path

import click

from nnlogic.cli.options import Session, pass_session, verb_options


@click.command("synth", short_help="Synthesize, place and route a run.")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--target", help="Device target (default: the one the run was compiled for).")
@click.option("--no-pnr", is_flag=True, help="Stop after synthesis; no place and route.")
@verb_options
@pass_session
def command(session: Session, run: Path, target: str | None, no_pnr: bool) -> int:
    """Synthesize RUN and, where the target has an open flow, place and route it."""
    session.interrupted = "The report of the run was not changed."
    click.echo(f"nnlogic: synthesizing {run}", err=True)
    from nnlogic.cli.output import finish_run
    from nnlogic.cli.progress import open_progress
    from nnlogic.run import synth

    progress = open_progress(session.verbose)
    done = synth(run, target=target, pnr=not no_pnr, progress=progress)
    return finish_run(session, done.path, done.status, done.report)
