"""What flows between layers: codes of a few bits, and the values they stand for."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import torch
from torch import Tensor

from nnlogic.core.formats import IntFormat
from nnlogic.quant.fold import HALF, Levels


@dataclass(frozen=True, eq=False)
class Codes:
    """What a layer reads, or gives: unsigned codes and the values they stand for.

    Attributes
    ----------
    bits : tuple of int
        Per wire.
    values : float64 Tensor on the CPU, shape (wires, 2**max(bits))
        Value of each code; entries beyond a narrower wire's codes are not used.
    levels : Levels or None
        The same values as exact uniform levels common to all wires, where they are that.
    size : float Tensor, shape (wires,), or None
        `bits` with gradients, where they are learned.
    channels : int
        Of a window, whose wires are tap-major, channel-minor; 0 where the wires are none.
    """

    bits: tuple[int, ...]
    values: Tensor
    levels: Levels | None = None
    size: Tensor | None = None
    channels: int = 0

    @property
    def formats(self) -> tuple[IntFormat, ...]:
        """Integer format of each wire."""
        return tuple(IntFormat(b) for b in self.bits)

    @staticmethod
    def uniform(bits: tuple[int, ...], levels: Levels) -> Codes:
        """Return codes of uniform levels."""
        codes = range(1 << max(bits))
        row = torch.tensor([float(levels.value(k)) for k in codes], dtype=torch.float64)
        return Codes(bits, row.repeat(len(bits), 1), levels)


def input_codes(bits: tuple[int, ...]) -> Codes:
    """Return what the first layer reads: values around zero, below 2 in size; one bit is +-1."""
    count = 1 << max(bits)
    return Codes.uniform(bits, Levels(Fraction(4, count), HALF - Fraction(count, 2), count))
