"""A report on a terminal, 80 columns wide, or as plain lines where there is no terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from textwrap import shorten
from typing import Literal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from nnlogic.core.inert import visible
from nnlogic.report.classes import CLASS_COLUMNS, class_cells
from nnlogic.report.model import TOTAL, Report
from nnlogic.report.quantities import ERROR_COLUMNS, error_cells
from nnlogic.report.rows import Check, Rung
from nnlogic.report.sections import Section
from nnlogic.report.words import (
    APPROXIMATE_COLUMNS,
    APPROXIMATE_LAYER_COLUMNS,
    approximate_cells,
    approximate_layer_cells,
    budget_text,
    count,
    cycles,
    data_facts,
    funnel_cells,
    how_known,
    latency_text,
    levels_text,
    network_text,
    parts,
    quantity,
    resource_cells,
    throughput_text,
)

LABEL = 12
MOST_QUANTITIES = 8  # that are printed one by one
WIDEST, NARROWEST, GAP = 36, 12, 2
LONGEST = 75  # characters about a check that passed; the other views show all
STYLES = {"pass": "green", "fail": "bold red", "not run": "yellow", "stale": "bold yellow"}


def render(report: Report, console: Console) -> None:
    """Print a report."""
    _header(report, console)
    _approximation(report, console)
    if report.funnel:
        heading(console, "From tables to LUTs")
        rows = [funnel_cells(row) for row in (*report.funnel_layers, report.funnel_total)]
        print_table(
            console, ("layer", "role", ">tables", ">distinct", ">bound", ">LUTs", ">depth"), rows
        )
    for section in report.sections:
        _section(section, console)
    heading(console, "Resources")
    if report.network.encoder:
        fact(console, "encoder", report.network.encoder)
    columns = ("part", "source", ">LUTs", ">FFs", ">wide muxes")
    print_table(console, columns, [resource_cells(row)[:-1] for row in report.resources])
    for row in report.resources:
        if row.part == TOTAL and row.detail:
            fact(console, f"by {row.source}", row.detail)
    if report.share:
        fact(console, "share", report.share)
    _timing(report, console)
    if report.network.quantities:
        _quantities(report, console)
    else:
        heading(console, "Accuracy")
        accuracy = [
            [row.stage, quantity(row.percent, "%", 2), count(row.n), row.detail]
            for row in report.accuracy
        ]
        print_table(console, ("stage", ">correct", ">rows", "on"), accuracy)
    if report.classes and not report.network.quantities:
        print_table(console, CLASS_COLUMNS, [class_cells(row) for row in report.classes])
    for label, text in data_facts(report.data):
        fact(console, label, text)
    _ladder(report, console)


def _quantities(report: Report, console: Console) -> None:
    heading(console, "Error, in the units of the rows")
    if len(report.network.quantities) > MOST_QUANTITIES:
        for stage in dict.fromkeys(row.stage for row in report.errors):
            known = [r.rmse for r in report.errors if r.stage == stage and r.rmse is not None]
            mean = f"RMSE {sum(known) / len(known):.4g}, mean" if known else "not run"
            fact(console, stage, f"{mean} of {len(report.network.quantities)} quantities")
        fact(console, "decoded", f"{report.network.quantities[0]}, ...")
        return
    narrow = [ERROR_COLUMNS.index(c) for c in ERROR_COLUMNS if c not in ("on", ">bias")]
    cells = [error_cells(row) for row in report.errors]
    columns = [ERROR_COLUMNS[i] for i in narrow]
    print_table(console, columns, [[row[i] for i in narrow] for row in cells])
    for text in dict.fromkeys(row.detail for row in report.errors):
        fact(console, "on", text)
    for text in report.network.quantities:
        fact(console, "decoded", text)


def _section(section: Section, console: Console) -> None:
    heading(console, visible(section.title))
    for item in section.shown:
        fact(console, item.label, item.text)
    for table in section.tables:
        if table.title:
            console.print(Text(visible(table.title)))
        print_table(console, table.columns, table.rows)


def heading(console: Console, text: str) -> None:
    """Print a section title after an empty line."""
    console.print()
    console.print(Text(text, style="bold"))


def fact(console: Console, label: str, text: str) -> None:
    """Print a labelled text; continuation lines align."""
    grid = Table.grid(padding=(0, 1))
    grid.add_column(width=LABEL, style="dim")
    grid.add_column(overflow="fold")
    grid.add_row(Text(visible(label)), Text(visible(text)))
    console.print(grid)


def print_table(
    console: Console, columns: Sequence[str], rows: Iterable[Sequence[str | Text]]
) -> None:
    """Print rows under column titles; a title that starts with ``>`` is right-aligned.

    Titles and cells are plain text: markup and control characters in names stay harmless.
    """
    rows, columns = list(rows), [visible(title) for title in columns]
    if not rows:
        console.print(Text("not run", style=STYLES["not run"]))
        return
    table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="dim")
    for title, width in zip(columns, _widths(columns, rows, console.width), strict=True):
        right = title.startswith(">")
        justify: Literal["left", "right"] = "right" if right else "left"
        table.add_column(Text(title.lstrip(">")), justify=justify, overflow="fold", width=width)
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(visible(cell)) for cell in row))
    console.print(table)


def _widths(columns: Sequence[str], rows: Sequence[Sequence[str | Text]], room: int) -> list[int]:
    """Widths that fit `room`: the last text column takes what is left and wraps."""
    titles = [title.lstrip(">") for title in columns]
    longest = [max(len(t), *(len(row[i]) for row in rows)) for i, t in enumerate(titles)]
    widths = [min(width, WIDEST) for width in longest]
    last = max(i for i, title in enumerate(columns) if not title.startswith(">"))
    left = room - GAP * (len(widths) - 1) - sum(widths) + widths[last]
    widths[last] = min(longest[last], max(NARROWEST, left))
    return widths


def _header(report: Report, console: Console) -> None:
    head = Text(visible(report.name), style="bold")
    words = [report.status, report.mode, report.target or "no target", f"nnlogic {report.version}"]
    head.append(f"  {visible(', '.join(words))}", style="not bold")
    console.print(head)
    for warning in report.warnings:
        fact(console, "WARNING", warning)
    for change in report.changes:
        fact(console, "changed", change)
    source = report.source
    if source.file:
        fact(console, "source", f"{source.file} ({source.format or 'unknown format'})")
        fact(console, "sha256", source.sha256 or "not run")
    network = report.network
    fact(console, "network", network_text(network))
    if report.minimization:
        won = ", ".join(f"{e.name} {count(e.functions)}" for e in report.minimization)
        fact(console, "engines won", won)
    fact(console, "run time", quantity(report.seconds, "s"))


def _approximation(report: Report, console: Console) -> None:
    what = report.approximation
    if what is None:
        return
    heading(console, "Approximate: not equal to the trained network")
    fact(console, "budget", budget_text(what))
    print_table(console, APPROXIMATE_COLUMNS, [approximate_cells(row) for row in what.rows])
    for row in what.rows:
        fact(console, row.part, row.detail)
    rows = [approximate_layer_cells(row) for row in what.layers]
    print_table(console, APPROXIMATE_LAYER_COLUMNS, rows)


def _timing(report: Report, console: Console) -> None:
    timing = report.timing
    heading(console, "Timing")
    fact(console, "latency", latency_text(timing))
    fact(console, "interval", cycles(timing.initiation_interval))
    fact(console, "throughput", throughput_text(timing))
    segments = f"{count(timing.segments)}, LUT levels {levels_text(timing.levels_per_segment)}"
    fact(console, "segments", segments)
    source = f" ({timing.fmax_source})" if timing.fmax_source else ""
    fact(console, "Fmax", quantity(timing.fmax_mhz, "MHz") + source)
    if timing.clock_mhz is not None:
        fact(console, "clock asked", quantity(timing.clock_mhz, "MHz"))
    fact(console, "definition", timing.definition)


def _ladder(report: Report, console: Console) -> None:
    heading(console, "Verification ladder")
    rows: list[Sequence[str | Text]] = []
    for rung in report.ladder:
        rows.append(_rung_cells(str(rung.number), rung.title, rung))
        rows += [_rung_cells("", f"  {check.title}", check) for check in parts(rung)]
    print_table(console, ("#", "check", "verdict", "how we know", ">time"), rows)


def _rung_cells(number: str, title: str, check: Rung | Check) -> list[str | Text]:
    seconds = "" if check.seconds is None else quantity(check.seconds, "s")
    verdict = Text(check.verdict, style=STYLES[check.verdict])
    how = how_known(check)
    if check.verdict == "pass":
        how = shorten(how, LONGEST, placeholder=" ...")
    return [number, title, verdict, how, seconds]
