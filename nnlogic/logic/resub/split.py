"""Compiled kernels: a function as two LUTs, the inner of which only the outer reads."""

from __future__ import annotations

import numpy as np

from nnlogic.logic.kernel import ONE, ZERO, compiled, internal

MOST_SIGNALS = 11
ON = np.uint8(1)
OFF = np.uint8(2)
HALF = 6


@internal
def tabulate(net, signals, count):  # type: ignore[no-untyped-def]
    """Mark in ``net.cells`` which combinations of signals hold patterns of the on- or off-set.

    Returns
    -------
    bool
        No combination holds both: the signals are enough.
    """
    cells = net.cells
    for c in range(1 << count):
        cells[c] = 0
    index = np.empty(64, np.int32)
    for w in range(net.on.shape[0]):
        one, zero = net.on[w], net.off[w]
        if not one | zero:
            continue
        for b in range(64):
            index[b] = 0
        for j in range(count):
            word = net.values[signals[j], w]
            for b in range(64):
                index[b] |= np.int32((word >> np.uint64(b)) & ONE) << j
        for b in range(64):
            if (one >> np.uint64(b)) & ONE:
                cells[index[b]] |= ON
            elif (zero >> np.uint64(b)) & ONE:
                cells[index[b]] |= OFF
    for c in range(1 << count):
        if cells[c] == ON | OFF:
            return False
    return True


@internal
def _gather(places, count, first, bits, out):  # type: ignore[no-untyped-def]
    """For each value of `bits` signals from `first` on, collect the bits that `places` name."""
    for value in range(1 << bits):
        gathered = 0
        for j in range(count):
            b = places[j] - first
            if 0 <= b < bits:
                gathered |= ((value >> b) & 1) << j
        out[value] = gathered


@compiled()
def two_tables(cells, count, inner, n_inner, outer, n_outer, tables):  # type: ignore[no-untyped-def]
    """Decompose a function into an inner LUT and an outer LUT that reads it as its last input.

    The combinations of the inner inputs are coloured with two colours so that none that the
    outer inputs need apart share one (Ashenhurst 1957, with don't-cares).

    Parameters
    ----------
    cells : uint8 array, shape (2**count,)
        ON, OFF or 0 per combination of the signals.
    inner, outer : int32 arrays
        Places among the signals, at most 6 and 5; together all of them.
    tables : uint64 array, shape (2,)
        Set to the tables of the inner and outer LUT.

    Returns
    -------
    bool
        Whether there is such a colouring.
    """
    rows = 1 << n_outer
    on = np.zeros(rows, np.uint64)
    off = np.zeros(rows, np.uint64)
    # A combination's place is looked up for its low and high signals apart.
    low = min(count, HALF)
    lookup = np.empty((4, 1 << HALF), np.int64)
    _gather(inner, n_inner, 0, low, lookup[0])
    _gather(outer, n_outer, 0, low, lookup[1])
    _gather(inner, n_inner, low, count - low, lookup[2])
    _gather(outer, n_outer, low, count - low, lookup[3])
    mask = (1 << low) - 1
    for c in range(1 << count):
        if cells[c]:
            column = lookup[0, c & mask] | lookup[2, c >> low]
            r = lookup[1, c & mask] | lookup[3, c >> low]
            if cells[c] == ON:
                on[r] |= ONE << np.uint64(column)
            else:
                off[r] |= ONE << np.uint64(column)
    one, zero = ZERO, ZERO
    for seed in range(rows):
        if not on[seed] or not off[seed] or (on[seed] | off[seed]) & (one | zero):
            continue
        one |= on[seed]
        zero |= off[seed]
        grown = True
        while grown:
            grown = False
            for r in range(rows):
                a, b = on[r], off[r]
                if not a or not b:
                    continue
                before = one | zero
                if (a & one) | (b & zero):
                    one |= a
                    zero |= b
                if (a & zero) | (b & one):
                    one |= b
                    zero |= a
                if one & zero:
                    return False
                grown = grown or (one | zero) != before
    tables[0] = one
    tables[1] = ZERO
    for r in range(rows):
        a, b = on[r], off[r]
        if (a and not b) or (a & zero):
            tables[1] |= ONE << np.uint64(r)
        if (a and not b) or (a & one):
            tables[1] |= ONE << np.uint64(r | rows)
    return True
