"""``nnlogic minimize``: files of logic become smaller networks of LUTs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nnlogic.cli.errors import INTERRUPTED
from nnlogic.cli.options import (
    Session,
    effort_option,
    jobs_option,
    pass_session,
    tool_options,
    verb_options,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nnlogic.run.minimize_run import Minimized

PLACE = 120
MAX_K = 6
CACHED = " (some functions from the cache)"


@click.command("minimize", short_help="Minimize tables and logic networks to LUTs.")
@click.argument(
    "sources", metavar="IN...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@click.option(
    "-o",
    "--out",
    required=True,
    metavar="OUT",
    type=click.Path(path_type=Path),
    help="File to write (.blif, .v, .aag or .aig), or a directory.",
)
@click.option(
    "-K",
    "--lut-size",
    "k",
    metavar="N",
    type=click.IntRange(2, 6),
    default=6,
    show_default=True,
    help="Inputs of a LUT.",
)
@click.option(
    "--objective",
    type=click.Choice(["area", "balanced", "depth", "adp"]),
    default="balanced",
    show_default=True,
    help="What to make small: LUTs, both, levels, or LUTs times levels.",
)
@effort_option("minimization", "fast", "normal", "high", default="normal")
@click.option(
    "--budget",
    metavar="SECONDS",
    type=click.FloatRange(min=0, min_open=True),
    help="Seconds of search per file, then the best so far (default: as the effort needs).",
)
@jobs_option()
@click.option("--dask", metavar="ADDRESS", help="Scheduler of a Dask cluster to work on.")
@click.option(
    "--care",
    metavar="PATTERNS",
    type=click.Path(path_type=Path),
    help="Observed input rows (lines of 0 and 1, .csv or .npz); no other input matters then.",
)
@click.option(
    "--rarity",
    metavar="R",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="An input matters when it was observed at least R times.",
)
@click.option(
    "--format",
    "kind",
    type=click.Choice(["blif", "v", "aag", "aig"]),
    default="blif",
    show_default=True,
    help="Format of the files when OUT is a directory.",
)
@tool_options("600 seconds, 256 MB")
@click.option("--force", is_flag=True, help="Replace existing files.")
@verb_options
@pass_session
def command(session: Session, sources: tuple[Path, ...], out: Path, **options: Any) -> int:
    """Minimize IN (.truth, .pla, .blif, .aag, .aig) to a checked network of LUTs."""
    if len(sources) > 1:
        session.interrupted = "Files that were finished are kept."
    what = sources[0] if len(sources) == 1 else f"{len(sources)} files"
    click.echo(f"nnlogic: minimizing {what} to {out}", err=True)
    from nnlogic.cli.output import print_json
    from nnlogic.cli.progress import open_progress
    from nnlogic.run.minimize_run import minimize_files

    progress = open_progress(session.verbose)
    results = minimize_files(sources, out, progress=progress, **options)
    if session.json:
        print_json({"lut_size": options["k"], "files": [_data(r) for r in results]})
    elif len(results) == 1:
        _print_one(results[0], options["k"])
    else:
        _print_table(results, options["k"])
    return INTERRUPTED if any(r.ended == "interrupt" for r in results) else 0


def _print_one(r: Minimized, k: int) -> None:
    click.echo(f"{r.source} -> {r.out}")
    click.echo(f"ports     {r.inputs} inputs, {r.outputs} outputs")
    click.echo(f"LUT{k}      {r.luts:,}")
    if k == MAX_K:
        click.echo(f"cells     {r.cells:,} where two LUTs of five shared inputs fit one (LUT6_2)")
    click.echo(f"depth     {r.depth}")
    click.echo(f"seconds   {r.seconds:.1f}{CACHED if r.cached else ''}")
    click.echo(f"engine    {r.engine}")
    if r.ended:
        click.echo(f"ended     by {'an ' * (r.ended == 'interrupt')}{r.ended}: the best so far")
    for i, verdict in enumerate(r.checks):
        click.echo(f"{'' if i else 'checked':<9} {verdict.text()}")
    if r.agreement is not None:
        click.echo(f"care      {r.care:,} input combinations observed often enough")
        click.echo(f"agreement {r.agreement:.2f} % of the observed rows (sampled n={r.rows:,})")


def _print_table(results: Sequence[Minimized], k: int) -> None:
    head = ["file", "in", "out", f"LUT{k}", "depth", "seconds", "checked"]
    rows = []
    for r in results:
        figures = [str(r.inputs), str(r.outputs), f"{r.luts:,}", str(r.depth), f"{r.seconds:.1f}"]
        rows.append([r.out.name, *figures, r.how])
    mean = sum(r.depth for r in results) / len(results)
    luts, seconds = sum(r.luts for r in results), sum(r.seconds for r in results)
    rows.append(["sum, mean depth", "", "", f"{luts:,}", f"{mean:.2f}", f"{seconds:.1f}", ""])
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    if any(r.cached for r in results):
        head[5] = "seconds*"
        widths[5] = max(widths[5], len(head[5]))
    for row in [head, *rows]:
        cells = [
            cell.ljust(w) if i in (0, 6) else cell.rjust(w)
            for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        ]
        click.echo("  ".join(cells).rstrip())
    if head[5].endswith("*"):
        click.echo(f"*{CACHED}")


def _data(r: Minimized) -> dict[str, Any]:
    checks = [
        {"left": v.left, "right": v.right, "equal": v.equal, "how": v.how, "detail": v.detail}
        for v in r.checks
    ]
    return {
        "in": str(r.source),
        "out": str(r.out),
        "inputs": r.inputs,
        "outputs": r.outputs,
        "luts": r.luts,
        "cells": r.cells,
        "depth": r.depth,
        "seconds": round(r.seconds, 3),
        "engine": r.engine,
        "cached": r.cached,
        "ended": r.ended,
        "how": r.how,
        "checks": checks,
        "care": r.care,
        "rows": r.rows,
        "agreement": r.agreement,
    }
