"""Compiled kernels: how many ANDs a function of up to six inputs needs.

A function is split at a linear form ``l`` of its inputs, ``f = l & (f0 ^ f1) ^ f0``, where ``f0``
and ``f1`` are ``f`` where the form is 0 and 1: functions of one dimension less. Affine functions
need no AND. Up to four inputs every split is tried to the end. The counts are upper bounds: an AND
that both halves use is counted twice (4 for some functions of four inputs, where 3 are enough),
though a graph makes it once.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from nnlogic.logic.kernel import compiled

MOST = 6
SMALL = 4
UNKNOWN = 255


@compiled()
def _parity(x):  # type: ignore[no-untyped-def]
    x ^= x >> 4
    x ^= x >> 2
    x ^= x >> 1
    return x & 1


@compiled()
def lowest(mask):  # type: ignore[no-untyped-def]
    """Return the number of the lowest bit that is set."""
    v = 0
    while not (mask >> v) & 1:
        v += 1
    return v


@compiled()
def half(table, n, mask, value):  # type: ignore[no-untyped-def]
    """Return `table` of `n` inputs where the XOR of the inputs in `mask` is `value`.

    As a table of the other inputs: the lowest input in the mask is expressed by the rest.
    """
    v = lowest(mask)
    out = np.uint64(0)
    for i in range(1 << (n - 1)):
        index = ((i >> v) << (v + 1)) | (i & ((1 << v) - 1))
        index |= (value ^ _parity(index & mask)) << v
        out |= ((table >> np.uint64(index)) & np.uint64(1)) << np.uint64(i)
    return out


@compiled()
def _affine(table, n):  # type: ignore[no-untyped-def]
    first = table & np.uint64(1)
    for i in range(1 << n):
        expected = first
        for v in range(n):
            if (i >> v) & 1:
                expected ^= first ^ ((table >> np.uint64(1 << v)) & np.uint64(1))
        if ((table >> np.uint64(i)) & np.uint64(1)) != expected:
            return False
    return True


@compiled()
def _constant(table, n):  # type: ignore[no-untyped-def]
    ones = np.uint64(0xFFFFFFFFFFFFFFFF) if n == 6 else np.uint64((1 << (1 << n)) - 1)
    return table == 0 or table == ones


@compiled()
def _price(low, high, n, small):  # type: ignore[no-untyped-def]
    """Return the ANDs of ``l & (low ^ high) ^ low``, over functions of `n` inputs."""
    apart = low ^ high
    total = min(_count(low, n, small), _count(high, n, small)) + _count(apart, n, small)
    return total + (0 if _constant(apart, n) else 1)


@compiled()
def _count(table, n, small):  # type: ignore[no-untyped-def]
    if n <= 4:
        for m in range(n, 4):
            table |= table << np.uint64(1 << m)
        return np.int64(small[table])
    best = np.int64(UNKNOWN)
    for mask in range(1, 1 << n):
        low, high = half(table, n, mask, 0), half(table, n, mask, 1)
        # Only for n = 5 here: its halves have four inputs and stand in the list.
        total = np.int64(small[low ^ high]) + min(np.int64(small[low]), np.int64(small[high]))
        total += 0 if _constant(low ^ high, n - 1) else 1
        best = min(best, total)
    return best


@compiled()
def split(table, n, small):  # type: ignore[no-untyped-def]
    """Return the ANDs for a table of `n` inputs, and the mask to split it at; 0 if affine."""
    if _affine(table, n):
        return 0, 0
    best, where = np.int64(UNKNOWN), 0
    for mask in range(1, 1 << n):
        total = _price(half(table, n, mask, 0), half(table, n, mask, 1), n - 1, small)
        if total < best:
            best, where = total, mask
    return best, where


@compiled()
def _fill(small):  # type: ignore[no-untyped-def]
    for table in range(1 << 16):
        if _affine(np.uint64(table), 4):
            small[table] = 0
    for support in range(2, 5):
        for table in range(1 << 16):
            if small[table] != UNKNOWN:
                continue
            f = np.uint64(table)
            used, best = 0, np.int64(UNKNOWN)
            for v in range(4):
                if half(f, 4, 1 << v, 0) != half(f, 4, 1 << v, 1):
                    used |= 1 << v
            count = 0
            for v in range(4):
                count += (used >> v) & 1
            if count != support:
                continue
            for mask in range(1, 16):
                if mask & ~used:
                    continue
                best = min(best, _price(half(f, 4, mask, 0), half(f, 4, mask, 1), 3, small))
            small[table] = best


@cache
def small_costs() -> NDArray[np.uint8]:
    """Return the ANDs of every table of four inputs, uint8, shape (65536,)."""
    out = np.full(1 << 16, UNKNOWN, np.uint8)
    _fill(out)
    return out
