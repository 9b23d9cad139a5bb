"""Two integer tables whose sum lies between given bounds for every pair of rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product

import numpy as np

from nnlogic.core.formats import IntArray

FAR = 1 << 26
"""More than any sum of table entries; a bound this far is none."""


@dataclass(frozen=True, eq=False)
class Bounds:
    """What ``u[i] + v[j]`` may be.

    Attributes
    ----------
    low, high : int64 arrays, shape (rows of u, rows of v)
    shift : int
        Constants added to the sum are multiples of ``1 << shift``.
    """

    low: IntArray
    high: IntArray
    shift: int

    @cached_property
    def narrow(self) -> tuple[np.ndarray, np.ndarray]:
        """Return `high`, and `low` transposed, as the kernel reads them: int32."""
        low = np.ascontiguousarray(self.low.astype(np.int32).T)
        return np.ascontiguousarray(self.high.astype(np.int32)), low


@dataclass(frozen=True, eq=False)
class Pair:
    """Two unsigned tables: ``u[i] + v[j] + (offset << shift)`` is within bounds.

    Attributes
    ----------
    bounds : Bounds
    offset : int
    widths : tuple of int
        Bits of `u` and of `v`.
    masks : int32 array, shape (2,)
        Bits of `u` and of the complement of `v` that are bound.
    patterns : int32 array, shape (2, rows)
        Their values.
    tables : tuple of int32 arrays
        `u` and the complement of `v`.
    """

    bounds: Bounds
    offset: int
    widths: tuple[int, int]
    masks: np.ndarray
    patterns: np.ndarray
    tables: tuple[np.ndarray, np.ndarray]

    @property
    def values(self) -> tuple[IntArray, IntArray]:
        """Return `u` and `v`."""
        u, v = (t.astype(np.int64) for t in self.tables)
        return u, (1 << self.widths[1]) - 1 - v

    def settled(self) -> Pair | None:
        """Return the greatest `u` and least `v`; None when there are none."""
        from nnlogic.logic.engines.linear_kernel import settle

        left_top, right_top = ((1 << w) - 1 for w in self.widths)
        constant = (self.offset << self.bounds.shift) + right_top
        high, low = self.bounds.narrow
        left, right = np.empty(len(high), np.int32), np.empty(len(low), np.int32)
        left[:], right[:] = left_top, right_top
        if not settle(high, low, constant, left, right, self.masks, self.patterns):
            return None
        return replace(self, tables=(left, right))

    def bound(self, side: int, bit: int, pattern: IntArray) -> Pair | None:
        """Return tables with one bit of one of them given, if there are any."""
        masks, patterns = self.masks.copy(), self.patterns.copy()
        masks[side] |= 1 << bit
        wanted = 1 - pattern if side else pattern
        patterns[side, : len(pattern)] |= (wanted << bit).astype(np.int32)
        return replace(self, masks=masks, patterns=patterns).settled()


def loose(bounds: Bounds, head: int) -> Pair:
    """Return tables yet to be found, with `head` bits and a sign above the shift."""
    width = bounds.shift + head + 1
    nothing = np.zeros(0, np.int32)
    patterns = np.zeros((2, max(bounds.low.shape)), np.int32)
    return Pair(
        bounds, -(1 << head), (width, width), np.zeros(2, np.int32), patterns, (nothing, nothing)
    )


def narrowest(bounds: Bounds, heads: Sequence[int]) -> Pair | None:
    """Find the narrowest tables, of some number of bits above the shift each."""
    plain = loose(bounds, max(heads))
    found = plain.settled()
    if found is None:
        return None
    for left, right in sorted(product(heads, heads), key=lambda h: (sum(h), max(h))):
        widths = bounds.shift + left, bounds.shift + right
        # With a lower offset, tables as great as they may be would not reach the highest level.
        missing = int(bounds.low.max()) - sum((1 << w) - 1 for w in widths)
        last = max(-(-missing // (1 << bounds.shift)), 1 - (1 << left) - (1 << right))
        for offset in range(0, last - 1, -1):
            tight = replace(plain, offset=offset, widths=widths).settled()
            if tight is not None:
                return tight
    return found


def simplified(pair: Pair) -> Pair:
    """Turn bits of the tables into constants or single inputs where some solution allows it."""
    bits = [(bit, side) for side in (0, 1) for bit in range(pair.widths[side])]
    for bit, side in sorted(bits):
        for pattern in free_bits(len(pair.tables[side])):
            found = pair.bound(side, bit, pattern)
            if found is not None:
                pair = found
                break
    return pair


def free_bits(rows: int) -> Iterator[IntArray]:
    """Table columns that cost no LUT: constants, inputs and their complements."""
    row = np.arange(rows, dtype=np.int64)
    yield np.zeros_like(row)
    yield np.ones_like(row)
    for b in range(rows.bit_length() - 1):
        yield (row >> b) & 1
        yield 1 - ((row >> b) & 1)
