"""Compiled kernels that ask whether signals tell the on-set of a node from its off-set."""

from __future__ import annotations

import numpy as np

from nnlogic.logic.kernel import ONE, ONES, ZERO, internal
from nnlogic.logic.resub.state import common, copy, fill, meet

PAIRS = 32
"""Pairs of patterns that new signals must tell apart, before all patterns are looked at."""
MOST = 64
ROUNDS = 16


@internal
def differs(row, a, b):  # type: ignore[no-untyped-def]
    """Return 1 where a signal tells pattern `a` from pattern `b`, else 0."""
    x = row[a >> 6] >> np.uint64(a & 63)
    y = row[b >> 6] >> np.uint64(b & 63)
    return (x ^ y) & ONE


@internal
def separates(row, pairs, count):  # type: ignore[no-untyped-def]
    """Whether a signal tells all of the first `count` pairs apart."""
    for p in range(count):
        if not differs(row, pairs[p, 0], pairs[p, 1]):
            return False
    return True


@internal
def conflicts(net, base, count, start):  # type: ignore[no-untyped-def]
    """Collect pairs (on pattern, off pattern) that the base signals do not tell apart.

    Parameters
    ----------
    base : int32 array
        Signals; the first `count` are used.
    start : int
        Word at which the search for patterns begins.

    Returns
    -------
    int
        Number of rows set in ``net.pairs``, at most PAIRS; 0 proves that the base is enough.
    """
    words = net.on.shape[0]
    cells = np.empty((count + 1, words), np.uint64)
    fill(cells[0], ONES)
    masks = np.empty((PAIRS, words), np.uint64)
    found = 0
    path = 0
    depth = 0
    while found < PAIRS:
        a = common(cells[depth], net.on, start)
        b = common(cells[depth], net.off, start) if a >= 0 else -1
        if a >= 0 and b >= 0 and depth < count:
            row = net.values[base[depth]]
            for w in range(words):
                cells[depth + 1, w] = cells[depth, w] & ~row[w]
            path &= ~(1 << depth)
            depth += 1
            continue
        if a >= 0 and b >= 0:
            net.pairs[found, 0] = a
            net.pairs[found, 1] = b
            copy(cells[depth], masks[found])
            found += 1
        while depth > 0 and (path >> (depth - 1)) & 1:
            depth -= 1
        if depth == 0:
            break
        row = net.values[base[depth - 1]]
        for w in range(words):
            cells[depth, w] = cells[depth - 1, w] & row[w]
        path |= 1 << (depth - 1)
    total = found
    for r in range(1, ROUNDS):
        for c in range(found):
            if total < PAIRS:
                net.pairs[total, 0] = common(masks[c], net.on, (start + 7 * r + c) % words)
                net.pairs[total, 1] = common(masks[c], net.off, (start + 11 * r + 3 * c) % words)
                total += 1
    return total


@internal
def fit(net, signals, count, old):  # type: ignore[no-untyped-def]
    """Find the table of a LUT that is one on the on-set and zero on the off-set.

    Combinations of the signals without such a pattern take a value that `old` has there.

    Returns
    -------
    ok, table
        When not `ok`, ``net.pair`` holds two patterns that the signals do not tell apart.
    """
    words = net.on.shape[0]
    cells = np.empty((count + 1, words), np.uint64)
    fill(cells[0], ONES)
    table = ZERO
    path = 0
    depth = 0
    while True:
        one = meet(cells[depth], net.on)
        zero = meet(cells[depth], net.off)
        if one and zero and depth < count:
            row = net.values[signals[depth]]
            for w in range(words):
                cells[depth + 1, w] = cells[depth, w] & ~row[w]
            path &= ~(1 << depth)
            depth += 1
            continue
        if one and zero:
            net.pair[0] = common(cells[depth], net.on, 0)
            net.pair[1] = common(cells[depth], net.off, 0)
            return False, table
        if one or (not zero and meet(cells[depth], old)):
            low = path & ((1 << depth) - 1)
            for high in range(1 << (count - depth)):
                table |= ONE << np.uint64(low | (high << depth))
        while depth > 0 and (path >> (depth - 1)) & 1:
            depth -= 1
        if depth == 0:
            return True, table
        row = net.values[signals[depth - 1]]
        for w in range(words):
            cells[depth, w] = cells[depth - 1, w] & row[w]
        path |= 1 << (depth - 1)
