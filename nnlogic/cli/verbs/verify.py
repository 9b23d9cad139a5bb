"""``nnlogic verify``: simulators, bulk vectors and planted faults on a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from nnlogic.cli.options import Session, pass_session, tool_options, verb_options
from nnlogic.core.inert import visible

PLACE = 30


@click.command("verify", short_help="Simulate and prove the Verilog of a run.")
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--simulator",
    "simulators",
    multiple=True,
    type=click.Choice(["verilator", "icarus"]),
    default=("verilator", "icarus"),
    show_default=True,
    help="Simulator of the cocotb regression; may be given twice.",
)
@click.option(
    "--require-all",
    is_flag=True,
    help="A simulator that is missing is an error, not a check that was not run.",
)
@tool_options("as the run was compiled")
@verb_options
@pass_session
def command(session: Session, run: Path, **options: Any) -> int:
    """Check the Verilog of RUN: bulk vectors, cocotb regression, planted faults."""
    session.interrupted = "The report of the run was not changed."
    click.echo(f"nnlogic: verifying {visible(run)}", err=True)
    from nnlogic.cli.output import finish_run
    from nnlogic.cli.progress import open_progress
    from nnlogic.run import verify

    progress = open_progress(session.verbose)
    done = verify(run, progress=progress, **options)
    return finish_run(session, done.path, done.status, done.report)
