"""``nnlogic export``: the logic of a run in the formats of other tools."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from nnlogic.cli.options import Session, pass_session, tool_options, verb_options
from nnlogic.core.inert import visible

PLACE = 90


class WithFormats(click.Command):
    """Lists the formats there are below its options; they are imported only for that."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list."""
        from nnlogic.export import exports

        kinds = dict.fromkeys(exports().values())
        with formatter.section("Formats"):
            formatter.write_dl([(" ".join(kind.suffixes), kind.title) for kind in kinds])


@click.command(
    "export", cls=WithFormats, short_help="Write the logic of a run as C, BLIF, AIGER, Bristol, ..."
)
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--out",
    required=True,
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="File to write; its suffix says the format.",
)
@tool_options("as the run was compiled")
@click.option("--force", is_flag=True, help="Replace an existing file.")
@verb_options
@pass_session
def command(session: Session, run: Path, out: Path, **options: Any) -> int:
    """Write the combinational logic of RUN in another format, compared with it before."""
    click.echo(f"nnlogic: writing {visible(out)}", err=True)
    from nnlogic.cli.output import print_json
    from nnlogic.cli.progress import open_progress
    from nnlogic.run.export_run import export

    done = export(run, out, progress=open_progress(session.verbose), **options)
    if session.json:
        fields = ("left", "right", "how", "detail")
        checks = [{name: getattr(v, name) for name in fields} for v in done.checks]
        print_json({"out": str(done.out), "facts": dict(done.facts), "checks": checks})
        return 0
    click.echo(f"wrote {visible(done.out)}")
    for name, count in done.facts.items():
        click.echo(f"{name:<24} {count:,}")
    for verdict in done.checks:
        click.echo(f"{'checked':<24} {verdict.text()}")
    return 0
