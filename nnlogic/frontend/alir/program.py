"""Programs of sums, tables and choices on fixed-point numbers.

A value of a program is an integer times a power of two. Its interval says the least and largest
value, and its step; from these follow sign and width, which count where a value is cut.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from nnlogic.core.formats import IntArray

NEG, INPUT, ADD, SUB, RELU, CUT, ADD_CONST, CONST, MUX, MUL, LOOKUP, UNARY, BINARY, SUM = (
    -2, -1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
)  # fmt: skip
SHAPES = {
    NEG: (1, 0), INPUT: (0, 1), ADD: (2, 1), SUB: (2, 1), RELU: (1, 0), CUT: (1, 1),
    ADD_CONST: (1, 2), CONST: (0, 1), MUX: (3, 1), MUL: (2, 0), LOOKUP: (1, 1), UNARY: (1, 1),
    BINARY: (2, 2),
}  # fmt: skip
"""Values and numbers of an operation; of `SUM` there are any, and two numbers a value."""


@dataclass(frozen=True)
class Interval:
    """Values from ``lo`` to ``hi`` times ``2**-frac``."""

    lo: int
    hi: int
    frac: int

    @property
    def signed(self) -> bool:
        """Whether there are negative values."""
        return self.lo < 0

    @property
    def bits(self) -> int:
        """Width of the fixed-point number that holds it, as alkaid reckons it in float32."""
        if self.lo == self.hi == 0:
            return 0
        mantissa, exponent = math.frexp(float(np.float32(max(abs(self.lo), self.hi + 1))))
        return max(exponent - (mantissa == 0.5), 0) + self.signed


@dataclass(frozen=True)
class Op:
    """An operation, which makes the value of its number.

    Attributes
    ----------
    code : int
    args : tuple of int
        Values read, all of lower numbers.
    data : tuple of int
    out : Interval
    """

    code: int
    args: tuple[int, ...]
    data: tuple[int, ...]
    out: Interval


@dataclass(frozen=True, eq=False)
class Lookup:
    """Integers by the number of a value in its interval, times ``2**-frac``."""

    values: IntArray
    frac: int


@dataclass(frozen=True)
class Program:
    """A file, or a stage of one.

    Attributes
    ----------
    shifts : tuple of int
        Of every input: it is multiplied by this power of two.
    outputs : tuple of (value, shift, negative)
        Value -1 is zero.
    ops : tuple of Op
    tables : tuple of Lookup
    """

    shifts: tuple[int, ...]
    outputs: tuple[tuple[int, int, bool], ...]
    ops: tuple[Op, ...]
    tables: tuple[Lookup, ...]
