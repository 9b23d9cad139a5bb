"""Compiled kernel: bit-parallel LUT evaluation. Imported only when something is evaluated.

A LUT is a tree of multiplexers (Shannon expansion); the lowest level reads table bits spread to
whole words. Signals live in slots that are reused once their last reader has run, so that a
block of words stays in the cache however large the network is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np

ONES = np.uint64(0xFFFFFFFFFFFFFFFF)
ZERO = np.uint64(0)
ONE = np.uint64(1)


def compiled(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Compile with numba, keeping the machine code on disk where that is possible."""

    def decorate(function: Callable[..., Any]) -> Any:
        try:
            return numba.njit(cache=True, nogil=True, **options)(function)
        except RuntimeError:
            # numba finds no directory it may write its cache to.
            return numba.njit(nogil=True, **options)(function)

    return decorate


internal = compiled(no_cpython_wrapper=True, no_cfunc_wrapper=True)
"""For what only kernels call: no way in from Python, which takes a third of the compilation."""


@compiled(forceinline=True)
def _lut1(m, o, x0):  # type: ignore[no-untyped-def]
    return m[o] ^ (x0 & (m[o] ^ m[o + 1]))


@compiled(forceinline=True)
def _lut2(m, o, x0, x1):  # type: ignore[no-untyped-def]
    a = _lut1(m, o, x0)
    return a ^ (x1 & (a ^ _lut1(m, o + 2, x0)))


@compiled(forceinline=True)
def _lut3(m, o, x0, x1, x2):  # type: ignore[no-untyped-def]
    a = _lut2(m, o, x0, x1)
    return a ^ (x2 & (a ^ _lut2(m, o + 4, x0, x1)))


@compiled(forceinline=True)
def _lut4(m, o, x0, x1, x2, x3):  # type: ignore[no-untyped-def]
    a = _lut3(m, o, x0, x1, x2)
    return a ^ (x3 & (a ^ _lut3(m, o + 8, x0, x1, x2)))


@compiled(forceinline=True)
def _lut5(m, o, x0, x1, x2, x3, x4):  # type: ignore[no-untyped-def]
    a = _lut4(m, o, x0, x1, x2, x3)
    return a ^ (x4 & (a ^ _lut4(m, o + 16, x0, x1, x2, x3)))


@compiled(forceinline=True)
def _lut6(m, o, x0, x1, x2, x3, x4, x5):  # type: ignore[no-untyped-def]
    a = _lut5(m, o, x0, x1, x2, x3, x4)
    return a ^ (x5 & (a ^ _lut5(m, o + 32, x0, x1, x2, x3, x4)))


@compiled()
def assign_slots(n_in, fanins, outputs):  # type: ignore[no-untyped-def]
    """Give every signal a slot; a slot is free again after the last node that reads it.

    Inputs and outputs keep their slots. Returns the slots and how many there are.
    """
    nodes, k = fanins.shape
    last = np.full(n_in + nodes, -1, np.int64)
    for i in range(nodes):
        for b in range(k):
            if fanins[i, b] >= 0:
                last[fanins[i, b]] = i
    for s in range(n_in):
        last[s] = nodes
    for s in outputs:
        last[s] = nodes
    slots = np.arange(n_in + nodes)
    free = np.empty(nodes + 1, np.int64)
    n_free = 0
    n_slots = n_in
    for i in range(nodes):
        # Slots of a node's own inputs are freed after it has one itself, so that loads and
        # stores of the vector loop never overlap.
        if n_free:
            n_free -= 1
            slots[n_in + i] = free[n_free]
        else:
            slots[n_in + i] = n_slots
            n_slots += 1
        for b in range(k):
            s = fanins[i, b]
            if s >= 0 and last[s] == i:
                free[n_free] = slots[s]
                n_free += 1
                last[s] = nodes
    return slots, n_slots


@compiled()
def run_nodes(n_in, fanins, tables, slots, values):  # type: ignore[no-untyped-def]
    """Evaluate all nodes in place; `values` is uint64 (slots, words), inputs in rows 0.. ."""
    nodes, k = fanins.shape
    words = values.shape[1]
    m = np.empty(64, np.uint64)
    for i in range(nodes):
        count = 0
        while count < k and fanins[i, count] >= 0:
            count += 1
        for t in range(1 << count):
            m[t] = ZERO - ((tables[i] >> np.uint64(t)) & ONE)
        out = values[slots[n_in + i]]
        if count == 0:
            for w in range(words):
                out[w] = m[0]
            continue
        x0 = values[slots[fanins[i, 0]]]
        if count == 1:
            for w in range(words):
                out[w] = _lut1(m, 0, x0[w])
            continue
        x1 = values[slots[fanins[i, 1]]]
        if count == 2:
            for w in range(words):
                out[w] = _lut2(m, 0, x0[w], x1[w])
            continue
        x2 = values[slots[fanins[i, 2]]]
        if count == 3:
            for w in range(words):
                out[w] = _lut3(m, 0, x0[w], x1[w], x2[w])
            continue
        x3 = values[slots[fanins[i, 3]]]
        if count == 4:
            for w in range(words):
                out[w] = _lut4(m, 0, x0[w], x1[w], x2[w], x3[w])
            continue
        x4 = values[slots[fanins[i, 4]]]
        if count == 5:
            for w in range(words):
                out[w] = _lut5(m, 0, x0[w], x1[w], x2[w], x3[w], x4[w])
            continue
        x5 = values[slots[fanins[i, 5]]]
        for w in range(words):
            out[w] = _lut6(m, 0, x0[w], x1[w], x2[w], x3[w], x4[w], x5[w])
