"""``nnlogic refine``: a network's LUTs follow rows, and fewer of them are left."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nnlogic.cli.options import Session, pass_session, verb_options
from nnlogic.core.errors import TargetMissed, UsageError
from nnlogic.core.inert import visible

if TYPE_CHECKING:
    from nnlogic.quant.ir import QuantNet

PLACE = 175


@click.command("refine", short_help="Make a classifier smaller, or better, by its rows.")
@click.argument("source", type=click.Path(path_type=Path))
@click.option(
    "--data",
    "data",
    metavar="FILE",
    required=True,
    type=click.Path(path_type=Path),
    help="Training rows with labels; a fifth of them is held back and chooses.",
)
@click.option("--label", metavar="NAME", help="Column of the labels.")
@click.option(
    "--luts",
    metavar="N",
    required=True,
    type=click.IntRange(min=1),
    help="LUT6 of the whole network at most.",
)
@click.option(
    "--minutes",
    metavar="M",
    default=5.0,
    show_default=True,
    type=click.FloatRange(0, min_open=True),
    help="Time of the search.",
)
@click.option("--seed", metavar="N", default=0, show_default=True, type=click.IntRange(min=0))
@click.option(
    "-o",
    "--out",
    metavar="FILE",
    required=True,
    type=click.Path(path_type=Path),
    help="Checkpoint to write.",
)
@click.option("--force", is_flag=True, help="Replace an existing checkpoint.")
@verb_options
@pass_session
def command(
    session: Session,
    source: Path,
    data: Path,
    label: str | None,
    luts: int,
    minutes: float,
    seed: int,
    out: Path,
    force: bool,
) -> int:
    """Refine a network by rows: the best table and wires for each LUT in turn, then fewer LUTs.

    SOURCE is a checkpoint, or a run that was compiled from one.
    """
    from nnlogic.cli.output import print_json
    from nnlogic.frontend.native import write_quantized
    from nnlogic.job.rows import load_rows
    from nnlogic.refine.fit import Found, fit

    if out.exists() and not force:
        raise UsageError("the file exists", where=str(out), fix="another name, or --force")
    net = _network(source)
    rows = load_rows(net, data, label)
    if rows.labels is None:
        raise UsageError("refinement needs labels", where=str(data), fix="--label NAME")
    best: Found | None = None
    smallest = 0
    walked = []
    for found in fit(net, rows.codes, rows.labels, luts=luts, seconds=60 * minutes, seed=seed):
        walked.append({k: getattr(found, k) for k in ("luts", "training", "validation")})
        smallest = min(smallest or found.luts, found.luts)
        if not session.json:
            click.echo(
                f"{found.luts:>7,} LUT6  training {100 * found.training:6.2f} %  "
                f"validation {100 * found.validation:6.2f} %"
            )
        if found.luts <= luts and (best is None or found.validation > best.validation):
            best = found
    if best is None:
        raise TargetMissed(
            "the search ended before the network was small enough", where=f"--luts {luts}",
            why=f"it has {smallest:,} LUT6 after {minutes:g} minutes", fix="more --minutes",
        )  # fmt: skip
    shares = {"luts": best.luts, "training": best.training, "validation": best.validation}
    accuracy = {"validation": best.validation}
    info = {**best.net.info, "family": "refined LUTs", "accuracy": accuracy, "refined": shares}
    write_quantized(out, replace(best.net, name=out.stem, info=info))
    if session.json:
        print_json({"path": str(out), **shares, "walked": walked})
    else:
        click.echo(f"kept {best.luts:,} LUT6, validation {100 * best.validation:.2f} %")
        click.echo(f"checkpoint    {visible(out)}")
    return 0


def _network(source: Path) -> QuantNet:
    """Return the network of a checkpoint, or of a run."""
    from nnlogic.frontend import load
    from nnlogic.job.directory import is_run, open_run
    from nnlogic.quant.ir import QuantNet

    if source.is_dir() and is_run(source):
        return QuantNet.load(open_run(source).ir_path("quant"))
    return load(source)
