"""Plots of a report as inline SVG. Every plot says in words what it shows."""

from __future__ import annotations

from collections.abc import Sequence
from math import log10
from xml.etree.ElementTree import Element

from nnlogic.core.markup import el, svg_file
from nnlogic.report.model import Report
from nnlogic.report.rows import Verdict
from nnlogic.report.sections import PercentBars, Plot, Scatter
from nnlogic.report.words import count

WIDTH, WIDE = 420, 640
"""Units across: of plots that are read on any screen, and of those with two axes."""
LABEL = 132
ROW = 30


def layer_bars(report: Report) -> Element:
    """LUTs of each layer after minimization, colored by role."""
    rows = [row for row in report.funnel_layers if row.luts is not None]
    most = max((row.luts or 0 for row in rows), default=0)
    room = WIDTH - LABEL - 90
    bars = []
    for i, row in enumerate(rows):
        y, width = i * ROW, room * (row.luts or 0) / max(1, most)
        bars += [
            _label(row.layer, y),
            el("rect", x=LABEL, y=y + 5, width=max(width, 1.0), height=ROW - 12, rx=3,
               class_=f"bar {row.role}"),
            el("text", count(row.luts), x=LABEL + width + 8, y=y + 20, class_="value"),
        ]  # fmt: skip
    said = "; ".join(f"{row.layer} {count(row.luts)}" for row in rows)
    return _figure(f"LUTs per layer after minimization: {said}", len(rows) * ROW, bars)


def funnel(report: Report) -> Element:
    """Functions and LUTs as they shrink; functions and LUTs have a scale each."""
    total = report.funnel_total
    functions = [("tables", total.tables), ("distinct tables", total.distinct)]
    luts = [("bound, LUTs", total.bound), ("minimized, LUTs", total.luts)]
    luts += [
        (f"{row.source}, LUTs", row.luts)
        for source in ("synth", "pnr")
        if (row := report.resource("total", source)) is not None
    ]
    shapes: list[Element] = []
    y = 0.0
    for group, class_ in ((functions, "functions"), (luts, "luts")):
        known = [(label, value) for label, value in group if value is not None]
        shapes += _funnel_group(known, y, class_)
        y += len(known) * ROW + (10 if known else 0)
    said = ", ".join(f"{label} {count(value)}" for label, value in functions + luts)
    return _figure(f"From tables to LUTs: {said}", y, shapes)


def _funnel_group(rows: Sequence[tuple[str, int]], top: float, class_: str) -> list[Element]:
    most = max((value for _, value in rows), default=1)
    room = WIDTH - LABEL - 90
    middle = LABEL + room / 2
    half = [max(1.0, room / 2 * value / max(1, most)) for _, value in rows]
    out = []
    for i, (label, value) in enumerate(rows):
        y = top + i * ROW
        if i + 1 < len(rows):
            a, b, low = half[i], half[i + 1], y + ROW
            path = (
                f"M{middle - a:.1f} {y + 22:.1f} L{middle + a:.1f} {y + 22:.1f} "
                f"L{middle + b:.1f} {low + 4:.1f} L{middle - b:.1f} {low + 4:.1f} Z"
            )
            out.append(el("path", d=path, class_=f"link {class_}"))
        out += [
            _label(label, y),
            el("rect", x=middle - half[i], y=y + 4, width=2 * half[i], height=18, rx=3,
               class_=f"bar {class_}"),
            el("text", count(value), x=WIDTH - 80, y=y + 18, class_="value"),
        ]  # fmt: skip
    return out


def segments(report: Report) -> Element:
    """Pipeline segments between register ranks; height is LUT levels."""
    levels = report.timing.levels_per_segment
    most, base = max(levels, default=1), 110
    step = min(90.0, (WIDTH - 20) / max(1, len(levels)))
    unit = 80 / max(1, most)
    shapes = [el("line", x1=8, x2=12 + step * len(levels), y1=base, y2=base, class_="axis")]
    for i, level in enumerate(levels):
        x = 10 + i * step
        high = unit * level
        class_ = "bar worst" if level == most else "bar luts"
        middle = x + step / 2
        shapes += [
            el("line", x1=x, x2=x, y1=20, y2=base, class_="register"),
            el("rect", x=x + step * 0.15, y=base - high, width=step * 0.7, height=high, rx=2,
               class_=class_),
        ]  # fmt: skip
        if step >= 22 or i % 5 == 0:
            shapes += [
                el(
                    "text", level, x=middle, y=base - high - 5, class_="value", text_anchor="middle"
                ),
                el("text", i, x=middle, y=base + 16, class_="label", text_anchor="middle"),
            ]
    end = 10 + step * len(levels)
    shapes.append(el("line", x1=end, x2=end, y1=20, y2=base, class_="register"))
    said = ", ".join(map(str, levels))
    return _figure(f"LUT levels of each pipeline segment: {said}", base + 24, shapes)


def draw(plot: Plot) -> Element:
    """Return a plot of a backend's section."""
    return _percent_bars(plot) if isinstance(plot, PercentBars) else el("figure", _scatter(plot))


def scatter_file(plot: Scatter) -> str:
    """Return a plot as the text of an SVG file."""
    return svg_file(_scatter(plot))


def _percent_bars(plot: PercentBars) -> Element:
    high, left = 80, 44
    step = (WIDTH - left - 8) / max(1, len(plot.values))
    shapes = [
        el("text", f"{at} %", x=left - 6, y=14 + high * (1 - at / 100), class_="label",
           text_anchor="end")
        for at in (0, 100)
    ]  # fmt: skip
    for i, percent in enumerate(plot.values):
        tall = high * percent / 100
        shapes.append(
            el("rect", x=left + i * step, y=10 + high - tall, width=max(0.5, step - 1),
               height=tall, class_="bar luts")
        )  # fmt: skip
    said = ", ".join(f"{percent:.0f}" for percent in plot.values)
    return _figure(f"{plot.title}: {said}", high + 20, shapes)


def _scatter(plot: Scatter) -> Element:
    """Points over logarithmic axes, with all its style, for it also stands in files alone."""
    high, margin = 360, 56
    across = _log_scale([point.x for point in plot.points], WIDE - 2 * margin)
    up = _log_scale([point.y for point in plot.points], high - 2 * margin)
    axes = f"M{margin} {margin / 2:.0f}V{high - margin}H{WIDE - margin / 2:.0f}"
    shapes = [
        el("path", d=axes, fill="none", stroke="currentColor"),
        el("text", plot.x, x=WIDE / 2, y=high - 8, text_anchor="middle"),
        el("text", plot.y, x=margin, y=16),
    ]
    for point, right, above in zip(plot.points, across, up, strict=True):
        x, y = margin + 12 + right, high - margin - 12 - above
        fill = "currentColor" if point.filled else "none"
        shapes.append(_circle(x, y, 4, fill, point.label))
        if point.ring:
            shapes.append(_circle(x, y, 8, "none", point.ring))
        if point.mark:
            shapes.append(el("text", point.mark, x=x + 11, y=y + 4))
    said = f"{plot.title}: {'; '.join(point.label for point in plot.points)}"
    return _svg(said, high, shapes, WIDE, font_family="sans-serif", font_size="12")


def _log_scale(values: Sequence[float], room: float) -> list[float]:
    """Place values on a logarithmic axis of length `room`, from the least to the most."""
    logs = [log10(value) for value in values]
    low = min(logs, default=0.0)
    span = max(max(logs, default=0.0) - low, 0.1)
    return [(value - low) / span * room for value in logs]


def _circle(x: float, y: float, radius: int, fill: str, label: str) -> Element:
    title = el("title", label)
    return el("circle", title, cx=x, cy=y, r=radius, fill=fill, stroke="currentColor")


_SIGNS = {
    "pass": "M7 12.5 L10.5 16 L17 8.5",
    "fail": "M8 8 L16 16 M16 8 L8 16",
    "not run": "M8 12 L16 12",
    "stale": "M12 7 L12 13 M12 16 L12 17",
}


def verdict_sign(verdict: Verdict) -> Element:
    """Return the sign of a verdict: tick, cross or dash in a circle."""
    return el(
        "svg",
        el("circle", cx=12, cy=12, r=10),
        el("path", d=_SIGNS[verdict]),
        viewBox="0 0 24 24",
        class_=f"sign {verdict.replace(' ', '-')}",
        role="img",
        aria_label=verdict,
    )


def ladder(report: Report) -> Element:
    """The rungs as a row of signs on a rail, rung 0 first."""
    step = WIDTH / max(1, len(report.ladder))
    shapes = [el("line", x1=step / 2, x2=WIDTH - step / 2, y1=24, y2=24, class_="axis")]
    for i, rung in enumerate(report.ladder):
        x = step * (i + 0.5)
        moved = f"translate({x - 18:.1f} 6) scale(1.5)"
        sign = [el("circle", cx=12, cy=12, r=10), el("path", d=_SIGNS[rung.verdict])]
        shapes += [
            el("g", *sign, transform=moved, class_=f"sign {rung.verdict.replace(' ', '-')}"),
            el("text", f"rung {rung.number}", x=x, y=62, class_="label", text_anchor="middle"),
            el("text", rung.verdict, x=x, y=78, class_="value", text_anchor="middle"),
        ]
    said = ", ".join(f"rung {rung.number} {rung.verdict}" for rung in report.ladder)
    return _figure(f"Verification ladder: {said}", 84, shapes)


def _label(text: str, y: float) -> Element:
    short = text if len(text) <= 20 else f"{text[:19]}…"
    return el(
        "text", el("title", text), short, x=LABEL - 8, y=y + 18, class_="label", text_anchor="end"
    )


def _figure(said: str, height: float, shapes: Sequence[Element]) -> Element:
    return el("figure", _svg(said, height, shapes))


def _svg(
    said: str, height: float, shapes: Sequence[Element], width: int = WIDTH, **attributes: str
) -> Element:
    return el(
        "svg",
        el("title", said),
        shapes,
        viewBox=f"0 0 {width} {max(1.0, height):.0f}",
        class_="plot" if width == WIDTH else "plot wide",
        role="img",
        aria_label=said,
        **attributes,
    )
