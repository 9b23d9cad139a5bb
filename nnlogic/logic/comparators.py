"""Comparisons, selections and parities from K-input LUTs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nnlogic.core.formats import IntFormat
from nnlogic.logic.cone import ConeBuilder
from nnlogic.tables.ir import Word


def at_least(builder: ConeBuilder, bits: Sequence[int], threshold: int, k: int) -> int:
    """Compare an unsigned number with a constant: true when ``bits >= threshold``."""
    if threshold <= 0:
        return builder.constant(True)
    if threshold >= 1 << len(bits):
        return builder.constant(False)
    carry: int | None = None
    at = 0
    while at < len(bits):
        take = bits[at : at + (k if carry is None else k - 1)]
        part = (threshold >> at) & ((1 << len(take)) - 1)
        n = len(take)
        inputs = [*take] if carry is None else [*take, carry]
        table = 0
        for i in range(1 << len(inputs)):
            value, tie = i & ((1 << n) - 1), carry is None or bool(i >> n)
            table |= int(value > part or (value == part and tie)) << i
        carry = builder.lut(inputs, table)
        at += n
    return carry if carry is not None else builder.constant(True)


def greater(builder: ConeBuilder, left: Sequence[int], right: Sequence[int], k: int) -> int:
    """Compare two unsigned numbers of equal width: true when ``left > right``."""
    carry: int | None = None
    at = 0
    while at < len(left):
        pairs = max(1, (k if carry is None else k - 1) // 2)
        a, b = left[at : at + pairs], right[at : at + pairs]
        at += pairs
        n = len(a)
        if 2 * n + (carry is not None) > k:
            carry = _greater_bit(builder, a[0], b[0], carry)
            continue
        inputs = [*a, *b] if carry is None else [*a, *b, carry]
        table = 0
        for i in range(1 << len(inputs)):
            x, y = i & ((1 << n) - 1), (i >> n) & ((1 << n) - 1)
            table |= int(x > y or (x == y and bool(i >> (2 * n)))) << i
        carry = builder.lut(inputs, table)
    return carry if carry is not None else builder.constant(False)


def _greater_bit(builder: ConeBuilder, a: int, b: int, carry: int | None) -> int:
    above = builder.lut([a, b], 0b0010)
    if carry is None:
        return above
    not_below = builder.lut([a, b], 0b1011)
    return builder.lut([above, builder.lut([not_below, carry], 0b1000)], 0b1110)


def select(builder: ConeBuilder, low: int, high: int, selector: int, k: int) -> int:
    """Return `high` where `selector` is one, else `low`."""
    if k >= 3:
        return builder.lut([low, high, selector], 0b11001010)
    a = builder.lut([low, selector], 0b0010)
    return builder.lut([a, builder.lut([high, selector], 0b1000)], 0b1110)


class Selection:
    """Picks a bit of the largest of some numbers, the first where several are equal.

    Parameters
    ----------
    builder : ConeBuilder
    beaten : mapping of (i, j) to signal
        For all ``i < j``: whether number ``j`` is greater than number ``i``.
    n, k : int
        Numbers, and inputs of a LUT.
    """

    def __init__(
        self, builder: ConeBuilder, beaten: Mapping[tuple[int, int], int], n: int, k: int
    ) -> None:
        self.builder, self.beaten, self.n, self.k = builder, beaten, n, k
        self._wins: list[int] | None = None

    def bit(self, bits: Sequence[int]) -> int:
        """Return the bit of the largest number, given one bit of each."""
        known = [self.builder.constant_of(s) for s in bits]
        free = [s for s, value in zip(bits, known, strict=True) if value is None]
        flags = list(self.beaten.values())
        if len(free) + len(flags) <= self.k:
            return self._one_lut(bits, known, free, flags)
        if self.n == 2:
            return select(self.builder, bits[0], bits[1], flags[0], self.k)
        parts = [
            (win,) if value else (win, s)
            for win, s, value in zip(self.wins(), bits, known, strict=True)
            if value is not False
        ]
        return any_both(self.builder, parts, self.k)

    def wins(self) -> list[int]:
        """Return for each number whether it is the one."""
        if self._wins is None:
            self._wins = []
            for i in range(self.n):
                flags = [(self.beaten[i, j], False) for j in range(i + 1, self.n)]
                flags += [(self.beaten[j, i], True) for j in range(i)]
                self._wins.append(all_of(self.builder, flags, self.k))
        return self._wins

    def _one_lut(
        self,
        bits: Sequence[int],
        known: Sequence[bool | None],
        free: Sequence[int],
        flags: Sequence[int],
    ) -> int:
        names = list(self.beaten)
        table = 0
        for row in range(1 << len(free) + len(flags)):
            values = [bool(row >> b & 1) for b in range(len(free) + len(flags))]
            at = dict(zip(names, values[len(free) :], strict=True))
            best = 0
            for j in range(1, self.n):
                best = j if at[best, j] else best
            given = dict(zip(free, values, strict=False))
            value = known[best] if known[best] is not None else given[bits[best]]
            table |= int(bool(value)) << row
        return self.builder.lut([*free, *flags], table)


def all_of(builder: ConeBuilder, flags: Sequence[tuple[int, bool]], k: int) -> int:
    """Return whether every signal has its given value."""
    waiting = list(flags)
    while len(waiting) > 1 or (waiting and not waiting[0][1]):
        taken, waiting = waiting[:k], waiting[k:]
        wanted = sum(int(value) << b for b, (_, value) in enumerate(taken))
        waiting.append((builder.lut([s for s, _ in taken], 1 << wanted), True))
    return waiting[0][0] if waiting else builder.constant(True)


def any_both(builder: ConeBuilder, parts: Sequence[tuple[int, ...]], k: int) -> int:
    """Return whether in any of some groups of one or two signals all are true."""
    waiting = sorted(parts, key=len, reverse=True)
    if k < 3:
        waiting = [(all_of(builder, [(s, True) for s in part], k),) for part in waiting]
    while len(waiting) > 1 or (waiting and len(waiting[0]) > 1):
        taken: list[tuple[int, ...]] = []
        for part in waiting:
            if sum(map(len, taken)) + len(part) <= k:
                taken.append(part)
        waiting = [part for part in waiting if part not in taken]
        signals = [s for part in taken for s in part]
        place = {part: [signals.index(s) for s in part] for part in taken}
        table = sum(
            any(all(row >> b & 1 for b in at) for at in place.values()) << row
            for row in range(1 << len(signals))
        )
        waiting.append((builder.lut(signals, table),))
    return waiting[0][0] if waiting else builder.constant(False)


def parity(builder: ConeBuilder, bits: Sequence[int], k: int) -> int:
    """Return the exclusive or of all bits."""
    waiting = list(bits)
    while len(waiting) > 1:
        taken, waiting = waiting[:k], waiting[k:]
        n = len(taken)
        waiting.append(builder.lut(taken, sum((i.bit_count() & 1) << i for i in range(1 << n))))
    return waiting[0] if waiting else builder.constant(False)


def aligned(builder: ConeBuilder, words: Sequence[Word]) -> list[list[int]]:
    """Extend words to one width such that comparing them unsigned compares their values."""
    lo = min(w.format.lo for w in words)
    hi = max(w.format.hi for w in words)
    width = IntFormat.holding(lo, hi).bits
    out = []
    for word in words:
        filler = word.signals[-1] if word.signed else builder.constant(False)
        bits = [*word.signals, *[filler] * (width - len(word.signals))]
        if lo < 0:
            bits[-1] = builder.lut([bits[-1]], 0b01)
        out.append(bits)
    return out
