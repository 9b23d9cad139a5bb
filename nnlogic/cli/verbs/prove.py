"""``nnlogic prove``: statements about what a network never does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nnlogic.cli.options import Session, jobs_option, pass_session, verb_options
from nnlogic.core.inert import visible

if TYPE_CHECKING:
    from nnlogic.run.prove_run import Proved

PLACE = 70
SHOWN = 8
"""Inputs of a counterexample that are printed; all are in the file."""


class WithStatements(click.Command):
    """Lists the kinds of statements below its options; they are imported only for that."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list."""
        from nnlogic.properties import properties

        with formatter.section("Statements"):
            formatter.write_dl([(p.usage, p.meaning) for p in properties().values()])


@click.command("prove", cls=WithStatements, short_help="Prove or refute what a network never does.")
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("statements", metavar="STATEMENT...", nargs=-1, required=True)
@click.option(
    "--rows",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Rows for statements about rows (default: those of the run).",
)
@click.option("--label", metavar="NAME", help="Column of the labels in --rows.")
@click.option("--keep", is_flag=True, help="Show what is found in the run's report from now on.")
@click.option(
    "-o",
    "--out",
    metavar="FILE.csv",
    type=click.Path(path_type=Path),
    help="Write counterexamples here, as input codes.",
)
@jobs_option()
@click.option(
    "--tool-timeout",
    metavar="SECONDS",
    type=click.FloatRange(min=0, min_open=True),
    default=60.0,
    show_default=True,
    help="Seconds of SAT for each claim.",
)
@verb_options
@pass_session
def command(
    session: Session, run: Path, statements: tuple[str, ...], out: Path | None, **options: Any
) -> int:
    """Decide each STATEMENT about the logic of RUN, for every input it speaks of.

    Exits with 1 when a statement is refuted, and with 6 when one stays open.
    """
    click.echo(f"nnlogic: proving {len(statements)} of {visible(run)}", err=True)
    from nnlogic.cli.output import print_json
    from nnlogic.cli.progress import open_progress
    from nnlogic.run.prove_run import prove, write_examples

    results = prove(run, statements, progress=open_progress(session.verbose), **options)
    if out is not None:
        write_examples(out, results)
    if session.json:
        print_json([_data(r) for r in results])
    else:
        for r in results:
            _print(r)
    counts = [r.counts for r in results]
    return 1 if any(c["refuted"] for c in counts) else 6 if any(c["open"] for c in counts) else 0


def _print(r: Proved) -> None:
    total, holds = len(r.decisions), r.counts["holds"]
    click.echo(visible(r.statement))
    ways = sorted({d.how for d in r.decisions if d.verdict == "holds"})
    share = f"{holds:,} of {total:,} ({100 * holds / max(1, total):.1f} %)"
    word = "holds" if holds == total == 1 else f"holds for {share}" if total > 1 else ""
    if holds:
        click.echo(f"  {word} ({', '.join(ways)})")
    if r.right is not None:
        click.echo(f"  right and certified: {r.right:,} ({100 * r.right / max(1, total):.1f} %)")
    for verdict in ("refuted", "open"):
        found = [d for d in r.decisions if d.verdict == verdict]
        if found and total > 1:
            click.echo(f"  {verdict} for {len(found):,}, {found[0].label} first")
        elif found:
            click.echo(f"  {verdict} ({found[0].how})")
    first = next((d for d in r.decisions if d.example is not None), None)
    if first is not None and first.example is not None:
        for row in first.example.tolist():
            values = [f"{visible(n)}={v}" for n, v in zip(r.names, row, strict=True)]
            more = f" ... {len(values) - SHOWN} more" if len(values) > SHOWN else ""
            click.echo(f"  codes {' '.join(values[:SHOWN])}{more}")


def _data(r: Proved) -> dict[str, Any]:
    claims = [
        {
            "label": d.label,
            "verdict": d.verdict,
            "how": d.how,
            "seconds": round(d.seconds, 3),
            "example": None if d.example is None else d.example.tolist(),
        }
        for d in r.decisions
    ]
    rows = {"rows": r.what or None, "right": r.labelled, "right_and_holds": r.right}
    return {"statement": r.statement, "counts": dict(r.counts), **rows, "claims": claims}
