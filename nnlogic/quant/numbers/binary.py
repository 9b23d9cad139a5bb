"""Minus one and one."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from nnlogic.quant.numbers import Numbers


@dataclass(frozen=True)
class Binary(Numbers):
    """One bit: 0 is -1, 1 is +1."""

    kind = "binary"
    meaning = "-1 and +1"

    @property
    def bits(self) -> int:
        """Bits of a code."""
        return 1

    def decode(self, code: int) -> Fraction:
        """Return the number of a code."""
        return Fraction(2 * code - 1)


NUMBERS = Binary
