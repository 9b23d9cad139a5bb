"""Compiled kernel: how many columns of a table a bound set of inputs can tell apart."""

from __future__ import annotations

import numpy as np

from nnlogic.logic.kernel import compiled

PRIME = np.uint64(0x9E3779B97F4A7C15)
SHIFT = np.uint64(29)


@compiled()
def count_columns(values, bounds):  # type: ignore[no-untyped-def]
    """Count different columns for each bound set, for a function without don't-cares.

    Columns are compared by a 64-bit hash; whoever uses a bound set computes its classes exactly.

    Parameters
    ----------
    values : uint64 array, shape (words, 2**n)
        All outputs of each row, packed.
    bounds : int64 array, shape (sets, size)
        Positions of the bound inputs.

    Returns
    -------
    int64 array, shape (sets,)
    """
    sets, size = bounds.shape
    words, rows = values.shape
    out = np.empty(sets, np.int64)
    column = np.empty(rows, np.int64)
    hashes = np.empty(1 << size, np.uint64)
    for s in range(sets):
        hashes[:] = np.uint64(0)
        column[0] = 0
        width = 1
        bit = 0
        while width < rows:
            add = 0
            for b in range(size):
                if bounds[s, b] == bit:
                    add = 1 << b
            for i in range(width):
                column[width + i] = column[i] + add
            width *= 2
            bit += 1
        for w in range(words):
            for i in range(rows):
                # Rows of a column come in the order of its free inputs.
                mixed = (hashes[column[i]] ^ values[w, i]) * PRIME
                hashes[column[i]] = mixed ^ (mixed >> SHIFT)
        ordered = np.sort(hashes)
        count = 1
        for i in range(1, len(ordered)):
            count += ordered[i] != ordered[i - 1]
        out[s] = count
    return out


@compiled()
def color_columns(on, off, order, classes):  # type: ignore[no-untyped-def]
    """Group columns that never contradict each other, greedily in the given order.

    Parameters
    ----------
    on, off : uint64 arrays, shape (columns, words)
        Packed on-set and off-set of each column; overwritten with those of the groups.
    order : int64 array, shape (columns,)
    classes : int64 array, shape (columns,)
        Receives the group of each column.

    Returns
    -------
    int
        Number of groups.
    """
    columns, words = on.shape
    leaders = np.empty(columns, np.int64)
    count = 0
    for at in range(columns):
        c = order[at]
        home = -1
        for g in range(count):
            leader = leaders[g]
            clash = np.uint64(0)
            for w in range(words):
                clash |= (on[leader, w] & off[c, w]) | (off[leader, w] & on[c, w])
            if clash == 0:
                home = g
                break
        if home < 0:
            leaders[count] = c
            home = count
            count += 1
        else:
            leader = leaders[home]
            for w in range(words):
                on[leader, w] |= on[c, w]
                off[leader, w] |= off[c, w]
        classes[c] = home
    return count
