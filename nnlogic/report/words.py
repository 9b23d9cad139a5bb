"""How the views of a report print values. What is None prints as "not run"."""

from __future__ import annotations

from collections.abc import Iterable

from nnlogic.report.rows import (
    ApproximateLayer,
    ApproximateRows,
    Approximation,
    Check,
    DataRow,
    FunnelRow,
    Network,
    ResourceRow,
    Rung,
)
from nnlogic.report.timing import Timing

NOT_RUN = "not run"
CONSTANT = "is always"
"""Marks the warning about an output, which holds as long as the logic does."""
LASTING = (CONSTANT, "raw feature ")
"""Marks of warnings that hold whatever is checked later."""

SOURCE_WORDS = {
    "bound": "bound, nothing minimized",
    "estimate": "estimate from the minimized network",
    "synth": "measured after synthesis",
    "pnr": "measured after place and route",
}


def count(value: int | None) -> str:
    """Print a count."""
    return NOT_RUN if value is None else f"{value:,}"


def quantity(value: float | None, unit: str, digits: int = 1) -> str:
    """Print a number with its unit."""
    return NOT_RUN if value is None else f"{value:,.{digits}f} {unit}"


def funnel_cells(row: FunnelRow) -> list[str]:
    """Print one row of the funnel; a layer without tables has no bound."""
    bound = "-" if row.tables == 0 and row.bound is None else count(row.bound)
    head = [row.layer, row.role if row.layer != "total" else ""]
    return [*head, count(row.tables), count(row.distinct), bound, count(row.luts), count(row.depth)]


def resource_cells(row: ResourceRow) -> list[str]:
    """Print one row of the resources."""
    return [row.part, row.source, *map(count, (row.luts, row.ffs, row.wide_muxes)), row.detail]


def data_facts(rows: Iterable[DataRow]) -> list[tuple[str, str]]:
    """Print how files of rows were read."""
    out = []
    for row in rows:
        out += [
            ("columns", f"{row.file}: {row.matched}"),
            ("labels", f"{row.file}: {row.labelled}"),
        ]
        out += [("note", f"{row.file}: {notice}") for notice in row.notices]
    return out


APPROXIMATE_COLUMNS = ("rows", ">n", ">exact", ">approx.", ">lost", ">same class", ">same words")
APPROXIMATE_LAYER_COLUMNS = (
    "layer", ">tables", ">changed", ">entries", ">freed", ">rarity", ">sampled",
    ">LUTs exact", ">LUTs",
)  # fmt: skip


def approximate_cells(row: ApproximateRows) -> list[str]:
    """Print one set of rows of an approximate run; without labels there is no accuracy."""
    accuracy = ["-" if v is None else quantity(v, "%", 2) for v in (row.exact, row.approximate)]
    shares = [quantity(v, "%", 2) for v in (row.lost, row.agreement, row.words)]
    return [row.part, count(row.n), *accuracy, *shares]


def approximate_layer_cells(row: ApproximateLayer) -> list[str]:
    """Print what became of one layer."""
    numbers = (
        row.tables, row.changed, row.entries, row.freed, row.rarity, row.sampled,
        row.luts_exact, row.luts,
    )  # fmt: skip
    return [row.layer, *map(count, numbers)]


def drop_of(row: ApproximateRows) -> float:
    """Return the drop in accuracy, or without labels in agreement, in percentage points."""
    if row.exact is None or row.approximate is None:
        return row.lost
    return row.exact - row.approximate


def budget_text(what: Approximation) -> str:
    """Say whether the accuracy budget was held, and on which rows."""
    rows = {row.part: row for row in what.rows}
    out = [f"{what.budget:g} points of {what.measure}"]
    for part, held in (("validation", what.held), ("test", what.held_on_test)):
        if part not in rows:
            continue
        row = rows[part]
        drop = drop_of(row)
        # Paired rows: what is lost and what is gained both add to the variance of the drop.
        error = (100 * max(0.0, 2 * row.lost - drop) / row.n) ** 0.5
        word = "held" if held else "exceeded"
        out.append(f"{word} on {row.n:,} {part} rows (drop {drop:.2f}, standard error {error:.2f})")
    return "; ".join(out)


def levels_text(levels: tuple[int, ...]) -> str:
    """Print LUT levels per segment."""
    return ", ".join(map(str, levels)) if levels else NOT_RUN


def joined(*parts: str) -> str:
    """Join the parts that are not empty."""
    return ": ".join(part for part in parts if part)


def network_text(network: Network) -> str:
    """Print the size of a network."""
    if not network.layers:
        return NOT_RUN
    neurons = sum(layer.neurons for layer in network.layers)
    return (
        f"{len(network.inputs)} inputs, {len(network.layers)} layers, {neurons:,} neurons, "
        f"{len(network.outputs)} outputs"
    )


def cycles(value: int | None) -> str:
    """Print a number of clock cycles."""
    return NOT_RUN if value is None else f"{value:,} cycle{'' if value == 1 else 's'}"


def latency_text(timing: Timing) -> str:
    """Print latency in cycles, and in ns where a clock is known."""
    if timing.latency_cycles is None:
        return NOT_RUN
    if timing.latency_ns is None:
        return f"{cycles(timing.latency_cycles)}, ns not run"
    return f"{cycles(timing.latency_cycles)}, {quantity(timing.latency_ns, 'ns')}{_rate(timing)}"


def throughput_text(timing: Timing) -> str:
    """Print samples per second, where a clock is known."""
    if timing.samples_per_second is None:
        return NOT_RUN
    millions = timing.samples_per_second / 1e6
    return f"{quantity(millions, 'million samples per second')}{_rate(timing)}"


def _rate(timing: Timing) -> str:
    """Say at which clock, and whether that is an estimate."""
    if timing.rate_mhz is None:
        return ""
    asked = "asked for, " if timing.rate_mhz == timing.clock_mhz else ""
    source = SOURCE_WORDS.get(timing.fmax_source or "", "")
    if timing.fmax_source == "estimate":
        source = "estimate"
    return f" at {quantity(timing.rate_mhz, 'MHz')}" + (f", {asked}{source}" if source else "")


def parts(rung: Rung) -> tuple[Check, ...]:
    """Return the checks to list under a rung: none when it has only one."""
    return rung.checks if len(rung.checks) > 1 else ()


def how_known(check: Rung | Check) -> str:
    """Say how a verdict is known, where that is not left to the parts below it."""
    if isinstance(check, Rung) and check.checks:
        return check.detail if parts(check) else how_known(check.checks[0])
    return joined(check.how, check.detail)
