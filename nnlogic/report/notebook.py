"""A report in a line, and as a short table for notebooks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nnlogic.core.inert import visible
from nnlogic.core.markup import html, table
from nnlogic.report.words import SOURCE_WORDS, count, cycles, how_known, quantity

if TYPE_CHECKING:
    from nnlogic.report.model import Report


def in_a_line(report: Report) -> str:
    """Return name, status, what it was made for, LUTs with their source, and rungs passed."""
    total = report.resource("total")
    luts = f"{count(total.luts)} LUTs ({total.source})" if total else "LUTs not run"
    passed = sum(rung.verdict == "pass" for rung in report.ladder)
    made = " on ".join(filter(None, (report.backend, report.target)))
    parts = [report.status, made, luts, f"{passed} of {len(report.ladder)} rungs pass"]
    parts += [f"{len(report.warnings)} warnings"] * bool(report.warnings)
    return visible(f"{report.name}: {', '.join(filter(None, parts))}")


def as_html(report: Report, path: str = "") -> str:
    """Return the short table that a notebook shows; texts of files are escaped.

    Parameters
    ----------
    report : Report
    path : str
        Of the run, where there is one.
    """
    caption = " ".join(filter(None, (report.name, report.status, path)))
    return html(table(("what", "value", "known by"), _rows(report), caption))


def _rows(report: Report) -> Iterator[tuple[str, str, str]]:
    made = " on ".join(filter(None, (report.backend, report.target)))
    yield "design", report.name, ", ".join(filter(None, (made, f"{report.mode} mode")))
    for warning in report.warnings:
        yield "beware", warning, ""
    total, timing = report.resource("total"), report.timing
    source = SOURCE_WORDS[total.source] if total else ""
    yield "LUTs", count(total.luts if total else None), source
    latency = "" if timing.latency_ns is None else quantity(timing.latency_ns, "ns")
    yield "latency", cycles(timing.latency_cycles), latency
    known = SOURCE_WORDS[timing.fmax_source] if timing.fmax_source else ""
    yield "Fmax", quantity(timing.fmax_mhz, "MHz"), known
    for row in report.accuracy:
        if row.percent is not None:
            on = " ".join(filter(None, (f"{count(row.n)} rows", row.detail)))
            yield f"correct, {row.stage}", quantity(row.percent, "%", 2), on
    for rung in report.ladder:
        yield f"{rung.number} {rung.title}", rung.verdict, how_known(rung)
