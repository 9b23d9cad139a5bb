"""Which input codes are wires of a number as hardware delivers it, and cost no logic."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class FixedPoint:
    """A saturating fixed-point number whose bits are an input code.

    Attributes
    ----------
    bits : int
    exponent : int
        The lowest bit stands for ``2**exponent``.
    signed : bool
        Two's complement; the code has its top bit inverted, so that codes rise with the number.
    """

    bits: int
    exponent: int
    signed: bool

    def __str__(self) -> str:
        """Return sign, integer bits and fraction bits: ``s3.4``, ``u0.6``."""
        return f"{'s' if self.signed else 'u'}{self.bits + self.exponent}.{-self.exponent}"


def fixed_point_of(thresholds: NDArray[np.float32], bits: int) -> FixedPoint | None:
    """Return the number a code is made of wires of, None where it takes logic to make the code.

    Parameters
    ----------
    thresholds : float32 array
        Nondecreasing; the code counts those not above the feature.
    bits : int
        Of the code.
    """
    t = np.asarray(thresholds, np.float64)
    if len(t) != (1 << bits) - 1:
        return None
    step = t[1] - t[0] if bits > 1 else abs(t[0]) or 1.0
    mantissa, exponent = np.frexp(step)
    if mantissa != 0.5:
        return None
    for half in (0, 1 << bits - 1):
        if np.array_equal(t, step * (np.arange(1, 1 << bits) - half)):
            return FixedPoint(bits, int(exponent) - 1, half > 0)
    return None
