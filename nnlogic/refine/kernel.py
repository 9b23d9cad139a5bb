"""Compiled kernels: what a change of one LUT does to the class of every row.

Values are uint64, shape (blocks, signals + 1, BLOCK): 64 samples a word, block by block, so that
one block of all signals stays in the cache of a core. Sample r is bit ``r % 64`` of word
``r // 64``. A node has six pins; an unused one is -1, which reads the last signal, all zeros.
Nodes come in a topological `order`.
"""

from __future__ import annotations

import numpy as np

from nnlogic.logic.kernel import ONE, ZERO, _lut6, compiled

BLOCK = 64
"""Words of a block."""
WIDE = 64 * BLOCK
"""Samples of a block."""


@compiled()
def spread(table, masks):  # type: ignore[no-untyped-def]
    """Write the bits of a table as whole words."""
    for t in range(64):
        masks[t] = ZERO - ((table >> np.uint64(t)) & ONE)


@compiled()
def run(n_in, pins, tables, order, values):  # type: ignore[no-untyped-def]
    """Evaluate nodes in place."""
    masks = np.empty((len(order), 64), np.uint64)
    for k in range(len(order)):
        spread(tables[order[k]], masks[k])
    for b in range(values.shape[0]):
        block = values[b]
        for k in range(len(order)):
            i, m = order[k], masks[k]
            x0, x1, x2 = block[pins[i, 0]], block[pins[i, 1]], block[pins[i, 2]]
            x3, x4, x5 = block[pins[i, 3]], block[pins[i, 4]], block[pins[i, 5]]
            out = block[n_in + i]
            for w in range(BLOCK):
                out[w] = _lut6(m, 0, x0[w], x1[w], x2[w], x3[w], x4[w], x5[w])


@compiled()
def downstream(n_in, pins, order, node):  # type: ignore[no-untyped-def]
    """Return the nodes that `node` reaches, itself not among them, in order."""
    reached = np.zeros(n_in + pins.shape[0] + 1, np.bool_)
    reached[n_in + node] = True
    cone = np.empty(len(order), np.int64)
    count = 0
    begun = False
    for i in order:
        if i == node:
            begun = True
        elif begun:
            for p in range(6):
                if reached[pins[i, p]] and pins[i, p] >= 0:
                    reached[n_in + i] = True
                    cone[count] = i
                    count += 1
                    break
    return cone[:count]


@compiled()
def flipped(n_in, pins, tables, cone, node, outputs, values, worth, first, last):  # type: ignore[no-untyped-def]
    """Return the rows whose class depends on `node`, and what its flip is worth in each.

    Parameters
    ----------
    outputs : int64 array, shape (bits,)
        Signals of the class, LSB first.
    worth : float32 array, shape (rows, classes)
        What it is worth to say a class of a row.
    first, last : int
        Blocks looked at.

    Returns
    -------
    rows : int32 array
    gains : float32 array
    """
    signals = values.shape[1]
    place = np.full(signals, -1, np.int64)
    place[n_in + node] = 0
    for k in range(len(cone)):
        place[n_in + cone[k]] = k + 1
    other = np.empty((len(cone) + 1, BLOCK), np.uint64)
    masks = np.empty((len(cone), 64), np.uint64)
    for k in range(len(cone)):
        spread(tables[cone[k]], masks[k])
    size = 4096
    rows, gains = np.empty(size, np.int32), np.empty(size, np.float32)
    count = 0
    for b in range(first, last):
        block = values[b]
        for w in range(BLOCK):
            other[0, w] = ~block[n_in + node, w]
        for k in range(len(cone)):
            i, m, out = cone[k], masks[k], other[k + 1]
            p0, p1, p2 = place[pins[i, 0]], place[pins[i, 1]], place[pins[i, 2]]
            p3, p4, p5 = place[pins[i, 3]], place[pins[i, 4]], place[pins[i, 5]]
            x0 = other[p0] if p0 >= 0 else block[pins[i, 0]]
            x1 = other[p1] if p1 >= 0 else block[pins[i, 1]]
            x2 = other[p2] if p2 >= 0 else block[pins[i, 2]]
            x3 = other[p3] if p3 >= 0 else block[pins[i, 3]]
            x4 = other[p4] if p4 >= 0 else block[pins[i, 4]]
            x5 = other[p5] if p5 >= 0 else block[pins[i, 5]]
            for w in range(BLOCK):
                out[w] = _lut6(m, 0, x0[w], x1[w], x2[w], x3[w], x4[w], x5[w])
        for w in range(BLOCK):
            changed = ZERO
            for o in outputs:
                if place[o] >= 0:
                    changed |= block[o, w] ^ other[place[o], w]
            while changed:
                low = changed & (ZERO - changed)
                changed ^= low
                bit = _index(low)
                row = (b * BLOCK + w) * 64 + bit
                if row >= worth.shape[0]:
                    break
                now, then = 0, 0
                for j in range(len(outputs)):
                    o = outputs[j]
                    v = int((block[o, w] >> np.uint64(bit)) & ONE)
                    now |= v << j
                    if place[o] >= 0:
                        v = int((other[place[o], w] >> np.uint64(bit)) & ONE)
                    then |= v << j
                if count == size:
                    size *= 2
                    rows2, gains2 = np.empty(size, np.int32), np.empty(size, np.float32)
                    rows2[:count], gains2[:count] = rows[:count], gains[:count]
                    rows, gains = rows2, gains2
                rows[count] = row
                gains[count] = worth[row, then] - worth[row, now]
                count += 1
    return rows[:count].copy(), gains[:count].copy()


@compiled()
def _index(low):  # type: ignore[no-untyped-def]
    # Of a word with one bit set.
    n = 0
    if low & np.uint64(0xFFFFFFFF00000000):
        n += 32
    if low & np.uint64(0xFFFF0000FFFF0000):
        n += 16
    if low & np.uint64(0xFF00FF00FF00FF00):
        n += 8
    if low & np.uint64(0xF0F0F0F0F0F0F0F0):
        n += 4
    if low & np.uint64(0xCCCCCCCCCCCCCCCC):
        n += 2
    if low & np.uint64(0xAAAAAAAAAAAAAAAA):
        n += 1
    return n


@compiled()
def bits_at(values, signal, rows):  # type: ignore[no-untyped-def]
    """Return a signal's value in rows, uint8."""
    out = np.empty(len(rows), np.uint8)
    for k in range(len(rows)):
        r = rows[k]
        out[k] = (values[r // WIDE, signal, (r >> 6) % BLOCK] >> np.uint64(r & 63)) & ONE
    return out


@compiled()
def by_cell(cells, toward, count):  # type: ignore[no-untyped-def]
    """Return sums of `toward` by cell, and of its squares."""
    out, square = np.zeros(count), np.zeros(count)
    for k in range(len(cells)):
        out[cells[k]] += toward[k]
        square[cells[k]] += toward[k] * toward[k]
    return out, square


@compiled()
def bit_rows(values, signals, rows):  # type: ignore[no-untyped-def]
    """Return the values of signals in rows as numbers, float32, (rows, signals)."""
    out = np.empty((len(rows), len(signals)), np.float32)
    for k in range(len(rows)):
        r = rows[k]
        block, word, bit = values[r // WIDE], (r >> 6) % BLOCK, np.uint64(r & 63)
        for c in range(len(signals)):
            out[k, c] = np.float32((block[signals[c], word] >> bit) & ONE)
    return out


@compiled(fastmath=True)
def rate_wires(ones, group, toward, groups):  # type: ignore[no-untyped-def]
    """Return, per column of `ones`, the worth of the best function of a group and that column."""
    columns = ones.shape[1]
    whole = np.zeros(groups, np.float32)
    one = np.zeros((groups, columns), np.float32)
    for k in range(len(group)):
        t, g = toward[k], group[k]
        whole[g] += t
        to, row = one[g], ones[k]
        for c in range(columns):
            to[c] += t * row[c]
    best = np.zeros(columns)
    for g in range(groups):
        for c in range(columns):
            best[c] += max(one[g, c], np.float32(0)) + max(whole[g] - one[g, c], np.float32(0))
    return best
