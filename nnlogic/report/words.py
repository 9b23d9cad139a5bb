"""How the views of a report print values. What is None prints as "not run"."""

from __future__ import annotations

from nnlogic.report.rows import FunnelRow, Network, ResourceRow

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
    """Print one row of the funnel."""
    numbers = (row.tables, row.distinct, row.bound, row.luts, row.depth)
    return [row.layer, row.role if row.layer != "total" else "", *map(count, numbers)]


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
