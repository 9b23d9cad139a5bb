"""``nnlogic quantize``: a float network becomes one of few bits, and says what each step cost."""

from __future__ import annotations

from pathlib import Path

import click

from nnlogic.cli.options import Session, pass_session, verb_options
from nnlogic.core.errors import UsageError

PLACE = 140


class FanIn(click.ParamType):
    """A number for all layers, or one per layer with commas between."""

    name = "fan-in"

    def convert(
        self, value: str | tuple[int, ...], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        """Return the numbers."""
        if isinstance(value, tuple):
            return value
        parts = value.split(",")
        if not all(p.strip().isascii() and p.strip().isdigit() and len(p) < 7 for p in parts):
            self.fail(f"{value[:40]!r} is neither a number nor numbers with commas", param, ctx)
        return tuple(int(p) for p in parts)


@click.command("quantize", short_help="Turn a float network into one of few bits.")
@click.argument("model", type=click.Path(path_type=Path))
@click.option(
    "--data", required=True, metavar="FILE", type=click.Path(path_type=Path),
    help="Rows as the network takes them: CSV, .npz, .npy or Parquet.",
)  # fmt: skip
@click.option(
    "-o", "--out", metavar="FILE", type=click.Path(path_type=Path),
    help="Checkpoint to write (default: MODEL-quantized.safetensors, here).",
)  # fmt: skip
@click.option(
    "--label", metavar="NAME", default="",
    help="Column of the classes (default: y, label, class or target, where there is one).",
)  # fmt: skip
@click.option(
    "--bits", metavar="N", type=click.IntRange(1, 8), default=2, show_default=True,
    help="Bits of what hidden neurons give.",
)  # fmt: skip
@click.option(
    "--input-bits", metavar="N", type=click.IntRange(1, 8), default=4, show_default=True,
    help="Bits of the input codes.",
)  # fmt: skip
@click.option(
    "--score-bits", metavar="N", type=click.IntRange(1, 8), default=5, show_default=True,
    help="Bits of the scores.",
)  # fmt: skip
@click.option(
    "--weight-bits", metavar="N", type=click.IntRange(2, 16),
    help="Bits of the weights (default: 8 in tables, 4 in adders).",
)  # fmt: skip
@click.option(
    "--fan-in", metavar="N,...", type=FanIn(),
    help="Most connections of a neuron, of all layers or of each; 0 for all (default: what fits "
    "a table of 12 bits).",
)  # fmt: skip
@click.option(
    "--inputs", type=click.Choice(["uniform", "quantile", "fixed"]), default="uniform",
    show_default=True, help="How input codes are fitted.",
)  # fmt: skip
@click.option(
    "--steps", metavar="N", type=click.IntRange(min=0), default=1500, show_default=True,
    help="Steps of fine-tuning with the float network as teacher.",
)  # fmt: skip
@click.option("--seed", metavar="N", type=click.IntRange(min=0), default=0, help="Seed.")
@click.option("--force", is_flag=True, help="Replace an existing checkpoint.")
@verb_options
@pass_session
def command(
    session: Session,
    model: Path,
    data: Path,
    out: Path | None,
    label: str,
    bits: int,
    input_bits: int,
    score_bits: int,
    weight_bits: int | None,
    fan_in: tuple[int, ...] | None,
    inputs: str,
    steps: int,
    seed: int,
    force: bool,
) -> int:
    """Turn the float network in MODEL, a .pt2 file of torch.export, into one of few bits.

    Ranges are calibrated on rows, connections cut, the rest fine-tuned with the float network as
    teacher; a quarter of the rows says what each step cost.
    """
    from nnlogic.cli.output import print_json
    from nnlogic.cli.progress import open_progress
    from nnlogic.report.codec import to_json

    out = out or Path(f"{model.stem}-quantized.safetensors")
    if out.exists() and not force:
        raise UsageError("the output exists", where=str(out), fix="--force replaces it")
    if not out.parent.is_dir():
        raise UsageError("cannot write the output", where=str(out), why="no such folder")
    if not model.is_file():
        raise UsageError("no such file", where=str(model), fix="give a .pt2 file")
    from nnlogic.train.quantize import quantize
    from nnlogic.train.quantize.rows import file_rows
    from nnlogic.train.saved import writing

    rows = file_rows(data, label)
    fans = None if fan_in is None else fan_in[0] if len(fan_in) == 1 else fan_in
    found = quantize(
        model, rows.x, rows.labels, bits=bits, input_bits=input_bits, score_bits=score_bits,
        weight_bits=weight_bits, fan_in=fans, inputs=inputs, steps=steps, seed=seed,
        features=rows.features, classes=rows.classes or None,
        progress=open_progress(session.verbose),
    )  # fmt: skip
    with writing(out.parent):
        found.save(out)
    if session.json:
        print_json(
            {"out": str(out), "rows": found.rows, "used": found.used,
             "steps": [to_json(step) for step in found.steps]}
        )  # fmt: skip
        return 0
    click.echo(found.text(), nl=False)
    click.echo(f"checkpoint  {out}")
    wide = "" if found.tables else " --arith auto"
    click.echo(f"next        nnlogic compile {out} -o run{wide}")
    return 0
