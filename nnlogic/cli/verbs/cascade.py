"""``nnlogic cascade``: a small network answers, a large one where it is not sure."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nnlogic.cli.options import Session, folder_option, pass_session, verb_options
from nnlogic.core.inert import visible

if TYPE_CHECKING:
    from nnlogic.run.cascade_run import Cascaded, Choice

PLACE = 180


@click.command("cascade", short_help="Two networks in one core: asked by confidence.")
@click.argument("small", type=click.Path(path_type=Path))
@click.argument("large", type=click.Path(path_type=Path))
@folder_option("Folder to make: both runs, and the Verilog of the core.", required=True)
@click.option(
    "--rows",
    metavar="FILE",
    required=True,
    type=click.Path(path_type=Path),
    help="Rows that decide when the small network is sure.",
)
@click.option(
    "--test",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Rows for accuracy and simulation (default: those of --rows).",
)
@click.option("--label", metavar="NAME", help="Column of the labels in the files.")
@click.option(
    "--asked",
    metavar="SHARE",
    type=click.FloatRange(0, 1),
    help="Most rows, as a share, for which the large network may be asked.",
)
@click.option(
    "--loss",
    metavar="POINTS",
    type=float,
    help="Most points lost against the large network on --rows (default, without --asked: 0.1).",
)
@click.option("--target", metavar="NAME", help="Device or target file, as for compile.")
@click.option("--clock", metavar="MHZ", type=float, help="Clock to meet, as for compile.")
@click.option("--effort", metavar="WORD", help="Time for minimization, as for compile.")
@verb_options
@pass_session
def command(session: Session, small: Path, large: Path, out: Path, **how: Any) -> int:
    """Compile SMALL and LARGE, files that compile reads, into one core with valid and ready."""
    click.echo(f"nnlogic: a cascade of {visible(small)} and {visible(large)}", err=True)
    from nnlogic.cli.output import print_json
    from nnlogic.cli.progress import open_progress
    from nnlogic.run.cascade_run import cascade

    for name in ("target", "clock", "effort"):
        if how[name] is None:
            del how[name]
    found = cascade(small, large, out, progress=open_progress(session.verbose), **how)
    if session.json:
        print_json({**asdict(found), "path": str(out)})
    else:
        _show(found)
    return 0


def _show(found: Cascaded) -> None:
    click.echo(f"sure when the largest score is ahead by {found.chosen.margin} steps")
    click.echo("rows                      asked    small    large  cascade")
    click.echo(_line("that decided", found.chosen))
    click.echo(_line("tested", found.tested))
    luts = ", ".join(f"{kind} {n:,}" for kind, n in found.luts.items())
    click.echo(f"LUT{found.k}: {luts}; clocks: {found.latency['sure']} or {found.latency['asked']}")
    for m in found.measured:
        click.echo(
            f"simulated {m.way}: {m.rows:,} rows right, {m.average:.1f} clocks in the mean, "
            f"{m.worst} at worst"
        )
    click.echo(f"core: {visible(found.path / 'rtl' / found.name)}.v")


def _line(what: str, c: Choice) -> str:
    shares = [c.asked, c.small, c.large, c.cascade]
    cells = "".join("        -" if s is None else f"{100 * s:8.2f}%" for s in shares)
    return f"{f'{what}, {c.rows:,}':22}{cells}"
