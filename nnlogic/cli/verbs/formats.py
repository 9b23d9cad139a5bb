"""``nnlogic formats``: number formats on one recipe, accuracy against compiled LUTs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nnlogic.cli.options import (
    Session,
    data_option,
    effort_option,
    epoch_options,
    folder_option,
    pass_session,
    verb_options,
)
from nnlogic.core.inert import visible

if TYPE_CHECKING:
    from nnlogic.quant.ir import QuantNet
    from nnlogic.train.formats import Compared

PLACE = 160
FORMATS = (
    "fixed(4,0)", "posit(4,1)", "posit(4,0)", "minifloat(2,1)", "shift(4)", "power(4,2)",
    "ternary()", "binary()",
)  # fmt: skip


class WithFormats(click.Command):
    """Lists the kinds of formats below its options; they are imported only for that."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list."""
        import dataclasses

        from nnlogic.quant.numbers import kinds

        with formatter.section("Formats"):
            names = {k: ",".join(f.name for f in dataclasses.fields(c)) for k, c in kinds().items()}
            formatter.write_dl([(f"{k}({names[k]})", c.meaning) for k, c in kinds().items()])


@click.command("formats", cls=WithFormats, short_help="Compare number formats on a recipe.")
@click.argument("recipe")
@click.argument("formats", metavar="[FORMAT]...", nargs=-1)
@folder_option("Folder for the networks and formats.svg (default: formats-NAME, here).")
@click.option(
    "--of",
    type=click.Choice(["weights", "activations", "both"]),
    default="weights",
    show_default=True,
    help="What is in the formats.",
)
@click.option(
    "--mix", multiple=True, metavar="FORMAT", help="Choose among these for each layer; repeat it."
)
@click.option(
    "--mix-bits", default=0.0, metavar="BITS", help="Most bits of the mix, in the mean of weights."
)
@click.option(
    "--gradient",
    type=click.Choice(["straight", "gap"]),
    default="straight",
    show_default=True,
    help="Of weights in training.",
)
@epoch_options("each network")
@effort_option("compiling a network", "fast", "normal")
@data_option
@verb_options
@pass_session
def command(
    session: Session,
    recipe: str,
    formats: tuple[str, ...],
    out: Path | None,
    effort: str,
    **how: Any,
) -> int:
    """Train and compile RECIPE (a name, or a .toml file) with each FORMAT: accuracy and LUT6."""
    session.interrupted = "Run the same command again to go on."
    out = out or Path(f"formats-{Path(recipe).stem}")
    click.echo(f"nnlogic: number formats of {visible(recipe)} in {visible(out)}", err=True)
    from nnlogic.cli.output import print_json
    from nnlogic.cli.progress import open_progress
    from nnlogic.core.archive import write_bytes
    from nnlogic.report.codec import to_json
    from nnlogic.report.plots import scatter_file
    from nnlogic.train.formats import compare_formats
    from nnlogic.train.recipe_file import load_layered_recipe

    rows = compare_formats(
        load_layered_recipe(recipe),
        formats or FORMATS,
        out=out,
        size=lambda net: _size(net, effort),
        progress=open_progress(session.verbose),
        **how,
    )
    write_bytes(out / "formats.svg", scatter_file(_plot(recipe, rows)).encode())
    if session.json:
        print_json(to_json(list(rows)))
    else:
        _show(rows)
        click.echo(f"plot: {visible(out / 'formats.svg')}")
    return 0


def _size(net: QuantNet, effort: str) -> tuple[int, int]:
    import nnlogic

    tables = nnlogic.tabulate(net, arith="auto")
    logic = nnlogic.minimize(tables, effort=effort, jobs=1)
    depth = max((int(logic.levels[s]) for s in logic.output_signals), default=0)
    return int(logic.n_nodes), depth


def _plot(recipe: str, rows: tuple[Compared, ...]) -> Any:
    from nnlogic.report.sections import Scatter, ScatterPoint

    points = tuple(
        ScatterPoint(
            max(1, r.luts),
            max(0.01, 100 * (1 - r.test)),
            f"{r.name}: {100 * r.test:.2f} %, {r.luts} LUT6",
            r.name,
            filled=r.name == rows[0].name,
        )
        for r in rows
    )
    return Scatter(f"Number formats of {Path(recipe).stem}", "LUT6", "test error, %", points)


def _show(rows: tuple[Compared, ...]) -> None:
    click.echo("validation      test    LUT6  depth    DSP  format")
    for r in rows:
        layers = ", ".join(f"{k} {v}" for k, v in r.formats.items())
        mixed = f" ({layers})" if len(set(r.formats.values())) > 1 else ""
        click.echo(
            f"{100 * r.validation:8.2f} %{100 * r.test:8.2f} %{r.luts:8}{r.depth:7}{r.dsps:7}  "
            f"{visible(r.name)}{visible(mixed)}"
        )
