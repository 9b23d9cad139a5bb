"""How many of many constants a wide word has reached, at less than a comparator for each.

All constants mostly lie in a window: words that differ in some low bits only. Inside it the
highest bits choose a cell, and with it the few constants of that cell; the rest of the word is
compared with those, whose bits are functions of the cell. What lies outside the window, and a
constant or two far from the others, are comparisons of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from nnlogic.logic.chosen import any_function, at_least_chosen
from nnlogic.logic.comparators import at_least, parity
from nnlogic.logic.cone import Cone, ConeBuilder
from nnlogic.logic.passes.propagate_constants import propagate_constants

MOST_IN_CELL = 3
"""Constants of a cell that are compared at once."""
WIDEST_CELLS = 6
"""Most bits that choose a cell."""
PEELED = ((0, 0), (0, 1), (1, 0), (1, 1), (0, 2), (2, 0))
"""Constants at either end that may stand outside the window."""
WIDEST_PREFIX = 11
"""Most bits of which cells are numbered."""
LEAST = 3
"""Constants from which on there is something to share."""


@dataclass(frozen=True)
class Window:
    """Where the constants lie.

    Attributes
    ----------
    cuts : tuple of int
        Increasing, from 1 on: the rank of a word is how many are not above it.
    low, high : int
        Constants at either end that are outside.
    width : int
        Low bits in which words of the window differ.
    """

    cuts: tuple[int, ...]
    low: int
    high: int
    width: int

    @property
    def inside(self) -> tuple[int, ...]:
        """Constants of the window."""
        return self.cuts[self.low : len(self.cuts) - self.high]

    @property
    def local(self) -> tuple[int, ...]:
        """Constants of the window, as its own words."""
        return tuple(cut & ((1 << self.width) - 1) for cut in self.inside)


def windows(cuts: Sequence[int]) -> Iterator[Window]:
    """Yield windows of constants: the one of all, and narrower ones of all but a few."""
    widths: dict[int, int] = {}
    for low, high in PEELED:
        inside = cuts[low : len(cuts) - high]
        if len(inside) < LEAST:
            return
        width = (inside[0] ^ inside[-1]).bit_length()
        if all(width < w for less, w in widths.items() if less < low + high):
            widths[low + high] = min(width, widths.get(low + high, width))
            yield Window(tuple(cuts), low, high, width)


def wrapped(
    builder: ConeBuilder, total: Sequence[int], window: Window, rank: Sequence[int], k: int
) -> list[int]:
    """Return the rank of a word, given what its low bits are worth inside the window.

    Parameters
    ----------
    builder : ConeBuilder
    total : sequence of int
        Bits of the word, LSB first.
    window : Window
    rank : sequence of int
        Bits of the rank, where the word is in the window.
    k : int
    """
    count = len(window.cuts)
    base, top = window.inside[0] >> window.width, total[window.width :]
    # Flags in the order of the words at which they rise, with the rank that holds from there on.
    rising = [
        *((at_least(builder, total, window.cuts[i], k), i + 1) for i in range(window.low)),
        (at_least(builder, top, base, k), None),
        (at_least(builder, top, base + 1, k), count - window.high),
        *(
            (at_least(builder, total, window.cuts[i], k), i + 1)
            for i in range(count - window.high, count)
        ),
    ]
    known = [(builder.constant_of(s), value) for s, value in rising]
    start = max((i for i, (flag, _) in enumerate(known) if flag is True), default=-1)
    value = known[start][1] if start >= 0 else 0
    free = [pair for pair, (flag, _) in zip(rising, known, strict=True) if flag is None]
    values = [value, *(v for _, v in free)]
    row = np.arange(2 << len(free))
    reached = np.zeros_like(row)
    for i in range(1, len(free) + 1):
        reached[row >> i & 1 > 0] = i
    inside = np.array([held is None for held in values])[reached]
    outside = np.array([held or 0 for held in values])[reached]
    flags = [s for s, _ in free]
    return [
        any_function(builder, [inner, *flags], np.where(inside, row & 1, outside >> b & 1) > 0, k)
        for b, inner in enumerate(rank)
    ]


def cell_ranks(
    builder: ConeBuilder,
    total: Sequence[int],
    window: Window,
    prefix: int,
    k: int,
    *,
    numbered: bool = False,
) -> list[int] | None:
    """Return the bits of the rank of a word, LSB first, by cells of its `prefix` highest bits.

    These bits choose a cell as they are, or (`numbered`) by their own rank among the cells that
    hold a constant, and what lies between them. None where a cell has more than `MOST_IN_CELL`
    constants, or more than `WIDEST_CELLS` bits choose.
    """
    rest = window.width - prefix
    highest, low = total[rest : window.width], total[:rest]
    inside: dict[int, list[int]] = {}
    edges = set()
    for cut in window.local:
        cell, inner = cut >> rest, cut & ((1 << rest) - 1)
        edges |= {cell, cell + 1} if inner else {cell}
        if inner:
            inside.setdefault(cell, []).append(inner)
    most = max(map(len, inside.values()), default=0)
    firsts = sorted({0, *edges} - {1 << prefix}) if numbered else list(range(1 << prefix))
    chooser: Sequence[int] = highest
    width = (len(firsts) - 1).bit_length()
    if most > MOST_IN_CELL or width > WIDEST_CELLS or (numbered and width >= prefix):
        return None
    if numbered:
        chooser = best_rank(builder, highest, firsts[1:], k)
    firsts += firsts[-1:] * ((1 << width) - len(firsts))  # numbers that no cell has
    cells = [inside.get(first, []) for first in firsts]
    reached = [at_least_chosen(builder, low, chooser, _filled(cells, j), k) for j in range(most)]
    starts = window.low + np.searchsorted(window.local, np.array(firsts) << rest, side="right")
    index = np.arange(1 << (width + most))
    numbers = index & ((1 << width) - 1)
    rank = starts[numbers]
    for j in range(most):
        rank += (index >> (width + j) & 1) * np.array([len(c) > j for c in cells])[numbers]
    bits = range(len(window.cuts).bit_length())
    inputs = [*chooser, *reached]
    found = [any_function(builder, inputs, (rank >> b & 1) > 0, k) for b in bits]
    return wrapped(builder, total, window, found, k)


def best_rank(
    builder: ConeBuilder, bits: Sequence[int], cuts: Sequence[int], k: int
) -> tuple[int, ...]:
    """Return the rank of a word of few bits, in the way that takes least LUTs times levels."""
    made = [cone for _, cone in rank_cones(len(bits), cuts, k, numbered=False)]
    return builder.add(min(made, key=lambda cone: (cone.luts * cone.depth, cone.luts)), bits)


def rank_cones(
    n: int, cuts: Sequence[int], k: int, *, numbered: bool = True
) -> Iterator[tuple[str, Cone]]:
    """Yield networks for the rank of a word of `n` bits among constants, each with its name."""
    for window in windows(cuts) if len(cuts) >= LEAST else [Window(tuple(cuts), 0, 0, n)]:
        narrow = f"{window.width} bits" + f" less {window.low + window.high}" * (
            window.low + window.high > 0
        )
        builder = ConeBuilder(n)
        yield (
            f"comparators of {narrow}",
            tidied(builder, compared(builder, range(n), window, k)),
        )
        for prefix in range(2, min(WIDEST_CELLS, window.width) + 1):
            builder = ConeBuilder(n)
            bits = cell_ranks(builder, range(n), window, prefix, k)
            if bits is not None:
                yield f"{1 << prefix} cells of {narrow}", tidied(builder, bits)
        for prefix in range(4, min(WIDEST_PREFIX, window.width) + 1) if numbered else ():
            builder = ConeBuilder(n)
            bits = cell_ranks(builder, range(n), window, prefix, k, numbered=True)
            if bits is not None:
                yield f"cells by {prefix} of {narrow}", tidied(builder, bits)


def tidied(builder: ConeBuilder, bits: Sequence[int]) -> Cone:
    """Return a network without its constants."""
    return propagate_constants(builder.cone(bits)).cone


def compared(builder: ConeBuilder, total: Sequence[int], window: Window, k: int) -> list[int]:
    """Return the bits of the rank of a word by a comparator for each constant of the window."""
    reached = [at_least(builder, total[: window.width], cut, k) for cut in window.local]
    rank = []
    for b in range(len(window.cuts).bit_length()):
        counts = range(window.low, len(window.cuts) - window.high)
        toggles = [s for i, s in zip(counts, reached, strict=True) if (i ^ (i + 1)) >> b & 1]
        start = [builder.constant(True)] if window.low >> b & 1 else []
        rank.append(parity(builder, [*toggles, *start], k))
    return wrapped(builder, total, window, rank, k)


def _filled(inside: Sequence[Sequence[int]], j: int) -> list[int]:
    """Return the j-th constant of each cell; that of a neighbour where a cell has none."""
    out: list[int | None] = [cell[j] if len(cell) > j else None for cell in inside]
    last = next(value for value in out if value is not None)
    filled = []
    for value in out:
        last = last if value is None else value
        filled.append(last)
    return filled
