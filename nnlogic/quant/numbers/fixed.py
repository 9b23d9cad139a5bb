"""Fixed point."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from nnlogic.quant.numbers import Numbers


@dataclass(frozen=True)
class Fixed(Numbers):
    """Two's complement of `n` bits, the last `point` of them behind the binary point."""

    kind = "fixed"
    meaning = "two's complement with a binary point: even steps"
    n: int
    point: int

    @property
    def bits(self) -> int:
        """Bits of a code."""
        return self.n

    def problems(self) -> list[str]:
        """Return what is wrong with the arguments."""
        out = super().problems()
        if self.n < 2:
            out.append(f"{self.n} bits, a signed number has 2 or more")
        if abs(self.point) > 2 * self.n:
            out.append(f"point {self.point}, within {2 * self.n} bits")
        return out

    def decode(self, code: int) -> Fraction:
        """Return the number of a code."""
        whole = code - (code >> (self.n - 1) << self.n)
        return whole * Fraction(2) ** -self.point


NUMBERS = Fixed
