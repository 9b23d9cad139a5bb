"""``nnlogic search``: variants of a recipe, trained and compiled, and the best trade-offs."""

from __future__ import annotations

from collections.abc import Callable
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

if TYPE_CHECKING:
    from nnlogic.quant.ir import QuantNet
    from nnlogic.train.search_options import Designed, Found, SearchOptions, SearchResult

PLACE = 150


class Numbers(click.ParamType):
    """Numbers separated by commas."""

    name = "numbers"

    def __init__(self, kind: type[int] | type[float]) -> None:
        self.kind = kind

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[float, ...]:
        """Return the numbers of a text."""
        if isinstance(value, tuple):
            return value
        try:
            return tuple(self.kind(part) for part in value.split(","))
        except ValueError:
            self.fail(f"{value!r} is not a list such as 1,2,3", param, ctx)


@click.command("search", short_help="Search bits, fan-in and width of a recipe.")
@click.argument("recipe")
@folder_option(
    "Folder for the trials, the study and the recipes found (default: search-NAME, here)."
)
@click.option("--trials", default=40, show_default=True, help="Networks, of all workers together.")
@epoch_options("a trial")
@click.option("--budget", default=0.0, metavar="LUTS", help="LUT6 wanted (default: no bound).")
@click.option("--bits", type=Numbers(int), default=(), help="Bits of the layers' codes, 1,2,3.")
@click.option("--input-bits", type=Numbers(int), default=(), help="Bits of the input codes.")
@click.option("--fan-in", type=Numbers(int), default=(), help="Inputs of a neuron.")
@click.option(
    "--width", type=Numbers(float), default=(0.5, 0.75, 1.0, 1.5), help="Factors on the widths."
)
@click.option(
    "--depth", type=Numbers(int), default=(), help="Layers before the last, encoders left out."
)
@click.option(
    "--supernet", default=0, metavar="N",
    help="Train the largest network for N epochs first; trials begin with its weights.",
)  # fmt: skip
@click.option("--target", default="", metavar="NAME", help="Device that trials are designed for.")
@click.option(
    "--backend", default="", metavar="NAME", help="For it (default: auto, where it matters)."
)
@click.option(
    "--max-latency", default=0.0, metavar="NS", help="Trials are within it, as estimated."
)
@click.option(
    "--samples-per-second", default=0.0, metavar="N", help="Trials are as fast, as estimated."
)
@click.option(
    "--method",
    "--sampler",
    "sampler",
    type=click.Choice(["cluster", "tpe", "random", "ilp"]),
    default="cluster",
    show_default=True,
    help="How points are proposed; ilp: by integer programming from sensitivities alone.",
)
@click.option(
    "--sensitivity",
    type=click.Choice(["fisher", "hutchinson", "none"]),
    default="fisher",
    show_default=True,
    help="What seeds and prunes the search.",
)
@click.option(
    "--luts",
    type=click.Choice(["compiled", "predicted"]),
    default="compiled",
    show_default=True,
    help="Of a trial; where they are predicted, only the networks found are compiled.",
)
@effort_option("compiling a trial", "fast", "normal")
@click.option(
    "--storage",
    default="",
    metavar="URL",
    help="Where the study is kept: a database URL or a journal FILE.log (default: DIR/study.db).",
)
@click.option("--worker", default=0, metavar="N", help="Number of this worker; 0 is the first.")
@click.option("--resume", is_flag=True, help="Go on with a search, or join it.")
@click.option("--seed", default=0, show_default=True, metavar="N", help="Seed of the proposals.")
@data_option
@verb_options
@pass_session
def command(
    session: Session,
    recipe: str,
    out: Path | None,
    bits: tuple[int, ...],
    input_bits: tuple[int, ...],
    fan_in: tuple[int, ...],
    width: tuple[float, ...],
    depth: tuple[int, ...],
    storage: str,
    resume: bool,
    data_dir: Path | None,
    **how: Any,
) -> int:
    """Train and compile variants of RECIPE (a name, or a .toml file): accuracy against LUT6."""
    session.interrupted = "Run the same command with --resume to go on."
    out = out or Path(f"search-{Path(recipe).stem}")
    click.echo(f"nnlogic: searching around {recipe} in {out}", err=True)
    from nnlogic.cli.output import print_json
    from nnlogic.cli.progress import open_progress
    from nnlogic.report.codec import to_json
    from nnlogic.train.recipe_file import load_layered_recipe
    from nnlogic.train.search import search
    from nnlogic.train.search_options import SearchOptions
    from nnlogic.train.search_space import search_space

    options = SearchOptions(**how)
    base = load_layered_recipe(recipe)
    result = search(
        base,
        out=out,
        luts=lambda net: compiled_luts(net, options.effort),
        predict=predicted_luts,
        design=designer(options) if options.designed else None,
        space=search_space(
            base, input_bits=input_bits, bits=bits, fan_in=fan_in, width=width, depth=depth
        ),
        options=options,
        storage=storage,
        data_dir=data_dir,
        resume=resume,
        progress=open_progress(session.verbose),
    )
    if session.json:
        print_json(to_json(result))
    else:
        _show(result, options.budget)
    return 0


def compiled_luts(net: QuantNet, effort: str) -> int:
    """Return the LUT6 a network compiles to; functions solved before come from the cache."""
    import nnlogic

    return int(nnlogic.minimize(nnlogic.tabulate(net), effort=effort, jobs=1).n_nodes)


def predicted_luts(net: QuantNet) -> float:
    """Return the LUT6 a network is predicted to compile to."""
    import nnlogic
    from nnlogic.predict.whole.surrogate import predict

    return predict(nnlogic.tabulate(net, arith="auto")).luts


def designer(options: SearchOptions) -> Callable[[QuantNet], Designed]:
    """Return what chooses the design of a network, on the device and within the budgets asked for.

    It raises UnsupportedModel or TargetMissed where no backend takes the network, or none is
    within.

    Raises
    ------
    UsageError
        No such device or backend, or one that proposes no designs.
    """
    from nnlogic.core.errors import UsageError
    from nnlogic.flows.targets import Target
    from nnlogic.job.backend import AUTO, backend_named, backends
    from nnlogic.plan.choose import best, budgets_of
    from nnlogic.plan.proposal import Planning
    from nnlogic.train.search_options import Designed

    target = Target.of(options.target) if options.target else Target.default()
    name = options.backend or AUTO
    if name != AUTO and not backend_named(name).proposes:
        known = ", ".join(b.name for b in backends().values() if b.proposes)
        raise UsageError(
            "designs cannot be chosen", where="--backend",
            why=f"the {name} backend says nothing of a design before it is compiled",
            fix=f"one of {known}, {AUTO}",
        )  # fmt: skip
    given: dict[str, Any] = {
        "arith": "auto",
        "effort": options.effort,
        "jobs": 1,
        "target": options.target or target.name,
        "max_latency": options.max_latency or None,
        "samples_per_second": options.samples_per_second or None,
    }

    def design(net: QuantNet) -> Designed:
        found = best(Planning(net, target, given, budgets_of(given)), name)
        return Designed(found.luts, f"{found.backend.name}: {found.figures}")

    return design


def _show(result: SearchResult, budget: float) -> None:
    click.echo("trial   validation    LUT6  what differs from the recipe")
    base = {} if result.base is None else result.base.params
    if result.base is not None:
        click.echo(_line(result.base, base, "the recipe itself"))
    for found in result.front:
        if result.base is None or found.trial != result.base.trial:
            click.echo(_line(found, base))
    if budget:
        best = result.within_budget
        said = f"trial {best.trial}" if best else "none found; the cheapest is the first line"
        click.echo(f"best within {budget:,.0f} LUT6: {said}")
    click.echo(f"trials      {result.trials}")
    click.echo(f"time        {result.seconds:.1f} s")
    click.echo(f"recipes     {result.recipes}")


def _line(found: Found, base: dict[str, int], said: str = "") -> str:
    changes = ", ".join(f"{k} {v}" for k, v in found.params.items() if base.get(k) != v)
    design = f"\n{'':28}{found.design}" if found.design else ""
    figures = f"{found.trial:>5} {100 * found.validation:>10.2f} % {found.luts:>7,}"
    return f"{figures}  {said or changes}{design}"
