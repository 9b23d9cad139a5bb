"""Numbers as integers on a grid, exactly or with the distance stated."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.formats import IntArray

Floats = NDArray[np.float64]
CLOSE = 1e-3
"""Of a step: how far from the grid a number may lie that was rounded to float32."""
MOST = 1 << 16
"""Steps of a grid that is not of powers of two."""


def exponent(values: Floats) -> int:
    """Return the least e for which all of ``values * 2**e`` are integers."""
    values = values[values != 0]
    if not len(values):
        return -1074
    mantissa, exp = np.frexp(values)
    whole = np.abs(np.ldexp(mantissa, 53).astype(np.int64))
    trailing = np.log2((whole & -whole).astype(np.float64)).astype(np.int64)
    return int((53 - trailing - exp).max())


def step(values: Floats) -> float:
    """Return the step of a grid through zero on which all values lie, about; 0 for none."""
    left = np.unique(np.abs(values[values != 0]))
    if not len(left):
        return 0.0
    top = float(left[-1])
    found = top
    # Euclid's algorithm, with remainders that count as zero.
    for value in left:
        a, b = found, float(value)
        while b > CLOSE * 8 * min(found, top / MOST * 8) and b > CLOSE * a / 16:
            a, b = b, abs(a - b * np.rint(a / b))
        found = a
        if found * MOST < top:
            return 0.0
    # Least squares: the largest numbers fix the step best.
    counts = np.rint(left / found)
    found = float((left * counts).sum() / (counts * counts).sum())
    near = np.abs(left - found * np.rint(left / found)) <= CLOSE * found
    return found if bool(near.all()) else 0.0


def counts(values: Floats, unit: float) -> IntArray:
    """Return the multiples of a step that are nearest."""
    return np.rint(values / unit).astype(np.int64)
