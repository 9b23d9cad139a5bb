"""Weighted sums of bits from K-input LUTs, built group by group with a certificate."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from nnlogic.logic.certificate import Group
from nnlogic.logic.compressor import plan, shape, surfaced
from nnlogic.logic.cone import ConeBuilder
from nnlogic.tables.blocks import bit_weights
from nnlogic.tables.ir import Sum, Threshold

BEAM = 8


@dataclass(frozen=True)
class Term:
    """`weight` times the bit `signal`."""

    signal: int
    weight: int


@dataclass(frozen=True)
class Style:
    """How a sum is built.

    Attributes
    ----------
    level_cost : float
        LUTs that a level is worth.
    tables : bool
        Whether bits whose weights are no powers of two go through tables of partial sums
        where that promises fewer LUTs; otherwise they are added digit by digit.
    """

    level_cost: float = 0.3
    tables: bool = True


def terms_of(block: Sum | Threshold) -> list[Term]:
    """Split weighted words into weighted bits; a sign bit weighs negative."""
    return [Term(s, w) for s, w in bit_weights(block).items() if w]


def digits(weight: int) -> list[tuple[int, int]]:
    """Return the fewest signed powers of two that add up to `weight`: (shift, sign)."""
    out = []
    shift = 0
    while weight:
        if weight & 1:
            sign = 2 - (weight & 3)
            out.append((shift, sign))
            weight -= sign
        weight >>= 1
        shift += 1
    return out


def weighted_sum(
    builder: ConeBuilder,
    terms: Iterable[Term],
    constant: int,
    width: int,
    k: int,
    style: Style = Style(),
) -> tuple[list[int], list[Group]]:
    """Build ``sum + constant`` modulo ``2**width``.

    Returns
    -------
    bits : list of int
        Signals, LSB first.
    groups : list of Group
        What the network consists of: they turn the terms into the bits.
    """
    heap = _Heap(builder, width, constant)
    plain: list[Term] = []
    tabled: list[Term] = []
    for term in terms:
        (tabled if style.tables and len(digits(term.weight)) > 1 else plain).append(term)
    for group in grouped(tabled, k):
        heap.add_table(group)
    for term in plain:
        heap.add_digits(term)
    heap.compress(k, style.level_cost)
    return heap.bits(), heap.groups


def grouped(terms: Sequence[Term], size: int) -> list[list[Term]]:
    """Pack terms into groups of at most `size`, equal weights together for short partial sums."""
    ordered = sorted(terms, key=lambda t: abs(t.weight))
    return [ordered[at : at + size] for at in range(0, len(ordered), size)]


class _Bit(NamedTuple):
    level: int
    order: int
    signal: int
    negative: bool


class _Heap:
    """Columns of bits, each bit or its complement, and a constant."""

    def __init__(self, builder: ConeBuilder, width: int, constant: int) -> None:
        self.builder = builder
        self.columns: list[list[_Bit]] = [[] for _ in range(width)]
        self.constant = constant
        self.groups: list[Group] = []
        self._count = 0

    def put(self, column: int, signal: int, level: int, negative: bool = False) -> None:
        """Add a bit; a negative one is its complement, minus one."""
        if column < len(self.columns):
            self.columns[column].append(_Bit(level, self._count, signal, negative))
            self._count += 1
            self.constant -= int(negative) << column

    def add_digits(self, term: Term) -> None:
        """Add a term as bits of its own."""
        for shift, sign in digits(term.weight):
            self.put(shift, term.signal, 0, sign < 0)

    def add_table(self, group: Sequence[Term]) -> None:
        """Add the table of a partial sum, which is never negative, unless digits are cheaper."""
        n, width = len(group), len(self.columns)
        values = [sum(t.weight for b, t in enumerate(group) if i >> b & 1) for i in range(1 << n)]
        low = min(values)
        size = min((max(values) - low).bit_length(), width)
        if 2 * size >= sum(len(digits(t.weight)) for t in group):
            for term in group:
                self.add_digits(term)
            return
        outputs = []
        for b in range(size):
            table = sum(((v - low) >> b & 1) << i for i, v in enumerate(values))
            if table:
                signal = self.builder.lut([t.signal for t in group], table)
                self.put(b, signal, 1)
                outputs.append((signal, 1 << b))
        self.constant += low
        self.groups.append(Group(tuple((t.signal, t.weight) for t in group), tuple(outputs), low))

    def compress(self, k: int, level_cost: float) -> None:
        """Reduce every column to one bit, or none, and what is left of the constant."""
        width = len(self.columns)
        if k < 3:
            self._make_positive()
        self.constant %= 1 << width
        levels = [[bit.level for bit in column] for column in self.columns]
        for step in plan(levels, self.constant, k, level_cost=level_cost, beam=BEAM):
            taken: list[list[_Bit]] = []
            for i, n in enumerate(step.taken[: width - step.column]):
                column = sorted(self.columns[step.column + i])
                taken.append(column[:n])
                self.columns[step.column + i] = column[n:]
            ones = sum(o << i for i, o in enumerate(step.ones))
            self.constant -= ones << step.column
            made = shape(step.taken, step.ones, width - step.column, k)
            levels_out = surfaced([bits[-1].level for bits in taken if bits], made)
            self._count_bits(step.column, taken, ones, levels_out, k)

    def _make_positive(self) -> None:
        """Make complements and the constant bits of their own, for LUTs of two inputs."""
        for column in range(len(self.columns)):
            for at, bit in enumerate(self.columns[column]):
                if bit.negative:
                    signal = self._inverted(column, bit)
                    self.columns[column][at] = _Bit(bit.level, bit.order, signal, False)
        self.constant %= 1 << len(self.columns)
        for column in range(len(self.columns)):
            if self.constant >> column & 1:
                self.put(column, self._one(column, 1), 0)
        self.constant = 0

    def _inverted(self, column: int, bit: _Bit) -> int:
        signal = self.builder.lut([bit.signal], 0b01)
        weight = 1 << column
        self.groups.append(Group(((bit.signal, -weight),), ((signal, weight),), -weight))
        return signal

    def _one(self, column: int, value: int) -> int:
        signal = self.builder.constant(bool(value))
        self.groups.append(Group((), ((signal, 1 << column),), -(value << column)))
        return signal

    def _count_bits(
        self, column: int, taken: Sequence[Sequence[_Bit]], ones: int, levels: Sequence[int], k: int
    ) -> None:
        bits = [(bit, i) for i, part in enumerate(taken) for bit in part]
        signals = [bit.signal for bit, _ in bits]
        if len(signals) > k:
            made = full_adder(self.builder, signals)
        else:
            values = [
                ones + sum(((i >> b & 1) ^ bit.negative) << at for b, (bit, at) in enumerate(bits))
                for i in range(1 << len(bits))
            ]
            made = [
                self.builder.lut(signals, sum((v >> b & 1) << i for i, v in enumerate(values)))
                for b in range(len(levels))
            ]
        outputs = []
        for b, (signal, level) in enumerate(zip(made, levels, strict=False)):
            self.put(column + b, signal, level)
            outputs.append((signal, 1 << column + b))
        shifted = sum(1 << at for bit, at in bits if bit.negative) + ones
        inputs = tuple((bit.signal, (-1 if bit.negative else 1) << column + at) for bit, at in bits)
        self.groups.append(Group(inputs, tuple(outputs), -(shifted << column)))

    def bits(self) -> list[int]:
        """Return the bits of the sum, once every column has one."""
        out = []
        for column, left in enumerate(self.columns):
            if not left:
                out.append(self._one(column, self.constant >> column & 1))
            elif left[0].negative:
                out.append(self._inverted(column, left[0]))
            else:
                out.append(left[0].signal)
        return out


def full_adder(builder: ConeBuilder, bits: Sequence[int]) -> list[int]:
    """Add three bits with LUTs of two inputs."""
    a, b, c = bits
    half = builder.lut([a, b], 0b0110)
    carry = builder.lut([builder.lut([a, b], 0b1000), builder.lut([half, c], 0b1000)], 0b1110)
    return [builder.lut([half, c], 0b0110), carry]
