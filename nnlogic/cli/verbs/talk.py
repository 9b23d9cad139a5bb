"""``nnlogic talk``: rows to a board, and its answers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nnlogic.cli.options import Session, pass_session, verb_options
from nnlogic.core.inert import visible

if TYPE_CHECKING:
    from nnlogic.run.talk_run import Talked

PLACE = 110
SHOWN = 8
"""Rows with a wrong answer that are printed."""


@click.command("talk", short_help="Send rows to a board and check its answers.")
@click.argument("port")
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--rows",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Rows to send (default: those of the run).",
)
@click.option("--label", metavar="NAME", help="The column of the rows that holds labels.")
@click.option("--limit", metavar="N", type=click.IntRange(min=1), help="Most rows to send.")
@click.option(
    "--baud",
    metavar="N",
    type=click.IntRange(min=1),
    default=115200,
    show_default=True,
    help="Bits per second, as the board was made.",
)
@click.option(
    "--seconds",
    metavar="S",
    type=click.FloatRange(min=0, min_open=True),
    default=2.0,
    show_default=True,
    help="Time to wait for an answer.",
)
@verb_options
@pass_session
def command(session: Session, port: str, run: Path, **options: Any) -> int:
    """Send rows to the board on PORT; compare its answers with the network of RUN."""
    session.interrupted = "Rows that were sent were not compared."
    from nnlogic.cli.output import print_json
    from nnlogic.cli.progress import open_progress
    from nnlogic.run.talk_run import talk

    done = talk(port, run, progress=open_progress(session.verbose), **options)
    if session.json:
        print_json(_facts(done))
    else:
        for what, text in _facts(done).items():
            click.echo(f"{what:<24} {visible(text)}")
        for row in done.different[:SHOWN]:
            answer, right = done.outputs[row].tolist(), done.expected[row].tolist()
            click.echo(f"row {row}: {answer} in place of {right}")
    return 0 if done.right else 1


def _facts(done: Talked) -> dict[str, Any]:
    from nnlogic.job.rows import accuracy

    facts: dict[str, Any] = {
        "rows": len(done.outputs),
        "from": done.what,
        "different": len(done.different),
        "self_test_rows": done.tried,
        "self_test_wrong": done.wrong,
    }
    found = accuracy(done.outputs, done.labels, done.column)
    return facts if found is None else {**facts, "accuracy": round(found, 4)}
