"""``nnlogic compile``: a checkpoint becomes a run directory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from nnlogic.cli.options import Session, pass_session, verb_options
from nnlogic.flows.targets import Target

STAGES = "quant, tables, logic, design, rtl"


@click.command("compile", short_help="Compile a checkpoint to proved Verilog.")
@click.argument("checkpoint", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--out",
    required=True,
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Run directory to write.",
)
@click.option(
    "--target",
    default=Target.default().name,
    metavar="NAME|FILE.toml",
    show_default=True,
    help="Device target, or a file that describes one.",
)
@click.option(
    "--clock",
    metavar="MHZ",
    type=click.FloatRange(min=0, min_open=True),
    help="Clock to meet; sets LUT levels per stage.",
)
@click.option(
    "--levels-per-stage",
    metavar="N",
    type=click.IntRange(min=1),
    help="LUT levels per pipeline stage (default: one stage per layer).",
)
@click.option(
    "--mode",
    type=click.Choice(["exact", "approximate"]),
    default="exact",
    show_default=True,
    help="Exact keeps every output bit; approximate frees what --rows rarely show.",
)
@click.option(
    "--effort",
    type=click.Choice(["fast", "normal", "high"]),
    default="normal",
    show_default=True,
    help="Time spent on minimization.",
)
@click.option(
    "--objective",
    type=click.Choice(["balanced", "area", "depth", "adp"]),
    default="balanced",
    show_default=True,
    help="What to minimize: LUTs with a level worth 1 %, LUTs, levels, LUTs times levels.",
)
@click.option(
    "--optimize",
    type=click.Choice(["none", "layer", "network"]),
    default="none",
    show_default=True,
    help="After each neuron, also optimize inside layers or across the network.",
)
@click.option(
    "--backend",
    type=click.Choice(["lut", "dsp", "mac", "mixed", "auto"]),
    default="lut",
    show_default=True,
    help="What computes the logic: LUTs, an engine of DSP slices, sums on DSP multipliers, a mix "
    "(see --plan), or, with auto, what meets the budgets.",
)
@click.option(
    "--plan",
    metavar="KIND,...",
    help="Backend of each layer in order, lut, dsp or mac: a mixed design.",
)
@click.option(
    "--dsps",
    metavar="N",
    type=click.IntRange(min=1),
    help="DSP backend: slices of the engine (default: the fastest engine that fits).",
)
@click.option(
    "--max-dsps",
    metavar="N",
    type=click.IntRange(min=1),
    help="Budget: DSP slices; the fastest engine within is taken.",
)
@click.option(
    "--max-luts", metavar="N", type=click.IntRange(min=1), help="Budget: LUTs, as estimated."
)
@click.option(
    "--max-latency",
    metavar="NS",
    type=click.FloatRange(min=0, min_open=True),
    help="Budget: latency, as estimated.",
)
@click.option(
    "--kernels",
    default="1",
    metavar="auto|M",
    show_default=True,
    help="DSP backend: programs the engine may run one after the other, fed by a host.",
)
@click.option(
    "--program-words",
    metavar="N",
    type=click.IntRange(min=1),
    help="DSP backend: words of program memory (default: 65536).",
)
@click.option(
    "--bank-rows",
    metavar="N",
    type=click.IntRange(min=1),
    help="DSP backend: words of each operand memory (default: 2048).",
)
@click.option(
    "--arith",
    type=click.Choice(["never", "auto"]),
    default="never",
    show_default=True,
    help="Auto builds neurons too wide for a table from adders and comparators.",
)
@click.option(
    "--table-limit",
    metavar="BITS",
    type=click.IntRange(1, 16),
    default=14,
    show_default=True,
    help="Most input bits of a table.",
)
@click.option(
    "--rows",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Data rows (.npz or .csv) for accuracy and simulation.",
)
@click.option(
    "--validation-rows",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Approximate: rows that decide what the budget allows (default: a third of --rows).",
)
@click.option(
    "--test-rows",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Approximate: rows that take no part (default: a third of --rows).",
)
@click.option(
    "--rarity",
    metavar="R",
    type=click.IntRange(min=1),
    help="Approximate: free no entry used R times or more (default: as the budget allows).",
)
@click.option(
    "--accuracy-budget",
    metavar="POINTS",
    type=click.FloatRange(0, 100),
    help="Approximate: percentage points that may be lost on validation rows (default: 0.1).",
)
@click.option(
    "--stream/--no-stream",
    default=True,
    show_default=True,
    help="Write the valid/ready stream wrapper.",
)
@click.option("--force", is_flag=True, help="Replace an existing run directory.")
@click.option("--stop-after", metavar="STAGE", help=f"Stop after this stage: {STAGES}.")
@click.option(
    "--from",
    "start_from",
    metavar="STAGE",
    help="Start from this stage; CHECKPOINT is then a run directory that holds the earlier ones.",
)
@click.option(
    "--jobs", metavar="N", type=click.IntRange(min=1), help="Parallel jobs (default: all cores)."
)
@click.option(
    "--tool-timeout",
    metavar="SECONDS",
    type=click.FloatRange(min=0, min_open=True),
    default=600.0,
    show_default=True,
    help="Seconds an external program may take.",
)
@click.option(
    "--allow-pickle",
    is_flag=True,
    help="Read a pickle that can run code on this machine; only for files you trust.",
)
@verb_options
@pass_session
def command(session: Session, checkpoint: Path, out: Path, **options: Any) -> int:
    """Compile CHECKPOINT to proved Verilog, in a new run directory."""
    click.echo(f"nnlogic: compiling {checkpoint} to {out}", err=True)
    from nnlogic.cli.output import finish_run
    from nnlogic.cli.progress import open_progress
    from nnlogic.run import compile as compile_run

    progress = open_progress(session.verbose)
    run = compile_run(checkpoint, out, progress=progress, **options)
    return finish_run(session, run.path, run.status, run.report)
