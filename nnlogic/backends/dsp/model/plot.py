"""Engines that were tried as rows and as SVG, and how busy a program keeps its slices."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from math import log10
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

import numpy as np

from nnlogic.core.markup import el

if TYPE_CHECKING:
    from nnlogic.backends.dsp.model.ir import Program
    from nnlogic.backends.dsp.model.kernel_chain import KernelChain
    from nnlogic.backends.dsp.model.search import Point

WIDTH, HEIGHT, MARGIN = 640, 360, 56
BLOCKS = " ▁▂▃▄▅▆▇█"
PARTS = 96
"""Parts of a program whose utilization is kept."""


@dataclass(frozen=True)
class Tried:
    """One engine that was tried; every figure but the cycles is an estimate.

    Attributes
    ----------
    slices, contexts, input_banks : int
    steps, bound : int
        Length of the program, and the least any could have on this engine.
    utilization : float
        Percent of slice steps that do an operation.
    latency_cycles, interval_cycles : int
    brams, luts : int
        36 Kb block RAMs; LUT6 of crossbar and small memories.
    fmax_mhz : float
        Clock of the model of `nnlogic.backends.dsp.model.cost`, whatever clock the times are for.
    latency_ns, throughput : float
        At the clock of the run; input vectors per second.
    best : bool
        No other engine tried is better in one of throughput, latency, slices, block RAMs and
        LUTs without being worse in another.
    chosen : bool
    """

    slices: int
    contexts: int
    input_banks: int
    steps: int
    bound: int
    utilization: float
    latency_cycles: int
    interval_cycles: int
    brams: int
    luts: int
    fmax_mhz: float
    latency_ns: float
    throughput: float
    best: bool
    chosen: bool


def tried_rows(points: Sequence[Point], chosen: Point | None = None) -> tuple[Tried, ...]:
    """Return a row for each point, by slices and then by contexts."""
    from nnlogic.backends.dsp.model.cost import model_mhz
    from nnlogic.backends.dsp.model.search import pareto

    best = {id(p) for p in pareto(points)}
    rows = [
        Tried(
            slices=p.cost.slices,
            contexts=p.program.contexts,
            input_banks=p.program.input_banks,
            steps=p.program.steps,
            bound=p.bounds.steps,
            utilization=round(100 * p.program.utilization, 1),
            latency_cycles=p.program.cycles,
            interval_cycles=p.program.interval,
            brams=p.cost.brams,
            luts=p.cost.luts,
            fmax_mhz=round(model_mhz(p.program), 1),
            latency_ns=round(p.cost.latency_ns, 1),
            throughput=round(p.cost.throughput, 1),
            best=id(p) in best,
            chosen=p is chosen,
        )
        for p in points
    ]
    return tuple(sorted(rows, key=lambda row: (row.slices, row.contexts)))


def tried_csv(rows: Iterable[Tried]) -> str:
    """Return the rows as comma-separated values under the names of their fields."""
    lines = [",".join(f.name for f in fields(Tried))]
    lines += [",".join(str(value) for value in asdict(row).values()) for row in rows]
    return "\n".join([*lines, ""])


def activity(program: Program | KernelChain, parts: int = PARTS) -> tuple[float, ...]:
    """Return the percentage of slices at work, step by step or over equal parts of the program."""
    pieces = np.array_split(program.active.mean(axis=1), min(parts, max(1, program.steps)))
    return tuple(round(100 * float(piece.mean()), 1) if len(piece) else 0.0 for piece in pieces)


def activity_text(percents: Sequence[float]) -> str:
    """Return a bar for each part, as characters of eight heights."""
    return "".join(BLOCKS[round(percent / 100 * 8)] for percent in percents)


def front(rows: Sequence[Tried]) -> Element:
    """Return a plot of throughput over slices, both logarithmic, as an ``svg`` element.

    What no other engine beats is filled; the engine that was chosen has a ring around it.
    """
    xs = [log10(row.slices) for row in rows]
    ys = [log10(row.throughput) for row in rows]
    x_low, x_span = min(xs), max(max(xs) - min(xs), 0.1)
    y_low, y_span = min(ys), max(max(ys) - min(ys), 0.1)
    said = "; ".join(f"{r.slices} slices {r.throughput:.3g} vectors per second" for r in rows)
    axes = f"M{MARGIN} {MARGIN / 2}V{HEIGHT - MARGIN}H{WIDTH - MARGIN / 2}"
    shapes = [
        el("title", f"Throughput over DSP slices: {said}"),
        el("path", d=axes, fill="none", stroke="currentColor"),
        el("text", "DSP slices", x=WIDTH / 2, y=HEIGHT - 8, text_anchor="middle"),
        el("text", "input vectors per second", x=MARGIN, y=16),
    ]
    for row, x, y in zip(rows, xs, ys, strict=True):
        at_x = MARGIN + (x - x_low) / x_span * (WIDTH - 2 * MARGIN) + 12
        at_y = HEIGHT - MARGIN - 12 - (y - y_low) / y_span * (HEIGHT - 2 * MARGIN)
        label = f"{row.slices} slices, {row.contexts} contexts: {row.throughput:.3g}/s"
        shapes.append(_circle(at_x, at_y, 4, "currentColor" if row.best else "none", label))
        if row.chosen:
            shapes.append(_circle(at_x, at_y, 8, "none", "chosen"))
        if row.best:
            shapes.append(el("text", row.slices, x=at_x + 11, y=at_y + 4))
    return el(
        "svg",
        *shapes,
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        class_="plot",
        font_family="sans-serif",
        font_size=12,
    )


def _circle(x: float, y: float, radius: int, fill: str, said: str) -> Element:
    return el("circle", el("title", said), cx=x, cy=y, r=radius, fill=fill, stroke="currentColor")
