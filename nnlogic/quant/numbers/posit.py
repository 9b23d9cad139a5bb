"""Posits (Gustafson and Yonemoto 2017): precision tapers off away from one."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from nnlogic.quant.numbers import Numbers

MOST_EXPONENT = 2


@dataclass(frozen=True)
class Posit(Numbers):
    """Sign, regime, `exponent` bits, fraction; negative numbers are two's complements.

    A regime is a run of equal bits ``r``, ended by another or by the end of the code: a factor of
    ``2**(2**exponent)`` to the power of the run's length less one, or of minus its length where
    ``r`` is 0. Exponent bits that do not fit count as zero. The code of a one and zeros is no
    number.
    """

    kind = "posit"
    meaning = "n bits of which es exponent: tapered precision, largest around one"
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
            out.append(f"{self.n} bits, a posit has 2 or more")
        if not 0 <= self.exponent <= MOST_EXPONENT:
            out.append(f"{self.exponent} exponent bits, 0 to {MOST_EXPONENT}")
        return out

    def decode(self, code: int) -> Fraction | None:
        """Return the number of a code."""
        top = 1 << (self.n - 1)
        if code == top:
            return None
        if code == 0:
            return Fraction(0)
        if code > top:
            return -self._positive(2 * top - code)
        return self._positive(code)

    def _positive(self, code: int) -> Fraction:
        left = self.n - 1  # bits not read yet, below the sign
        first = code >> (left - 1) & 1
        run = 0
        while left and code >> (left - 1) & 1 == first:
            run, left = run + 1, left - 1
        left = max(0, left - 1)  # the bit that ends the run
        scale = (run - 1 if first else -run) << self.exponent
        taken = min(left, self.exponent)
        left -= taken
        scale += (code >> left & ((1 << taken) - 1)) << (self.exponent - taken)
        fraction = 1 + Fraction(code & ((1 << left) - 1), 1 << left)
        return fraction * Fraction(2) ** scale


NUMBERS = Posit
