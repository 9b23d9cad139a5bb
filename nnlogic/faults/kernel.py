"""Compiled kernel: what changes at the outputs when one signal is inverted, for all samples."""

from __future__ import annotations

import numpy as np

from nnlogic.logic.kernel import compiled

ONE, ZERO = np.uint64(1), np.uint64(0)


@compiled()
def _same(table, count, reads, out, masks):  # type: ignore[no-untyped-def]
    """Evaluate a LUT into `out`; return whether that changed nothing."""
    same = True
    for w in range(len(out)):
        size = 1 << count
        for t in range(size):
            masks[t] = ZERO - ((table >> np.uint64(t)) & ONE)
        for b in range(count):
            x = reads[b, w]
            size >>= 1
            for t in range(size):
                low, high = masks[2 * t], masks[2 * t + 1]
                masks[t] = low ^ (x & (low ^ high))
        same = same and out[w] == masks[0]
        out[w] = masks[0]
    return same


@compiled()
def inverted(n_in, fanins, tables, outputs, chosen, labels, values, signals, found):  # type: ignore[no-untyped-def]
    """Invert each signal alone and follow it to the outputs.

    Parameters
    ----------
    n_in : int
    fanins, tables
        As in LogicNet.
    outputs : int64 array
        Signals of the output bits.
    chosen : int64 array
        Places in `outputs` of the bits of the answer.
    labels : uint64 array, shape (len(chosen), words)
        Bits of the right answers.
    values : uint64 array, shape (signals, words)
        Without a fault.
    signals : int64 array
        Those to invert.
    found : uint64 array, shape (3, len(signals), words)
        Receives where any output differs, where the answer differs, where it is right.
    """
    nodes, k = fanins.shape
    words = values.shape[1]
    scratch = np.empty_like(values)
    changed = np.zeros(len(values), np.bool_)
    reads = np.empty((k, words), np.uint64)
    masks = np.empty(64, np.uint64)
    for number in range(len(signals)):
        s = signals[number]
        changed[:] = False
        changed[s] = True
        for w in range(words):
            scratch[s, w] = ~values[s, w]
        for i in range(max(0, s - n_in + 1), nodes):
            touched = False
            count = 0
            while count < k and fanins[i, count] >= 0:
                touched = touched or changed[fanins[i, count]]
                count += 1
            if not touched:
                continue
            for b in range(count):
                f = fanins[i, b]
                for w in range(words):
                    reads[b, w] = scratch[f, w] if changed[f] else values[f, w]
            for w in range(words):
                scratch[n_in + i, w] = values[n_in + i, w]
            changed[n_in + i] = not _same(tables[i], count, reads, scratch[n_in + i], masks)
        for w in range(words):
            found[0, number, w] = ZERO
            found[1, number, w] = ZERO
            found[2, number, w] = ~ZERO
        for place in range(len(outputs)):
            f = outputs[place]
            if changed[f]:
                for w in range(words):
                    found[0, number, w] |= scratch[f, w] ^ values[f, w]
        for bit in range(len(chosen)):
            f = outputs[chosen[bit]]
            for w in range(words):
                now = scratch[f, w] if changed[f] else values[f, w]
                found[1, number, w] |= now ^ values[f, w]
                found[2, number, w] &= ~(now ^ labels[bit, w])
