"""``nnlogic compare``: several runs beside each other."""

from __future__ import annotations

from pathlib import Path

import click

from nnlogic.cli.options import Session, pass_session, verb_options

PLACE = 60


@click.command("compare", short_help="Show several runs beside each other.")
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--plot", metavar="FILE.svg", type=click.Path(path_type=Path),
              help="Write LUTs against what is lost as a plot.")  # fmt: skip
@verb_options
@pass_session
def command(session: Session, runs: tuple[Path, ...], plot: Path | None) -> int:
    """Show the figures of RUNS, which of them no other beats, and what to do next."""
    from nnlogic.run.compare_runs import compare

    found = compare(runs, plot)
    if session.json:
        from nnlogic.cli.output import print_json

        print_json(found.to_json())
        return 0
    from rich.console import Console

    from nnlogic.report.comparison import BEST, COLUMNS, cells
    from nnlogic.report.terminal import fact, heading, print_table

    console = Console()
    print_table(console, COLUMNS, [cells(row) for row in found.rows])
    click.echo(BEST)
    for text in found.cautions:
        fact(console, "beware", text)
    heading(console, "Next")
    for row in found.rows:
        for line in row.next:
            fact(console, row.run, line)
    if plot is not None:
        click.echo(f"wrote {plot}", err=True)
    return 0
