"""Compiled walk over a Program that finds reads and writes the engine would get wrong."""

from __future__ import annotations

import numpy as np

from nnlogic.logic.kernel import compiled

MESSAGES = (
    "slice {0} selects port X of bank {1}, which does not read",
    "slice {0} selects port Z of bank {1}, which does not read",
    "port X of bank {0} reads row {1} for nobody",
    "port Z of bank {0} reads row {1} for nobody",
    "bank {0} reads row {1}, which nothing has written yet",
    "bank {0} reads row {1}, whose value of step {2} is not ready",
    "bank {0} reads row {1} in the cycle in which the result of step {2} is written",
    "slice {0} overwrites row {1}, whose value nobody has read (since step {2})",
    "row {1} of bank {0} is written, but never read",
)
(NO_X, NO_Z, IDLE_X, IDLE_Z, EMPTY, EARLY, COLLISION, UNREAD, DEAD) = range(9)


@compiled(forceinline=True)
def _note(out, n, message, step, where, row, other):  # type: ignore[no-untyped-def]
    if n < len(out):
        out[n, 0] = message
        out[n, 1] = step
        out[n, 2] = where
        out[n, 3] = row
        out[n, 4] = other
    return n + 1


@compiled()
def check_steps(  # type: ignore[no-untyped-def]
    slices, x_bank, z_bank, x_row, z_row, write_row, emit, contexts, latency, held, most
):
    """List problems as int64 rows (message, step, bank or slice, row or bank, other step).

    `held` is bool (banks, rows): rows that hold an input before the first step.
    """
    steps = len(write_row)
    banks, rows = held.shape
    out = np.zeros((most, 5), np.int64)
    n = 0
    delay = -(-latency // contexts)
    clash = (latency - 1) // contexts if (latency - 1) % contexts == 0 else -1
    since = np.full((banks, rows), -1, np.int64)
    fresh = held.copy()
    defined = held.copy()
    wanted = np.zeros((2, banks), np.bool_)
    for s in range(steps + delay):
        if s >= delay:
            for i in range(slices):
                row = write_row[s - delay, i]
                if row >= 0:
                    if fresh[i, row]:
                        n = _note(out, n, UNREAD, s - delay, i, row, since[i, row])
                    defined[i, row] = True
                    fresh[i, row] = True
                    since[i, row] = s - delay
        if s >= steps:
            continue
        wanted[:] = False
        for i in range(slices):
            if write_row[s, i] < 0 and not emit[s, i]:
                continue
            wanted[0, x_bank[s, i]] = True
            wanted[1, z_bank[s, i]] = True
            if x_row[s, x_bank[s, i]] < 0:
                n = _note(out, n, NO_X, s, i, x_bank[s, i], 0)
            if z_row[s, z_bank[s, i]] < 0:
                n = _note(out, n, NO_Z, s, i, z_bank[s, i], 0)
        for port in range(2):
            row_of = x_row if port == 0 else z_row
            for b in range(banks):
                row = row_of[s, b]
                if row < 0:
                    continue
                if not wanted[port, b]:
                    n = _note(out, n, IDLE_X + port, s, b, row, 0)
                fresh[b, row] = False
                if not defined[b, row]:
                    message, other = EMPTY, 0
                    if b < slices:
                        for e in range(max(0, s - delay + 1), s):
                            if write_row[e, b] == row:
                                message, other = EARLY, e
                    n = _note(out, n, message, s, b, row, other)
                elif b < slices and clash >= 0 and s >= clash and write_row[s - clash, b] == row:
                    n = _note(out, n, COLLISION, s, b, row, s - clash)
    for b in range(banks):
        for row in range(rows):
            if fresh[b, row]:
                n = _note(out, n, DEAD, max(0, since[b, row]), b, row, 0)
    return out[: min(n, most)]
