"""Whole powers of even steps: fine near zero, coarse far from it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from nnlogic.quant.numbers import Numbers


@dataclass(frozen=True)
class Power(Numbers):
    """Sign and ``n - 1`` bits of ``k``, for ``k**exponent``.

    Power functions are what NUPES (Yvinec et al. 2023) maps weights through; here with a whole
    exponent, so that values are integers. Both zeros are zero.
    """

    kind = "power"
    meaning = "signed powers of whole numbers: finer near zero"
    n: int
    exponent: int

    @property
    def bits(self) -> int:
        """Bits of a code."""
        return self.n

    def problems(self) -> list[str]:
        """Return what is wrong with the arguments."""
        out = super().problems()
        if self.n < 2:
            out.append(f"{self.n} bits, a signed number has 2 or more")
        if not 1 <= self.exponent <= 3:
            out.append(f"exponent {self.exponent}, 1 to 3")
        return out

    def decode(self, code: int) -> Fraction:
        """Return the number of a code."""
        sign = -1 if code >> (self.n - 1) else 1
        return Fraction(sign * (code & ((1 << (self.n - 1)) - 1)) ** self.exponent)


NUMBERS = Power
