"""Trees of ANDs and ORs into K-LUTs by bin packing.

An AND or OR may be split in any way, so its operands are boxes to be packed into LUTs: a box is
the set of signals that the still open LUT of an operand reads. Boxes that share signals take less
room together. After Francis, Rose and Vranesic, "Chortle-crf: Fast technology mapping for lookup
table-based FPGAs" (DAC 1991), section 3.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from nnlogic.logic.cone import ConeBuilder
from nnlogic.logic.truth import full, projection

Part = "int | tuple[bool, tuple[Part, ...]]"
"""Part of an expression: a literal ``2 * signal + value``, or (is it an OR, operands)."""


class Box(NamedTuple):
    """What an open LUT reads.

    Attributes
    ----------
    inputs : int
        Mask of the network's inputs.
    luts : int
        LUTs; each is read by no other.
    level : int
        Levels of LUTs below, at most.
    parts : tuple
        Operands; empty when only sizes matter.
    """

    inputs: int
    luts: int
    level: int
    parts: tuple  # type: ignore[type-arg]

    @property
    def size(self) -> int:
        """Signals read."""
        return self.inputs.bit_count() + self.luts


def pack(boxes: Sequence[Box], k: int, close: Callable[[Box], Box]) -> Box:
    """Pack the operands of one AND or OR into LUTs; all but the last LUT are closed.

    Parameters
    ----------
    boxes : sequence of Box
        None larger than `k`.
    k : int
        Inputs of a LUT.
    close : callable
        Closes a LUT; returns the box that reads it.

    Returns
    -------
    Box
        The LUT left open, which may be merged into the one that reads it.
    """
    bins: list[Box] = []
    for box in sorted(boxes, key=lambda b: -b.size):
        best, best_key = -1, 0
        for i, held in enumerate(bins):
            luts = held.luts + box.luts
            union = (held.inputs | box.inputs).bit_count() + luts
            if union <= k:
                # Least growth first, then the fullest LUT.
                key = 7 * union - 8 * (held.inputs.bit_count() + held.luts)
                if best < 0 or key < best_key:
                    best, best_key = i, key
        if best < 0:
            bins.append(box)
        else:
            held = bins[best]
            bins[best] = Box(
                held.inputs | box.inputs,
                held.luts + box.luts,
                max(held.level, box.level),
                held.parts + box.parts,
            )
    while len(bins) > 1:
        # The fullest LUT is closed, among equals the one with the fewest levels below.
        bins.sort(key=lambda b: (b.size, -b.level))
        reader = close(bins.pop())
        for i in range(len(bins) - 1, -1, -1):
            held = bins[i]
            if held.size < k:
                level = max(held.level, reader.level)
                bins[i] = Box(held.inputs, held.luts + 1, level, held.parts + reader.parts)
                break
        else:
            bins.append(reader)
    return bins[0]


def signals_of(parts: tuple) -> set[int]:  # type: ignore[type-arg]
    """Return the signals an expression reads."""
    out: set[int] = set()
    for part in parts:
        out |= {part >> 1} if isinstance(part, int) else signals_of(part[1])
    return out


def build_lut(builder: ConeBuilder, is_or: bool, box: Box) -> int:
    """Add the LUT of an open box to a network and return its signal."""
    signals = sorted(signals_of(box.parts))
    n = len(signals)
    columns = {s: projection(n, i) for i, s in enumerate(signals)}
    return builder.lut(signals, _table((is_or, box.parts), columns, full(n)))


def _table(part, columns: dict[int, int], ones: int) -> int:  # type: ignore[no-untyped-def]
    if isinstance(part, int):
        column = columns[part >> 1]
        return column if part & 1 else column ^ ones
    is_or, operands = part
    # An OR is the complement of the AND of complements.
    out = ones
    for operand in operands:
        value = _table(operand, columns, ones)
        out &= value ^ ones if is_or else value
    return out ^ ones if is_or else out
