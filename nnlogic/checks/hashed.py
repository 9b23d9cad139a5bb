"""Networks that are equal gate by gate, told without SAT: every function gets one number.

A literal is twice the number of a function, plus 1 for its complement; function 0 is the constant
false. Two literals that are equal are the same function of the leaves; others may be.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

FALSE, TRUE = 0, 1


class Hashed:
    """Functions by number, of any networks over the same leaves."""

    def __init__(self) -> None:
        self._leaves: dict[int, int] = {}
        self._known: dict[tuple[int, tuple[int, ...]], int] = {}

    def leaf(self, name: int) -> int:
        """Return the literal of a leaf."""
        return self._leaves.setdefault(name, self._next())

    def node(self, table: int, fanin: Sequence[int]) -> int:
        """Return the literal of a LUT.

        Parameters
        ----------
        table : int
            Bit i is its value where input b has bit b of i.
        fanin : sequence of int
            Literals, at most six.
        """
        functions = sorted({literal >> 1 for literal in fanin} - {FALSE >> 1})
        place = {function: at for at, function in enumerate(functions)}
        reads = tuple((place.get(literal >> 1, -1), literal & 1) for literal in fanin)
        small, kept, flip = _normal(table, reads, len(functions))
        if not kept:
            return flip
        if len(kept) == 1:
            return functions[kept[0]] << 1 | flip
        key = (small, tuple(functions[at] for at in kept))
        return self._known.setdefault(key, self._next()) | flip

    def _next(self) -> int:
        return (1 + len(self._leaves) + len(self._known)) << 1


@lru_cache(maxsize=1 << 16)
def _normal(
    table: int, reads: tuple[tuple[int, int], ...], count: int
) -> tuple[int, tuple[int, ...], int]:
    """Return a table of different functions that all matter, 0 where all are; and its complement.

    ``reads`` has for each input the place of its function, -1 for the constant, and whether it is
    complemented.
    """
    bits = []
    for index in range(1 << count):
        at = 0
        for b, (place, flip) in enumerate(reads):
            at |= ((0 if place < 0 else index >> place & 1) ^ flip) << b
        bits.append(table >> at & 1)
    kept = tuple(
        place for place in range(count)
        if any(bits[i] != bits[i ^ 1 << place] for i in range(1 << count))
    )  # fmt: skip
    flip = bits[0]
    small = 0
    for index in range(1 << len(kept)):
        at = sum((index >> b & 1) << place for b, place in enumerate(kept))
        small |= (bits[at] ^ flip) << index
    # A function of one input is that input, or its complement.
    return small, kept, flip
