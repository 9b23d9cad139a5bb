"""Compiled linear scan."""

from __future__ import annotations

import numpy as np

from nnlogic.logic.kernel import compiled


@compiled()
def linear_scan(n_in, x, z, step, slice_of, slices, steps, overlap):  # type: ignore[no-untyped-def]
    """Return the row of each operation's result (-1: never read), and the most rows of a bank.

    A row is reusable by operations issued `overlap` steps before its last read, or later.
    """
    n = len(x)
    last = np.full(n, -1, np.int32)
    for i in range(n):
        for signal in (x[i], z[i]):
            if signal >= n_in:
                last[signal - n_in] = max(last[signal - n_in], step[i])
    first_at = np.full(steps, -1, np.int32)
    next_at = np.empty(n, np.int32)
    first_end = np.full(steps, -1, np.int32)
    next_end = np.empty(n, np.int32)
    for i in range(n - 1, -1, -1):
        next_at[i] = first_at[step[i]]
        first_at[step[i]] = i
        if last[i] >= 0:
            next_end[i] = first_end[last[i]]
            first_end[last[i]] = i
    row = np.full(n, -1, np.int32)
    free = np.full(slices, -1, np.int32)  # per bank, a list of operations whose rows are free
    next_free = np.empty(n, np.int32)
    used = np.zeros(slices, np.int32)
    ended = 0
    for s in range(steps):
        while ended < steps and ended <= s + overlap:
            i = first_end[ended]
            while i >= 0:
                bank = slice_of[i]
                next_free[i] = free[bank]
                free[bank] = i
                i = next_end[i]
            ended += 1
        i = first_at[s]
        while i >= 0:
            if last[i] >= 0:
                bank = slice_of[i]
                if free[bank] >= 0:
                    row[i] = row[free[bank]]
                    free[bank] = next_free[free[bank]]
                else:
                    row[i] = used[bank]
                    used[bank] += 1
            i = next_at[i]
    return row, used.max() if slices else 0
