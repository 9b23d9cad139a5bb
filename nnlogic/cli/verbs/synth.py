"""``nnlogic synth``: synthesis, and place and route, of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from nnlogic.cli.options import Session, pass_session, tool_options, verb_options
from nnlogic.core.inert import visible

PLACE = 40


@click.command("synth", short_help="Synthesize, place and route a run.")
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--target",
    metavar="NAME|FILE.toml",
    help="Device target (default: the run's: what it was last synthesized, or compiled, for).",
)
@click.option(
    "--liberty",
    metavar="FILE.lib",
    type=click.Path(path_type=Path),
    help="Standard cells in place of a device; the target is asic.",
)
@click.option("--no-pnr", is_flag=True, help="Stop after synthesis; no place and route.")
@click.option(
    "--primitives/--remap",
    default=None,
    help="Instantiate the target's LUTs one by one, so that synthesis keeps nnlogic's mapping, or "
    "let it map expressions anew (default: keep, where LUTs are a network that fits the target).",
)
@click.option(
    "--dual-luts",
    is_flag=True,
    help="Of these, put two functions of shared inputs into one cell where the target has cells "
    "with two outputs, such as LUT6_2.",
)
@click.option(
    "--clock",
    metavar="MHZ",
    type=click.FloatRange(min=0, min_open=True),
    help="Clock to place and route for (default: the run's, else the target's).",
)
@tool_options("as the run was compiled, but at least 1800 seconds")
@verb_options
@pass_session
def command(session: Session, run: Path, no_pnr: bool, **options: Any) -> int:
    """Synthesize RUN and, where the target has an open flow, place and route it."""
    session.interrupted = "The report of the run was not changed."
    click.echo(f"nnlogic: synthesizing {visible(run)}", err=True)
    from nnlogic.cli.output import finish_run
    from nnlogic.cli.progress import open_progress
    from nnlogic.run import synth

    done = synth(run, pnr=not no_pnr, progress=open_progress(session.verbose), **options)
    return finish_run(session, done.path, done.status, done.report)
