"""Signed powers of two: a product is a shift."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from nnlogic.quant.numbers import Numbers


@dataclass(frozen=True)
class Shift(Numbers):
    """Sign and ``n - 1`` bits of a negated exponent: 1, 1/2, 1/4, ... and no zero (DenseShift)."""

    kind = "shift"
    meaning = "signed powers of two without a zero: shifts and adds"
    n: int

    @property
    def bits(self) -> int:
        """Bits of a code."""
        return self.n

    def problems(self) -> list[str]:
        """Return what is wrong with the arguments."""
        # Five bits span 2**15, more would be beyond what exact sums hold.
        return [] if 2 <= self.n <= 5 else [f"{self.n} bits, 2 to 5"]

    def decode(self, code: int) -> Fraction:
        """Return the number of a code."""
        sign = -1 if code >> (self.n - 1) else 1
        return sign * Fraction(1, 1 << (code & ((1 << (self.n - 1)) - 1)))


NUMBERS = Shift
