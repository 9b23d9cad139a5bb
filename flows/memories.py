"""Synthesis that may use memories and delay lines, which are counted apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from nnlogic.flows.reports import Cells
from nnlogic.flows.targets import Target

# Options that keep memories and delay lines out of the figures of a LUT core.
WITHOUT = ("-nobram", "-nolutram", "-nosrl")


@dataclass(frozen=True)
class Resources:
    """Resources of a netlist whose memories and delay lines may be LUTs.

    Attributes
    ----------
    dsps, brams, ffs, carry, wide_muxes : int
    luts : int
        Logic and `memory_luts` together.
    memory_luts : int
        Of `luts`, those used as memory or delay line.
    cells : mapping of str to int
        Count of each LUT and memory-LUT cell type.
    """

    dsps: int
    brams: int
    ffs: int
    carry: int
    wide_muxes: int
    luts: int
    memory_luts: int
    cells: Mapping[str, int]


def memory_target(target: Target) -> Target:
    """Return a target whose synthesis may use memories and delay lines."""
    memory = target.memory_luts
    cells = {**target.cells, "luts": (*target.cells["luts"], *memory)}
    cells["brams"] = tuple(p for p in cells["brams"] if p not in memory)
    options = tuple(option for option in target.yosys if option not in WITHOUT)
    return replace(target, yosys=options, cells=cells)


def stream_target(target: Target) -> Target:
    """Return a target whose synthesis may use memories, but makes no LUTs of registers."""
    kept = tuple(option for option in target.yosys if option == "-nosrl")
    found = memory_target(target)
    return replace(found, yosys=(*found.yosys, *kept))


def resources_of(total: Cells, target: Target) -> Resources:
    """Count the resources of a netlist made for `memory_target`."""
    occupied = target.memory_luts
    memory = sum(occupied.get(cell, 0) * count for cell, count in total.luts.items())
    logic = sum(count for cell, count in total.luts.items() if cell not in occupied)
    return Resources(
        dsps=total.dsps,
        brams=total.brams,
        ffs=total.ffs,
        carry=total.carry,
        wide_muxes=sum(total.wide_muxes.values()),
        luts=logic + memory,
        memory_luts=memory,
        cells=total.luts,
    )
