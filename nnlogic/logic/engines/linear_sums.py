"""Recovery of integer tables whose sum, cut into equal steps, is a given function.

A linear neuron is ``quantize(t0 + t1 + ...)``, each table a function of a few input bits. What
two tables may be, given all others, are difference constraints: the narrowest are found exactly,
whatever the weights, the encoding of the inputs or the don't-cares are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from nnlogic.core.formats import IntArray
from nnlogic.logic.engines.linear_pair import (
    FAR,
    Bounds,
    Pair,
    free_bits,
    loose,
    narrowest,
    simplified,
)

ANY = -1
"""Level of a row that does not matter."""

Groups = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, eq=False)
class Levels:
    """Ordered output levels over groups of inputs.

    Attributes
    ----------
    groups : tuple of tuple of int
        Inputs; bit ``b`` of the index on axis ``g`` is input ``groups[g][b]``.
    cube : int64 array, one axis of 2**len(group) per group
        Level, or `ANY`.
    count : int
        Number of levels.
    """

    groups: Groups
    cube: IntArray
    count: int

    @staticmethod
    def of(levels: IntArray, count: int, groups: Groups) -> Levels:
        """Arrange a table of levels, int64, shape (2**n,)."""
        n = levels.size.bit_length() - 1
        axes = [n - 1 - b for group in groups for b in reversed(group)]
        cube = levels.reshape((2,) * n).transpose(axes)
        return Levels(groups, cube.reshape([1 << len(g) for g in groups]), count)

    def sums(self, shift: int) -> tuple[IntArray, IntArray]:
        """Return the least and greatest sum each entry may have.

        Level ``k`` means ``k << shift <= sum < (k + 1) << shift``; the first level has no lower
        bound, the last no upper one.
        """
        low = np.arange(self.count + 1) << shift
        high = low + (1 << shift) - 1
        low[0], high[-2] = -FAR, FAR
        # Index ANY finds the last entries.
        low[-1], high[-1] = -FAR, FAR
        return low[self.cube], high[self.cube]


@dataclass(frozen=True, eq=False)
class Sums:
    """Unsigned tables; level ``k`` is where their sum plus ``offset << shift`` starts with k.

    Attributes
    ----------
    levels : Levels
    shift : int
        Bits of the sum below the level.
    offset : int
    widths : tuple of int
    tables : tuple of int64 arrays
        One per group.
    """

    levels: Levels
    shift: int
    offset: int
    widths: tuple[int, ...]
    tables: tuple[IntArray, ...]

    @property
    def price(self) -> int:
        """Bits of the tables that need a LUT, and the adders of more than two tables."""
        count = 0
        for values, width in zip(self.tables, self.widths, strict=True):
            free = {pattern.tobytes() for pattern in free_bits(len(values))}
            count += sum(((values >> b) & 1).tobytes() not in free for b in range(width))
        for width in sorted(self.widths)[:-2]:
            count += width + width // 2
        return count

    def bounds(self, first: int, second: int) -> Bounds:
        """Return what two tables may add up to while the others stay."""
        low, high = self.levels.sums(self.shift)
        others = np.zeros((1,) * low.ndim, np.int64)
        for axis, values in enumerate(self.tables):
            if axis not in (first, second):
                shape = [1] * low.ndim
                shape[axis] = -1
                others = others + values.reshape(shape)
        rest = tuple(a for a in range(low.ndim) if a not in (first, second))
        # Bounds that are none stay so: entries are far smaller than FAR.
        return Bounds((low - others).max(axis=rest), (high - others).min(axis=rest), self.shift)

    def narrowed(self, heads: Sequence[int], then: Callable[[Pair], Pair] | None = None) -> Sums:
        """Solve for every two tables once more: narrower."""
        sums = self
        for first, second in combinations(range(len(self.tables)), 2):
            pair = narrowest(sums.bounds(first, second), heads)
            if pair is not None:
                sums = sums.replaced(first, second, then(pair) if then else pair)
        return sums

    def improved(self, heads: Sequence[int]) -> Sums:
        """Solve for every two tables once more: narrower, and with bits that cost nothing."""
        return self.narrowed(heads, simplified)

    def coarser(self, head: int) -> Sums:
        """Halve the step as often as all but two tables can be halved, and those solved again."""
        sums = self
        while (half := sums._halved(head)) is not None:
            sums = half
        return sums

    def _halved(self, head: int) -> Sums | None:
        if not self.shift:
            return None
        for first, second in combinations(range(len(self.tables)), 2):
            for carry in (0, 1):
                tables = tuple((t + carry) >> 1 for t in self.tables)
                widths = tuple(max(1, int(t.max()).bit_length()) for t in tables)
                half = replace(self, shift=self.shift - 1, tables=tables, widths=widths)
                pair = loose(half.bounds(first, second), head + len(tables) - 2).settled()
                if pair is not None:
                    return half.replaced(first, second, pair)
        return None

    def replaced(self, first: int, second: int, pair: Pair) -> Sums:
        """Return the sums with two tables exchanged."""
        tables, widths = list(self.tables), list(self.widths)
        (tables[first], tables[second]), (widths[first], widths[second]) = (
            pair.values,
            pair.widths,
        )
        return replace(self, offset=pair.offset, tables=tuple(tables), widths=tuple(widths))


def recovered(
    levels: Levels, shift: int, head: int, weights: IntArray | None = None
) -> Sums | None:
    """Find tables, not yet the narrowest; None when none were found.

    Parameters
    ----------
    levels : Levels
    shift : int
    head : int
        Bits of the tables above the shift.
    weights : float array, shape (n,), optional
        Weight of each input in levels; what all tables but the last two are rounded from.
        Without, the tables of two groups are found if there are any.
    """
    low, high = levels.sums(shift)
    tables: list[IntArray] = []
    if weights is not None:
        for group in levels.groups[:-2]:
            rows = np.arange(1 << len(group))
            real = sum(((rows >> b) & 1) * weights[i] for b, i in enumerate(group))
            table = np.rint(real * (1 << shift)).astype(np.int64)
            table -= table.min()
            tables.append(table)
            column = table.reshape((-1,) + (1,) * (low.ndim - 1))
            low, high = (low - column).max(axis=0), (high - column).min(axis=0)
    if low.ndim > 2 or (low > high).any():
        return None
    pair = loose(Bounds(low, high, shift), head + len(tables)).settled()
    if pair is None:
        return None
    widths = [max(1, int(t.max()).bit_length()) for t in tables]
    return Sums(levels, shift, pair.offset, (*widths, *pair.widths), (*tables, *pair.values))
