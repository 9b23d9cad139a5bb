"""Pins of a core and totals of devices, as a report knows them."""

from __future__ import annotations

from dataclasses import dataclass

from nnlogic.report.rows import ResourceRow


@dataclass(frozen=True)
class PinRow:
    """A port of the core.

    Attributes
    ----------
    name : str
        In the Verilog.
    way : str
        ``"input"`` or ``"output"``.
    bits : int
    low : int or None
        Lowest bit in `tdata` of the stream; None where there is no stream.
    carries : str
        Feature or output, with its format.
    """

    name: str
    way: str
    bits: int
    low: int | None = None
    carries: str = ""


@dataclass(frozen=True)
class DeviceRow:
    """What a device of the target has; the smallest that holds the design where there are several.

    Attributes
    ----------
    name : str
    luts, ffs : int or None
    """

    name: str
    luts: int | None = None
    ffs: int | None = None


PIN_COLUMNS = ("port", "", ">bits", "tdata", "carries")


def pin_cells(row: PinRow) -> list[str]:
    """Print a port."""
    high = None if row.low is None else row.low + row.bits - 1
    place = "-" if high is None else f"[{high}:{row.low}]" if row.bits > 1 else f"[{row.low}]"
    return [row.name, row.way, f"{row.bits}", place, row.carries]


def share_text(device: DeviceRow, used: ResourceRow) -> str:
    """Say what share of a device a design takes, and how that is known."""
    parts = []
    for name, got, total in (("LUTs", used.luts, device.luts), ("FFs", used.ffs, device.ffs)):
        if got is not None and total:
            parts.append(f"{got:,} of {total:,} {name} ({100 * got / total:.2g} %)")
    return f"{device.name}: {', '.join(parts) or 'totals not known'}, {used.source}"
