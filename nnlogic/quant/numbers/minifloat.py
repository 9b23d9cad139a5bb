"""Floating point of few bits."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from nnlogic.quant.numbers import Numbers


@dataclass(frozen=True)
class Minifloat(Numbers):
    """Sign, `exponent` bits with IEEE bias, `mantissa` bits; subnormals, no infinity, no NaN.

    As the OCP formats FP4 (2, 1) and FP6 (2, 3), (3, 2). Both zeros are zero.
    """

    kind = "minifloat"
    meaning = "sign, exponent and mantissa bits: constant relative precision"
    exponent: int
    mantissa: int

    @property
    def bits(self) -> int:
        """Bits of a code."""
        return 1 + self.exponent + self.mantissa

    def problems(self) -> list[str]:
        """Return what is wrong with the arguments."""
        out = super().problems()
        if not 1 <= self.exponent <= 4:
            out.append(f"{self.exponent} exponent bits, 1 to 4")
        if self.mantissa < 0:
            out.append(f"{self.mantissa} mantissa bits, 0 or more")
        return out

    def decode(self, code: int) -> Fraction:
        """Return the number of a code."""
        sign = -1 if code >> (self.bits - 1) else 1
        power = code >> self.mantissa & ((1 << self.exponent) - 1)
        part = Fraction(code & ((1 << self.mantissa) - 1), 1 << self.mantissa)
        bias = (1 << (self.exponent - 1)) - 1
        whole = 1 if power else 0  # subnormal below the first binade
        return sign * (whole + part) * Fraction(2) ** (max(power, 1) - bias)


NUMBERS = Minifloat
