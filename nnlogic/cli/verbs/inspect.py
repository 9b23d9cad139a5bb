"""``nnlogic inspect``: what a file or run holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nnlogic.cli.options import Session, pass_session, verb_options

if TYPE_CHECKING:
    from nnlogic.report.describe import Description, Stage

PLACE = 10
MOST_TABLES = 5000
"""Tables of a network up to which figures are predicted."""
MOST_QUANTITIES = 8
"""Quantities that are printed one by one."""


@click.command("inspect", short_help="Show what a checkpoint, stage or run holds.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--allow-pickle",
    is_flag=True,
    help="Read a pickle that can run code on this machine; only for files you trust.",
)
@click.option(
    "--read", metavar="NAME=VALUE[,...]", help="Options of the importer, such as rounds=all."
)
@verb_options
@pass_session
def command(session: Session, file: Path, allow_pickle: bool, read: str | None) -> int:
    """Show what FILE holds: a checkpoint, Verilog tables, a saved stage, or a run directory."""
    from nnlogic.cli.output import print_json, print_report

    if file.is_dir():
        from nnlogic.frontend import recognize
        from nnlogic.job.directory import is_run, read_report

        if not (is_run(file) or (file / "report.json").exists()):
            recognize(file)

        report = read_report(file)
        if session.json:
            print_json(report.to_json())
        else:
            print_report(report)
        return 0
    from nnlogic.report.codec import to_json
    from nnlogic.report.describe import describe

    stage = _load(file, allow_pickle, read)
    found = describe(stage)
    if session.json:
        told = _prediction(stage)
        print_json({**to_json(found), "bound_luts": found.bound, "predicted": told})
    else:
        _print(found)
        _print_prediction(stage)
        _print_choices(stage, file)
    return 0


def _load(file: Path, allow_pickle: bool, read: str | None) -> Stage:
    from nnlogic.core.archive import archive_kind
    from nnlogic.design.ir import HardwareDesign
    from nnlogic.frontend import load
    from nnlogic.logic.ir import LogicNet
    from nnlogic.tables.ir import TableNet

    stages = {cls.kind: cls for cls in (TableNet, LogicNet, HardwareDesign)}
    cls = stages.get(archive_kind(file))
    return cls.load(file) if cls else load(file, allow_pickle=allow_pickle, read=read)


def _print(found: Description) -> None:
    from rich.console import Console

    from nnlogic.report.terminal import fact, print_table

    console = Console()
    fact(console, found.kind, found.name)
    fact(console, "inputs", _ports([(p.name, p.format) for p in found.inputs]))
    fact(console, "outputs", _ports([(p.name, p.format) for p in found.outputs]))
    if found.quantizer:
        fact(console, "quantizer", found.quantizer)
    many = len(found.quantities) > MOST_QUANTITIES
    for text in (*found.quantities[:1], "...") if many else found.quantities:
        fact(console, "decoded", text)
    for key, value in found.info.items():
        if key == "accuracy" and isinstance(value, dict):
            fact(
                console, key, ", ".join(f"{name} {_percent(part)}" for name, part in value.items())
            )
        elif key == "error" and isinstance(value, dict):
            for part, errors in value.items():
                words = [f"{name} {_error(figures)}" for name, figures in errors.items()]
                if many:
                    mean = sum(figures["rmse"] for figures in errors.values()) / len(errors)
                    words = [f"rmse {mean:.4g}, mean of {len(errors)} quantities"]
                fact(console, f"error, {part}", "; ".join(words))
        elif isinstance(value, str | int | float):
            fact(console, key, str(value))
    columns = ("layer", "role", "kind", ">units", ">fan-in bits", "output", ">bound")
    rows = [
        [
            row.name,
            row.role,
            row.kind,
            f"{row.units:,}",
            "" if row.fan_in_bits is None else str(row.fan_in_bits),
            row.formats,
            "-" if row.bound is None else f"{row.bound:,}",
        ]
        for row in found.layers
    ]
    told = [i for i in range(len(columns)) if any(row[i] not in ("", "-") for row in rows)]
    print_table(console, [columns[i] for i in told], [[row[i] for i in told] for row in rows])
    if found.widths:
        widths = ", ".join(f"{count} of {width} bits" for width, count in found.widths.items())
        fact(console, "tables", widths)
    if found.bound is not None:
        text = f"{found.bound:,} LUT6 (bound: every table built from LUTs, nothing minimized)"
        fact(console, "LUTs", text)
    fact(console, "stats", ", ".join(f"{k} {v}" for k, v in found.stats.items()))


def _prediction(stage: Stage) -> dict[str, Any] | None:
    """Return what a network that is not minimized yet will take, or None where that is not known.

    Not known: a network that cannot be tabulated as it is, or only in very many tables.
    """
    from dataclasses import asdict

    from nnlogic.core.errors import TooWide, UnsupportedModel
    from nnlogic.flows.targets import Target
    from nnlogic.predict.whole.surrogate import predict, surrogate
    from nnlogic.quant.ir import QuantNet
    from nnlogic.tables.build import tabulate
    from nnlogic.tables.ir import TableNet

    if isinstance(stage, QuantNet):
        try:
            stage = tabulate(stage, arith="auto", unroll=MOST_TABLES)
        except (TooWide, UnsupportedModel):
            return None
    if not isinstance(stage, TableNet) or len(stage.blocks) > MOST_TABLES:
        return None
    found, facts = predict(stage), surrogate().facts
    target = Target.named(facts["target"])
    period = target.delay.segment_ns(max(1, round(found.segment)))
    clock = {"fmax_mhz": round(1000 / period, 1), "target": target.name}
    figures = {name: round(value, 2) for name, value in asdict(found).items()}
    return {**figures, **clock, "error": facts["error"]}


def _print_prediction(stage: Stage) -> None:
    from rich.console import Console

    from nnlogic.report.terminal import fact

    told = _prediction(stage)
    if told is None:
        return
    error = told["error"]["luts"]
    fact(
        Console(),
        "predicted",
        f"{told['luts']:,.0f} LUT6, {told['ffs']:,.0f} FF, depth {told['depth']:.0f}, "
        f"{told['fmax_mhz']:.0f} MHz ({told['target']}'s delay model, a stage per layer), "
        f"{told['seconds']:.1f} s at effort fast; LUT6 of small networks are half within "
        f"{100 * error['p50']:.0f} %, nine in ten within {100 * error['p90']:.0f} %",
    )


def _print_choices(stage: Stage, file: Path) -> None:
    from rich.console import Console

    from nnlogic.frontend import is_source, made_by
    from nnlogic.quant.ir import QuantNet
    from nnlogic.report.terminal import fact

    fmt = made_by(stage) if isinstance(stage, QuantNet) and is_source(stage, file) else None
    for name, text in fmt.options.items() if fmt else ():
        fact(Console(), "--read", f"{name}=  {text}")


def _ports(ports: list[tuple[str, str]]) -> str:
    formats = sorted({fmt for _, fmt in ports})
    names = [name for name, _ in ports]
    shown = ", ".join(names if len(names) <= 8 else [*names[:6], "...", names[-1]])
    return f"{len(ports)} ({'/'.join(formats)}): {shown}"


def _percent(fraction: float | None) -> str:
    return "not run" if fraction is None else f"{100 * fraction:.2f} %"


def _error(figures: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in figures.items() if name != "p50")
