"""Minus one, zero and one."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from nnlogic.quant.numbers import Numbers


@dataclass(frozen=True)
class Ternary(Numbers):
    """Two bits in two's complement; -2 is no number."""

    kind = "ternary"
    meaning = "-1, 0 and +1"

    @property
    def bits(self) -> int:
        """Bits of a code."""
        return 2

    def decode(self, code: int) -> Fraction | None:
        """Return the number of a code."""
        return None if code == 2 else Fraction(code - (code >> 1 << 2))


NUMBERS = Ternary
