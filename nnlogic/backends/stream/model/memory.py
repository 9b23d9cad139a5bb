"""What a line of a window's buffer is made of: registers, LUT memory or block memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

REGISTERS, LUT_MEMORY, BLOCK = "registers", "lut", "block"
KINDS = (REGISTERS, LUT_MEMORY, BLOCK)
BLOCK_BITS = 18 * 1024
"""Of a block memory, or of half a larger one: 512 words of 36 bits in all devices known here."""
BLOCK_WIDTH, BLOCK_DEPTH = 36, 512
WORTH = 64
"""LUTs that a block memory has to save."""


@dataclass(frozen=True)
class LutMemory:
    """LUT memory of a family: LUTs of one cell, its words and its bits.

    Attributes
    ----------
    luts, depth, width : int
    """

    luts: int
    depth: int
    width: int


# By cell, as `Target.memory_luts` names them: UG474, UG574, Lattice FPGA-TN-02202.
LUT_MEMORIES: Mapping[str, LutMemory] = {
    "RAM32M": LutMemory(4, 32, 6),
    "RAM64M": LutMemory(4, 64, 3),
    "RAM32M16": LutMemory(8, 32, 14),
    "RAM64M8": LutMemory(8, 64, 7),
    "TRELLIS_DPR16X4": LutMemory(4, 16, 4),
}

LEAST_DEPTH = min(memory.depth for memory in LUT_MEMORIES.values())
"""Words of the shortest of them."""


def lut_memory_luts(width: int, depth: int, cells: Mapping[str, int]) -> int | None:
    """Return the estimated LUTs of a memory in LUTs; None where the target has none.

    Parameters
    ----------
    width, depth : int
    cells : mapping of str to int
        Cells that occupy LUTs (`Target.memory_luts`).
    """
    costs = []
    for name in cells:
        cell = LUT_MEMORIES.get(name)
        if cell is not None:
            banks = -(-depth // cell.depth)
            # Each further bank is one more input of a multiplexer per bit.
            costs.append(-(-width // cell.width) * cell.luts * banks + width * ((banks + 1) // 3))
    return min(costs, default=None)


def blocks(width: int, depth: int) -> int:
    """Return the block memories of 18 Kb that a memory with two ports takes."""
    best = None
    for shrink in range(6):
        words, bits = BLOCK_DEPTH << shrink, max(1, BLOCK_WIDTH >> shrink)
        need = -(-depth // words) * -(-width // bits)
        best = need if best is None else min(best, need)
    return best or 0


def choose(width: int, depth: int, cells: Mapping[str, int], has_blocks: bool) -> str:
    """Return what a line buffer is best made of: LUTs count, and a block memory is worth `WORTH`.

    Parameters
    ----------
    width : int
        Bits of all lines side by side.
    depth : int
        Beats of a line.
    cells : mapping of str to int
        As for `lut_memory_luts`.
    has_blocks : bool
        Whether the target has block memories.
    """
    if depth < 3 or not width:
        return REGISTERS
    luts = lut_memory_luts(width, depth, cells)
    if luts is None:
        return BLOCK if has_blocks and width * depth > 4 * WORTH else REGISTERS
    return BLOCK if has_blocks and luts > WORTH * blocks(width, depth) else LUT_MEMORY
