"""``nnlogic retrain``: class vectors follow rows as they come, in one pass."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from nnlogic.cli.options import Session, pass_session, verb_options
from nnlogic.core.errors import UsageError
from nnlogic.core.inert import visible

PLACE = 170
MEASURED = ("accuracy", "lut_estimate", "golden_rows", "digest", "float_is")
"""Keys of ``info`` that training measures."""


@click.command("retrain", short_help="Let class vectors follow new rows, in one pass.")
@click.argument("checkpoint", type=click.Path(path_type=Path))
@click.option(
    "--rows",
    metavar="FILE",
    required=True,
    type=click.Path(path_type=Path),
    help="Rows with labels, in the order they come.",
)
@click.option("--label", metavar="NAME", help="Column of the labels.")
@click.option(
    "-o",
    "--out",
    metavar="FILE",
    required=True,
    type=click.Path(path_type=Path),
    help="Checkpoint to write.",
)
@click.option(
    "--rate",
    metavar="R",
    default=0.01,
    show_default=True,
    type=click.FloatRange(0, 1, min_open=True),
    help="Step of each row; a bit changes after about 1/R rows.",
)
@click.option("--force", is_flag=True, help="Replace an existing checkpoint.")
@verb_options
@pass_session
def command(
    session: Session,
    checkpoint: Path,
    rows: Path,
    label: str | None,
    out: Path,
    rate: float,
    force: bool,
) -> int:
    """Retrain the Hamming head of CHECKPOINT on line: in one pass over rows."""
    from nnlogic.cli.output import print_json
    from nnlogic.frontend import load
    from nnlogic.frontend.native import write_quantized
    from nnlogic.job.rows import load_rows
    from nnlogic.train.online import retrain

    if out.exists() and not force:
        raise UsageError("the file exists", where=str(out), fix="another name, or --force")
    net = load(checkpoint)
    given = load_rows(net, rows, label)
    if given.labels is None:
        raise UsageError("retraining needs labels", where=str(rows), fix="--label NAME")
    found = retrain(net, given.codes, given.labels, rate=rate)
    shares = {
        "rows": found.rows,
        "as_they_came": found.right / max(1, found.rows),
        "as_it_was": found.right_before / max(1, found.rows),
        "bits_flipped": found.flipped,
    }
    # What was measured of the network before is not true of this one.
    kept = {k: v for k, v in found.net.info.items() if k not in MEASURED}
    made = replace(found.net, info={**kept, "retrained": shares})
    write_quantized(out, made)
    if session.json:
        print_json({"path": str(out), **shares})
    else:
        click.echo(f"{found.rows:,} rows, {found.flipped:,} bits of class vectors changed")
        click.echo(f"as it was     {100 * shares['as_it_was']:.2f} % correct")
        click.echo(
            f"as they came  {100 * shares['as_they_came']:.2f} % correct, each before learning"
        )
        click.echo(f"checkpoint    {visible(out)}")
    return 0
