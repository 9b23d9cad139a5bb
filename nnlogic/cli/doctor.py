"""``nnlogic doctor``: which external programs are here, and what to do about missing ones."""

from __future__ import annotations

import click

from nnlogic.cli.options import Session, pass_session, verb_options


@click.command("doctor", short_help="List external tools and how to get them.")
@verb_options
@pass_session
def command(session: Session) -> int:
    """List each external tool: version, path, and what to do when it is missing."""
    return 0
