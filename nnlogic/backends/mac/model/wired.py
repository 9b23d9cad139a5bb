"""Sums without multipliers: shifted copies of the inputs, wired to the 48-bit adders of slices.

A weight is a sum of signed powers of two, as few as possible (the canonical signed digits of
Reitwiesner, "Binary arithmetic", 1960), so a weighted sum is a heap of bits in columns, some to add
and some to subtract. A word of 48 bits takes one bit of every column, and a slice two words of one
sign; so the highest column decides how many slices a group of neurons needs.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from nnlogic.backends.mac.model.demand import Demand
from nnlogic.backends.mac.model.ir import CASCADE, CONSTANT, FABRIC_HOP, P_BITS, AddSlice
from nnlogic.core.formats import IntFormat
from nnlogic.logic.adders import digits

Placed = list[tuple[Demand, int]]


@dataclass(frozen=True)
class Heap:
    """Input bits by column, those to add and those to subtract."""

    plus: tuple[tuple[int, ...], ...]
    minus: tuple[tuple[int, ...], ...]

    @property
    def words(self) -> tuple[int, int]:
        """Words to add, and words to subtract."""
        return max(map(len, self.plus)), max(map(len, self.minus))

    @property
    def slices(self) -> int:
        """Slices of a chain of one column: the first takes one word, the others two."""
        plus, minus = self.words
        first_plus = 1 + ceil((plus - 1) / 2) + ceil(minus / 2)
        first_minus = 1 + ceil(plus / 2) + ceil((minus - 1) / 2)
        return min(first_plus if plus else first_minus, first_minus if minus else first_plus)


def heap_of(placed: Placed, formats: tuple[IntFormat, ...]) -> Heap:
    """Return the bits of some sums, each shifted to its field.

    What lies above the field of a sum is kept: it cancels in the end, but not before.
    """
    columns: tuple[list[list[int]], list[list[int]]] = (
        [[] for _ in range(P_BITS)],
        [[] for _ in range(P_BITS)],
    )
    starts = [0]
    for fmt in formats:
        starts.append(starts[-1] + fmt.bits)
    for demand, shift in placed:
        for wire in demand.weights.nonzero()[0].tolist():
            fmt = formats[wire]
            for digit, sign in digits(int(demand.weights[wire])):
                for b in range(fmt.bits):
                    top = fmt.signed and b == fmt.bits - 1
                    place = shift + digit + b
                    if place < P_BITS:
                        columns[(sign < 0) != top][place].append(starts[wire] + b)
    plus, minus = (tuple(tuple(c) for c in half) for half in columns)
    return Heap(plus, minus)


def wired_groups(demands: list[Demand], formats: tuple[IntFormat, ...]) -> list[Placed]:
    """Return groups of neurons that fit 48 bits, of similar height so that few words stay empty."""
    alone = {d.neuron: heap_of([(d, 0)], formats).words for d in demands}
    groups: list[Placed] = []
    used: list[int] = []
    for d in sorted(demands, key=lambda d: (-sum(alone[d.neuron]), d.neuron)):
        for i, bits in enumerate(used):
            if bits + d.bits <= P_BITS:
                groups[i].append((d, bits))
                used[i] += d.bits
                break
        else:
            groups.append([(d, 0)])
            used.append(d.bits)
    return groups


def wired_slices(heap: Heap, column: int) -> tuple[AddSlice, ...]:
    """Return the slices of a chain, without delays; `column` is the most of one cascade."""
    plus, minus = heap.words
    # The first slice takes one word: of the sign that has an odd number of them.
    signs = [False] * plus + [True] * minus
    if (minus % 2 and not plus % 2) or not plus:
        signs = [True] * minus + [False] * plus
    words = [_word(heap.minus if negative else heap.plus, n) for n, negative in _numbered(signs)]
    slices: list[AddSlice] = []
    while words:
        k = len(slices)
        addend = CONSTANT if not k else CASCADE if k % column else FABRIC_HOP
        negative = signs[0]
        pair = addend == CASCADE and len(signs) > 1 and signs[1] == negative
        take = 1 + pair
        ab, *c = words[:take]
        slices.append(AddSlice(ab, c[0] if c else (), negative, 0, 1, addend))
        words, signs = words[take:], signs[take:]
    return tuple(slices)


def _numbered(signs: list[bool]) -> list[tuple[int, bool]]:
    seen = {False: 0, True: 0}
    out = []
    for negative in signs:
        out.append((seen[negative], negative))
        seen[negative] += 1
    return out


def _word(columns: tuple[tuple[int, ...], ...], n: int) -> tuple[int, ...]:
    """Return the n-th bit of every column."""
    bits = [column[n] if n < len(column) else -1 for column in columns]
    while bits and bits[-1] < 0:
        bits.pop()
    return tuple(bits)
