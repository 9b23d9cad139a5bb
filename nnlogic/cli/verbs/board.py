"""``nnlogic board``: the core of a run on a board."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from nnlogic.cli.options import Session, folder_option, pass_session, tool_options, verb_options
from nnlogic.core.inert import visible

PLACE = 100


class WithBoards(click.Command):
    """Lists the boards there are below its options; they are read only for that."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list."""
        from nnlogic.flows.boards import Board

        with formatter.section("Boards"):
            formatter.write_dl([(name, Board.of(name).title) for name in Board.names()])


@click.command("board", cls=WithBoards, short_help="Make a bitstream for a board.")
@click.argument("name", metavar="BOARD|FILE.toml")
@click.argument("run", type=click.Path(path_type=Path))
@folder_option("Folder to write.", required=True)
@click.option(
    "--baud",
    metavar="N",
    type=click.IntRange(min=1),
    default=115200,
    show_default=True,
    help="Bits per second of the serial line.",
)
@click.option(
    "--rows",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Rows for self-test and simulation (default: those of the run).",
)
@click.option(
    "--test-rows",
    metavar="N",
    type=click.IntRange(min=1, max=4096),
    default=64,
    show_default=True,
    help="Rows of the self-test.",
)
@click.option("--no-simulate", is_flag=True, help="Do not simulate the netlist from pin to pin.")
@tool_options("as the run was compiled, but at least 1800 seconds")
@click.option("--force", is_flag=True, help="Replace a folder that nnlogic board wrote.")
@verb_options
@pass_session
def command(
    session: Session, name: str, run: Path, out: Path, no_simulate: bool, **options: Any
) -> int:
    """Put the core of RUN on a board, with a serial line and a self-test."""
    click.echo(f"nnlogic: writing {visible(out)}", err=True)
    from nnlogic.cli.output import print_json
    from nnlogic.cli.progress import open_progress
    from nnlogic.run.board_run import board

    progress = open_progress(session.verbose)
    done = board(name, run, out, simulate=not no_simulate, progress=progress, **options)
    if session.json:
        print_json({"out": str(done.out), **done.facts})
        return 0
    facts = done.facts
    used = ", ".join(f"{n} of {m} {what}" for what, (n, m) in facts["used"].items())
    for what, text in (
        ("board", facts["title"]),
        ("bitstream", out / facts["bitstream"]),
        ("clock", f"{_clock(facts)}; {facts['fmax_mhz']} MHz possible"),
        ("used", used),
        ("serial line", f"{facts['baud']} baud, 8N1, {facts['rows_per_second']} rows per second"),
        ("self-test", f"{facts['test_rows']} rows"),
        *(("checked", text) for text in facts["checks"] or ["not run"]),
    ):
        click.echo(f"{what:<24} {visible(text)}")
    click.echo(f"\nnnlogic talk PORT {visible(run)} --baud {facts['baud']}")
    return 0


def _clock(facts: Mapping[str, Any]) -> str:
    """Say what the core runs at, and where that comes from."""
    mine, board = facts["clock_mhz"], facts["board_mhz"]
    parts = round(board / mine)
    return f"{mine:g} MHz of the board" + f", its {board:g} divided by {parts}" * (parts > 1)
