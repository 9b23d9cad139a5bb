"""Compiled kernels over operation graphs and programs. Imported only when one is analysed or run.

Signals are numbered as in `OpGraph`. An operation is its truth table, bit ``x + 2 * z``.
"""

from __future__ import annotations

import numpy as np

from nnlogic.logic.kernel import ONE, ZERO, compiled

BLOCK = 16
"""Words of 64 samples evaluated together."""


@compiled()
def depths(n_in, x, z):  # type: ignore[no-untyped-def]
    """Operations on the longest path to each signal, int32, inputs 0."""
    out = np.zeros(n_in + len(x), np.int32)
    for i in range(len(x)):
        out[n_in + i] = 1 + max(out[x[i]], out[z[i]])
    return out


@compiled()
def tails(n_in, x, z):  # type: ignore[no-untyped-def]
    """Operations on the longest path that starts with each operation, itself included, int32."""
    out = np.ones(len(x), np.int32)
    for i in range(len(x) - 1, -1, -1):
        if x[i] >= n_in:
            out[x[i] - n_in] = max(out[x[i] - n_in], out[i] + 1)
        if z[i] >= n_in:
            out[z[i] - n_in] = max(out[z[i] - n_in], out[i] + 1)
    return out


@compiled()
def readers(n_signals, x, z):  # type: ignore[no-untyped-def]
    """Operations that read each signal, as offsets (signals + 1) into a list; once per operation.

    Returns int64 offsets and int32 operations.
    """
    start = np.zeros(n_signals + 1, np.int64)
    for i in range(len(x)):
        start[x[i] + 1] += 1
        if z[i] != x[i]:
            start[z[i] + 1] += 1
    for s in range(n_signals):
        start[s + 1] += start[s]
    at = start[:-1].copy()
    out = np.empty(start[n_signals], np.int32)
    for i in range(len(x)):
        out[at[x[i]]] = i
        at[x[i]] += 1
        if z[i] != x[i]:
            out[at[z[i]]] = i
            at[z[i]] += 1
    return start, out


@compiled()
def depth_first(n_in, x, z, level, outputs):  # type: ignore[no-untyped-def]
    """Rank of each operation when every output's cone is finished before the next, int32.

    The deeper operand is computed first, which keeps fewer values alive (Sethi and Ullman, "The
    generation of optimal code for arithmetic expressions", 1970). Operations that no output
    needs come last.
    """
    n = len(x)
    rank = np.full(n, -1, np.int32)
    stack = np.empty(2 * n + 2, np.int32)
    count = 0
    for o in outputs:
        top = 0
        if o >= n_in:
            stack[0] = o - n_in
            top = 1
        while top:
            i = stack[top - 1]
            if rank[i] >= 0:
                top -= 1
                continue
            first, second = x[i], z[i]
            if level[second] > level[first]:
                first, second = second, first
            if first >= n_in and rank[first - n_in] < 0:
                stack[top] = first - n_in
                top += 1
            elif second >= n_in and rank[second - n_in] < 0:
                stack[top] = second - n_in
                top += 1
            else:
                rank[i] = count
                count += 1
                top -= 1
    for i in range(n):
        if rank[i] < 0:
            rank[i] = count
            count += 1
    return rank


@compiled(forceinline=True)
def _apply(op, a, b):  # type: ignore[no-untyped-def]
    m0 = ZERO - (op & ONE)
    m1 = ZERO - ((op >> np.uint64(1)) & ONE)
    m2 = ZERO - ((op >> np.uint64(2)) & ONE)
    m3 = ZERO - ((op >> np.uint64(3)) & ONE)
    return (~a & ~b & m0) | (a & ~b & m1) | (~a & b & m2) | (a & b & m3)


@compiled()
def run_graph(n_in, op, x, z, values):  # type: ignore[no-untyped-def]
    """Evaluate all operations in place; `values` is uint64 (signals, words), inputs first."""
    words = values.shape[1]
    for i in range(len(op)):
        o = np.uint64(op[i])
        for w in range(words):
            values[n_in + i, w] = _apply(o, values[x[i], w], values[z[i], w])


@compiled()
def run_steps(table, x_bank, z_bank, x_row, z_row, write_row, emit, delay, memory, out):  # type: ignore[no-untyped-def]
    """Execute a program for one context.

    `table` is uint8 (steps, slices), truth tables; `memory` uint64 (banks, rows, words) with the
    inputs in place; `out` uint64 (slices, output rows, words). A result is written `delay` steps
    after its operation was issued, before the reads of that step.
    """
    steps, slices = table.shape
    words = memory.shape[2]
    pending = np.empty((delay, slices, words), np.uint64)
    emitted = np.zeros(slices, np.int64)
    for s in range(steps + delay):
        slot = s % delay
        if s >= delay:
            for i in range(slices):
                row = write_row[s - delay, i]
                if row >= 0:
                    memory[i, row] = pending[slot, i]
                if emit[s - delay, i]:
                    out[i, emitted[i]] = pending[slot, i]
                    emitted[i] += 1
        if s >= steps:
            continue
        for i in range(slices):
            if write_row[s, i] < 0 and not emit[s, i]:
                continue
            o = np.uint64(table[s, i])
            a = memory[x_bank[s, i], x_row[s, x_bank[s, i]]]
            b = memory[z_bank[s, i], z_row[s, z_bank[s, i]]]
            for w in range(words):
                pending[slot, i, w] = _apply(o, a[w], b[w])
