"""How the views of a report print values. What is None prints as "not run"."""

from __future__ import annotations

from nnlogic.report.rows import Check, FunnelRow, Network, ResourceRow, Rung, Timing

NOT_RUN = "not run"

SOURCE_WORDS = {
    "bound": "bound, nothing minimized",
    "estimate": "estimate from the minimized network",
    "synth": "measured after synthesis",
    "pnr": "measured after place and route",
}


def clean(text: object) -> str:
    """Return text without control characters, which could rewrite a terminal."""
    return "".join(c if c.isprintable() else " " for c in str(text))


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
    ns = "ns not run" if timing.latency_ns is None else quantity(timing.latency_ns, "ns")
    return f"{cycles(timing.latency_cycles)}, {ns}"


def parts(rung: Rung) -> tuple[Check, ...]:
    """Return the checks to list under a rung: none when it has only one."""
    return rung.checks if len(rung.checks) > 1 else ()


def how_known(check: Rung | Check) -> str:
    """Say how a verdict is known, where that is not left to the parts below it."""
    if isinstance(check, Rung) and check.checks:
        return check.detail if parts(check) else how_known(check.checks[0])
    return joined(check.how, check.detail)
