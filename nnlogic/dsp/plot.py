"""Plots: throughput over slices as SVG and text, and how busy a program keeps its slices."""

from __future__ import annotations

from collections.abc import Sequence
from math import log10

import numpy as np

from nnlogic.dsp.ir import Program
from nnlogic.dsp.search import Point, pareto

WIDTH, HEIGHT, MARGIN = 640, 360, 56
BLOCKS = " ▁▂▃▄▅▆▇█"


def activity_text(program: Program, columns: int = 64) -> str:
    """One line of bars: the share of slices at work, step by step or over equal parts."""
    parts = np.array_split(program.active.mean(axis=1), min(columns, max(1, program.steps)))
    bars = "".join(BLOCKS[round(float(part.mean()) * 8)] if len(part) else " " for part in parts)
    return (
        f"slices at work over {len(parts)} parts of the program: |{bars}| "
        f"{program.utilization:.0%} of {program.slices}\n"
    )


def points_text(points: Sequence[Point]) -> str:
    """One line per point; ``*`` marks those no other point beats."""
    best = {id(p) for p in pareto(points)}
    lines = ["  slices contexts  steps bound  used  BRAM36   LUT6   MHz  latency    vectors/s"]
    for p in points:
        cost = p.cost
        lines.append(
            f"{'*' if id(p) in best else ' '} {cost.slices:6} {p.program.contexts:8} "
            f"{p.program.steps:6} {p.bounds.steps:5} {p.program.utilization:5.0%} {cost.brams:7} "
            f"{cost.luts:6} {cost.mhz:5.0f} {cost.latency_ns / 1e3:6.2f}us {cost.throughput:12.3g}"
        )
    lines.append(f"clock: {points[0].cost.mhz_source}")
    return "\n".join(lines) + "\n"


def pareto_svg(points: Sequence[Point]) -> str:
    """Throughput over slices, both logarithmic; points no other one beats are filled."""
    best = {id(p) for p in pareto(points)}
    xs = [log10(p.cost.slices) for p in points]
    ys = [log10(p.cost.throughput) for p in points]
    x_low, x_span = min(xs), max(max(xs) - min(xs), 0.1)
    y_low, y_span = min(ys), max(max(ys) - min(ys), 0.1)
    said = "; ".join(
        f"{p.cost.slices} slices {p.cost.throughput:.3g} vectors per second" for p in points
    )
    shapes = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        'font-family="sans-serif" font-size="12">',
        f"<title>Throughput over DSP slices: {said}</title>",
        f'<path d="M{MARGIN} {MARGIN / 2}V{HEIGHT - MARGIN}H{WIDTH - MARGIN / 2}" fill="none" '
        'stroke="currentColor"/>',
        f'<text x="{WIDTH / 2}" y="{HEIGHT - 8}" text-anchor="middle">DSP slices</text>',
        f'<text x="{MARGIN}" y="16">input vectors per second</text>',
    ]
    for p, x, y in zip(points, xs, ys, strict=True):
        at_x = MARGIN + (x - x_low) / x_span * (WIDTH - 2 * MARGIN) + 12
        at_y = HEIGHT - MARGIN - 12 - (y - y_low) / y_span * (HEIGHT - 2 * MARGIN)
        filled = "currentColor" if id(p) in best else "none"
        label = f"{p.cost.slices} slices, {p.program.contexts} contexts: {p.cost.throughput:.3g}/s"
        shapes.append(
            f'<circle cx="{at_x:.1f}" cy="{at_y:.1f}" r="4" fill="{filled}" '
            f'stroke="currentColor"><title>{label}</title></circle>'
        )
        if id(p) in best:
            shapes.append(f'<text x="{at_x + 7:.1f}" y="{at_y + 4:.1f}">{p.cost.slices}</text>')
    return "\n".join([*shapes, "</svg>", ""])
