"""Comparisons with constants that other signals choose; any function of a few signals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nnlogic.core.bits import Bools
from nnlogic.logic.cone import ConeBuilder

MOST_IN_CHAIN = 3
"""LUTs in a row that compare; a longer comparison is a tree."""


def at_least_chosen(
    builder: ConeBuilder, word: Sequence[int], chooser: Sequence[int], cuts: Sequence[int], k: int
) -> int:
    """Compare a word with the constant that other signals choose."""
    room = k - len(chooser)
    constants = np.array(cuts)
    if room < 2 or len(word) > MOST_IN_CHAIN * (room - 1):
        bits = [
            any_function(builder, chooser, (constants >> b & 1) > 0, k) for b in range(len(word))
        ]
        return at_least_word(builder, word, bits, k)
    carry: int | None = None
    at = 0
    while at < len(word):
        take = word[at : at + room - (carry is not None)]
        n = len(take)
        part = constants >> at & ((1 << n) - 1)
        inputs = [*take, *chooser, *([] if carry is None else [carry])]
        row = np.arange(1 << len(inputs))
        value, cell = row & ((1 << n) - 1), row >> n & ((1 << len(chooser)) - 1)
        tie = np.ones_like(row) if carry is None else row >> (n + len(chooser))
        carry = builder.lut(
            inputs, _mask((value > part[cell]) | ((value == part[cell]) & (tie > 0)))
        )
        at += n
    return builder.constant(True) if carry is None else carry


def at_least_word(builder: ConeBuilder, left: Sequence[int], right: Sequence[int], k: int) -> int:
    """Compare two unsigned numbers of equal width, in a tree: true when ``left >= right``."""
    if not left:
        return builder.constant(True)
    size, join = max(1, k // 2), max(2, (k + 1) // 2)
    # Of each part whether it is greater, and whether equal; of the lowest whether not less.
    parts: list[tuple[int, int]] = []
    for at in range(0, len(left), size):
        a, b = left[at : at + size], right[at : at + size]
        row = np.arange(1 << 2 * len(a))
        x, y = row & ((1 << len(a)) - 1), row >> len(a)
        inputs = [*a, *b]
        above = any_function(builder, inputs, (x > y) if at else (x >= y), k)
        parts.append((above, any_function(builder, inputs, x == y, k) if at else above))
    while len(parts) > 1:
        parts = [_joined(builder, parts[i : i + join], k) for i in range(0, len(parts), join)]
    return parts[0][0]


def _joined(builder: ConeBuilder, parts: Sequence[tuple[int, int]], k: int) -> tuple[int, int]:
    """Return whether the number of some parts, lowest first, is greater, and whether equal."""
    inputs = [parts[0][0], *(s for part in parts[1:] for s in part)]
    row = np.arange(1 << len(inputs))
    above = row & 1
    for i in range(1, len(parts)):
        above = row >> (2 * i - 1) & 1 | row >> (2 * i) & above
    same = np.arange(1 << len(parts)) == (1 << len(parts)) - 1
    equal = [part[1] for part in parts]
    return (
        any_function(builder, inputs, above > 0, k),
        any_function(builder, equal, same, k),
    )


def any_function(builder: ConeBuilder, inputs: Sequence[int], table: Bools, k: int) -> int:
    """Build any function; where it has more than `k` inputs, the last of them select."""
    n = len(inputs)
    if n <= k:
        return builder.lut(inputs, _mask(table))
    by = 2 if k >= 6 and n >= k + 2 else 1
    parts = [any_function(builder, inputs[: n - by], part, k) for part in np.split(table, 1 << by)]
    if k < 3:
        low = builder.lut([parts[0], inputs[-1]], 0b0010)
        return builder.lut([low, builder.lut([parts[1], inputs[-1]], 0b1000)], 0b1110)
    size = len(parts)
    row = np.arange(1 << (size + by))
    return builder.lut([*parts, *inputs[n - by :]], _mask((row >> (row >> size) & 1) > 0))


def _mask(table: Bools) -> int:
    """Return a table, bool, as the integer that nodes have."""
    return int.from_bytes(np.packbits(table, bitorder="little").tobytes(), "little")
