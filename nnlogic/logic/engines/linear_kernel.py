"""Compiled kernel: two integer tables whose difference stays within bounds for every pair."""

from __future__ import annotations

import numpy as np

from nnlogic.logic.kernel import compiled


@compiled()
def settle(high, low, constant, left, right, masks, patterns):  # type: ignore[no-untyped-def]
    """Find the greatest tables of which ``left[i] - right[j]`` is within bounds.

    ``low[j, i] <= left[i] - right[j] + constant <= high[i, j]``. Entries may also be bound to
    values that agree with a pattern under a mask. All conditions keep the element-wise maximum of
    two solutions a solution, so going down from the top reaches the greatest one, or shows that
    there is none (difference constraints by Bellman and Ford, on a lattice).

    Parameters
    ----------
    high : int32 array, shape (rows, columns)
    low : int32 array, shape (columns, rows)
    constant : int
    left, right : int32 arrays, shape (rows,) and (columns,)
        Greatest values allowed on entry, the solution on return; never negative.
    masks : int32 array, shape (2,)
        Bits that are bound, of `left` and of `right`.
    patterns : int32 array, shape (2, rows or columns, whichever is more)
        Values of the bound bits.

    Returns
    -------
    bool
        Whether there is a solution.
    """
    rows, columns = high.shape
    for i in range(rows):
        left[i] = below(left[i], masks[0], patterns[0, i])
        if left[i] < 0:
            return False
    for j in range(columns):
        right[j] = below(right[j], masks[1], patterns[1, j])
        if right[j] < 0:
            return False
    plus = np.int32(constant)
    moved = True
    while moved:
        moved = False
        for i in range(rows):
            # Compared, not `min`: only this, in 32 bits, becomes vector instructions.
            row = high[i]
            value = np.int32(left[i] + plus)
            for j in range(columns):
                most = np.int32(right[j] + row[j])
                value = most if most < value else value
            value -= plus
            if value < left[i]:
                value = below(value, masks[0], patterns[0, i])
                if value < 0:
                    return False
                left[i] = value
                moved = True
        for j in range(columns):
            row = low[j]
            value = np.int32(right[j] - plus)
            for i in range(rows):
                most = np.int32(left[i] - row[i])
                value = most if most < value else value
            value += plus
            if value < right[j]:
                value = below(value, masks[1], patterns[1, j])
                if value < 0:
                    return False
                right[j] = value
                moved = True
    return True


@compiled()
def below(value, mask, pattern):  # type: ignore[no-untyped-def]
    """Return the greatest number up to `value` whose bits under `mask` are `pattern`, or -1."""
    while value >= 0 and (value & mask) != pattern:
        value -= 1
    return value
