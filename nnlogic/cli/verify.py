"""``nnlogic verify``: simulators, bulk vectors and formal proofs on a run."""

from __future__ import annotations

from pathlib import Path

import click

from nnlogic.cli.options import Session, pass_session, verb_options


@click.command("verify", short_help="Simulate and prove the Verilog of a run.")
@click.argument("run", type=click.Path(path_type=Path))
@verb_options
@pass_session
def command(session: Session, run: Path) -> int:
    """Check the Verilog of RUN: simulators, bulk vectors, formal proof, planted faults."""
    session.interrupted = "The report of the run was not changed."
    click.echo(f"nnlogic: verifying {run}", err=True)
    from nnlogic.cli.output import finish_run
    from nnlogic.cli.progress import open_progress
    from nnlogic.run import verify

    done = verify(run, progress=open_progress(session.verbose))
    return finish_run(session, done.path, done.status, done.report)
