"""``nnlogic doctor``: which external programs are here, and what to do about missing ones."""

from __future__ import annotations

import click

from nnlogic.cli.options import Session, pass_session, verb_options

PLACE = 190
MISSING = 4


@click.command("doctor", short_help="List external tools and how to get them.")
@verb_options
@pass_session
def command(session: Session) -> int:
    """List what nnlogic uses: version, path, and what to do about what is missing.

    Exits with 4 when something that compiling or verifying needs is missing or too old.
    """
    click.echo("nnlogic: looking for tools", err=True)
    from rich.console import Console
    from rich.text import Text

    from nnlogic.cli.output import print_json
    from nnlogic.flows.targets import Target
    from nnlogic.report.codec import to_json
    from nnlogic.report.terminal import STYLES, print_table
    from nnlogic.tools.doctor import diagnose

    found = diagnose(Target.programs())
    missing = [status.name for status in found if status.required and not status.ok]
    if session.json:
        print_json({"ok": not missing, "missing": missing, "tools": to_json(found)})
        return MISSING if missing else 0
    console = Console()
    rows: list[list[str | Text]] = []
    for status in found:
        word = "ok" if status.ok else "missing" if status.required else "optional"
        style = {"ok": "pass", "missing": "fail", "optional": "not run"}[word]
        where = status.source if status.ok else f"{status.source}; fix: {status.fix}"
        rows.append([status.name, Text(word, style=STYLES[style]), status.version, where])
    print_table(console, ("tool", "state", "version", "where, or what to do"), rows)
    if missing:
        click.echo(f"\nmissing: {', '.join(missing)}")
    return MISSING if missing else 0
