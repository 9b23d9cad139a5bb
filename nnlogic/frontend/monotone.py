"""Thresholds of monotone encoders: exact in float32, whatever arithmetic they use."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.formats import IntArray

Reached = Callable[[NDArray[np.float32]], NDArray[np.bool_]]


def first_where(reached: Reached, count: int) -> NDArray[np.float32]:
    """Return the smallest float32 values at which monotone conditions hold.

    Bisection over all float32 numbers in order, so a threshold decides exactly as the condition
    does, rounding included.

    Parameters
    ----------
    reached : function of a float32 array of shape (count,)
        Element by element: false below some number, true from there on.
    count : int

    Returns
    -------
    float32 array, shape (count,)
        Infinite where no finite float32 is large enough.
    """
    top = np.int64(0x7F800000)
    low, high = np.full(count, -top), np.full(count, top)
    while (low < high).any():
        middle = low + high >> 1
        with np.errstate(over="ignore"):
            above = reached(_ordered(middle))
        low, high = np.where(above, low, middle + 1), np.where(above, middle, high)
    return _ordered(low)


def _ordered(numbers: IntArray) -> NDArray[np.float32]:
    """Return float32 values by their rank; zero has rank 0."""
    raw = np.where(numbers < 0, np.int64(1 << 31) - numbers, numbers).astype(np.uint32)
    return raw.view(np.float32)
