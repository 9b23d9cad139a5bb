"""Integer arithmetic from K-input LUTs: packed products, counters, adders, comparators."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nnlogic.core.formats import IntFormat
from nnlogic.logic.cone import ConeBuilder
from nnlogic.tables.ir import Word


@dataclass(frozen=True)
class Term:
    """`weight` times the bit `signal`."""

    signal: int
    weight: int


def terms_of(words: Sequence[Word], weights: Sequence[int]) -> list[list[Term]]:
    """Split weighted words into weighted bits, one list per word; a sign bit weighs negative."""
    out = []
    for word, weight in zip(words, weights, strict=True):
        last = len(word.signals) - 1
        out.append(
            [
                Term(s, weight * (-(1 << b) if word.signed and b == last else 1 << b))
                for b, s in enumerate(word.signals)
            ]
        )
    return out


def grouped(terms: Sequence[Sequence[Term]], size: int) -> list[list[Term]]:
    """Pack the bits of words into groups of at most `size` bits, whole words where they fit."""
    pieces = [
        list(word[at : at + size]) for word in terms for at in range(0, len(word), size) if word
    ]
    groups: list[list[Term]] = []
    # Equal weights together give short partial sums; long pieces first pack tightly.
    for piece in sorted(pieces, key=lambda p: (-len(p), [abs(t.weight) for t in p])):
        home = next((g for g in groups if len(g) + len(piece) <= size), None)
        if home is None:
            groups.append(piece)
        else:
            home += piece
    return groups


def weighted_sum(
    builder: ConeBuilder, terms: Sequence[Sequence[Term]], constant: int, width: int, k: int
) -> list[int]:
    """Build ``sum + constant`` modulo ``2**width`` and return its bits, LSB first.

    Groups of at most `k` input bits become tables of their partial sums, never negative; the
    heap of their bits is then compressed by counters and added.
    """
    heap: list[list[int]] = [[] for _ in range(width)]
    for group in grouped(terms, k):
        constant += _add_partial(builder, heap, group)
    for b in range(width):
        if (constant >> b) & 1:
            heap[b].append(builder.constant(True))
    compress(builder, heap, k)
    return add_rows(builder, heap, k)


def _add_partial(builder: ConeBuilder, heap: list[list[int]], group: Sequence[Term]) -> int:
    n = len(group)
    values = [sum(t.weight for b, t in enumerate(group) if (i >> b) & 1) for i in range(1 << n)]
    low = min(values)
    for b in range(min((max(values) - low).bit_length(), len(heap))):
        table = sum((((v - low) >> b) & 1) << i for i, v in enumerate(values))
        if table:
            heap[b].append(builder.lut([t.signal for t in group], table))
    return low


def counter(builder: ConeBuilder, bits: Sequence[int]) -> list[int]:
    """Return the number of ones among `bits`, LSB first."""
    n = len(bits)
    return [
        builder.lut(bits, sum(((i.bit_count() >> b) & 1) << i for i in range(1 << n)))
        for b in range(n.bit_length())
    ]


def compress(builder: ConeBuilder, heap: list[list[int]], k: int) -> None:
    """Reduce every column to at most two bits with counters of up to `k` bits, in place."""
    while any(len(column) > 2 for column in heap):
        reduced: list[list[int]] = [[] for _ in heap]
        for position, column in enumerate(heap):
            waiting = list(column)
            while len(waiting) > 2:
                take = min(k if k >= 6 else 3, len(waiting))
                if take in (4, 5):
                    take = 3
                taken, waiting = waiting[:take], waiting[take:]
                for b, signal in enumerate(wide_counter(builder, taken, k)):
                    if position + b < len(heap):
                        reduced[position + b].append(signal)
            reduced[position] += waiting
        heap[:] = reduced


def wide_counter(builder: ConeBuilder, bits: Sequence[int], k: int) -> list[int]:
    """Like `counter`, for three bits also where a LUT has only two inputs."""
    if len(bits) <= k:
        return counter(builder, bits)
    a, b, c = bits
    half = builder.lut([a, b], 0b0110)
    carry = builder.lut([builder.lut([a, b], 0b1000), builder.lut([half, c], 0b1000)], 0b1110)
    return [builder.lut([half, c], 0b0110), carry]


def add_rows(builder: ConeBuilder, heap: Sequence[Sequence[int]], k: int) -> list[int]:
    """Add a heap of at most two bits per column, two columns per step where LUTs allow."""
    out: list[int] = []
    carry: int | None = None
    position = 0
    while position < len(heap):
        pair = heap[position : position + 2]
        inputs = [s for column in pair for s in column] + ([] if carry is None else [carry])
        columns = 2 if len(pair) == 2 and len(inputs) <= k else 1
        if columns == 1:
            inputs = [*heap[position], *([] if carry is None else [carry])]
        weights = [0] * len(heap[position])
        if columns == 2:
            weights += [1] * len(heap[position + 1])
        weights += [0] * (len(inputs) - len(weights))
        sums = _small_sum(builder, inputs, weights, k)
        sums += [builder.constant(False)] * (columns + 1 - len(sums))
        out += sums[:columns]
        carry = sums[columns] if len(sums) > columns else None
        position += columns
    return out


def _small_sum(
    builder: ConeBuilder, inputs: Sequence[int], shifts: Sequence[int], k: int
) -> list[int]:
    if not inputs:
        return []
    if len(inputs) > k:
        return wide_counter(builder, inputs, k)
    n = len(inputs)
    values = [sum(1 << shifts[b] for b in range(n) if (i >> b) & 1) for i in range(1 << n)]
    return [
        builder.lut(inputs, sum(((v >> b) & 1) << i for i, v in enumerate(values)))
        for b in range(max(values).bit_length())
    ]


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
