"""Synthesis that may use memories and delay lines, which are counted apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from nnlogic.flows.reports import Cells
from nnlogic.flows.targets import Target

# Options that keep memories and delay lines out of the figures of a LUT core.
WITHOUT = ("-nobram", "-nolutram", "-nosrl")

# LUTs that cells other than LUTs occupy. Xilinx: distributed RAMs and shift registers, UG474 and
# UG574. Lattice: a 16x4 RAM takes the four LUTs of two slices.
MEMORY_LUTS: Mapping[str, int] = {
    "SRL16E": 1,
    "SRLC32E": 1,
    "RAM32X1D": 2,
    "RAM64X1D": 2,
    "RAM128X1D": 4,
    "RAM256X1D": 8,
    "RAM32M": 4,
    "RAM64M": 4,
    "RAM32M16": 8,
    "RAM64M8": 8,
    "TRELLIS_DPR16X4": 4,
}


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
    cells = {**target.cells, "luts": (*target.cells["luts"], *MEMORY_LUTS)}
    cells["brams"] = tuple(p for p in cells["brams"] if p not in MEMORY_LUTS)
    options = tuple(option for option in target.yosys if option not in WITHOUT)
    return replace(target, yosys=options, cells=cells)


def resources_of(total: Cells) -> Resources:
    """Count the resources of a netlist made for `memory_target`."""
    memory = sum(MEMORY_LUTS.get(cell, 0) * count for cell, count in total.luts.items())
    logic = sum(count for cell, count in total.luts.items() if cell not in MEMORY_LUTS)
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
