"""``nnlogic report``: show the report of a run."""

from __future__ import annotations

from pathlib import Path

import click

from nnlogic.cli.options import Session, pass_session, verb_options

PLACE = 50


@click.command("report", short_help="Show the report of a run.")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--html", type=click.Path(path_type=Path), help="Write one HTML file here.")
@verb_options
@pass_session
def command(session: Session, run: Path, html: Path | None) -> int:
    """Show the report of RUN (a run directory or a report.json).

    Exits with 1 when the report holds a failed check, or a verdict that is not of the files that
    are there now.
    """
    from nnlogic.cli.output import exit_code, print_json, print_report
    from nnlogic.job.directory import read_report

    report = read_report(run)
    if html is not None:
        from nnlogic.core.archive import write_bytes
        from nnlogic.report.html import render_html

        html.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(html, render_html(report).encode())
        click.echo(f"wrote {html}", err=True)
    if session.json:
        print_json(report.to_json())
    elif html is None:
        print_report(report)
    return exit_code(report)
