"""Compiled list scheduling under read ports, write ports and latency.

The two ports of a bank differ (X and Z), operands may be exchanged freely, and one row read on a
port may serve any number of slices. Which port each row takes in a step is settled by a
union-find with parity: the two rows of a bank, and the two operands of an operation, must be on
opposite ports. Two rows per bank with exclusive readers always can be: such a graph is a set of
paths and even cycles.
"""

from __future__ import annotations

import numpy as np

from nnlogic.logic.kernel import compiled

MANY = 1 << 40


@compiled(forceinline=True)
def _before(key, a, b):  # type: ignore[no-untyped-def]
    return key[a] < key[b] or (key[a] == key[b] and a < b)


@compiled()
def _push(heap, size, key, item):  # type: ignore[no-untyped-def]
    at = size
    while at > 0:
        up = (at - 1) >> 1
        if not _before(key, item, heap[up]):
            break
        heap[at] = heap[up]
        at = up
    heap[at] = item


@compiled()
def _pop(heap, size, key):  # type: ignore[no-untyped-def]
    top, item = heap[0], heap[size - 1]
    size -= 1
    at = 0
    while True:
        child = 2 * at + 1
        if child >= size:
            break
        if child + 1 < size and _before(key, heap[child + 1], heap[child]):
            child += 1
        if not _before(key, heap[child], item):
            break
        heap[at] = heap[child]
        at = child
    heap[at] = item
    return top


@compiled()
def _root(up, odd, a):  # type: ignore[no-untyped-def]
    parity = 0
    while up[a] != a:
        parity ^= odd[a]
        a = up[a]
    return a, parity


@compiled()
def _clash(up, odd, a, b):  # type: ignore[no-untyped-def]
    """Whether two reads are bound to the same port."""
    ra, pa = _root(up, odd, a)
    rb, pb = _root(up, odd, b)
    return ra == rb and pa == pb


@compiled()
def _oppose(up, odd, a, b):  # type: ignore[no-untyped-def]
    ra, pa = _root(up, odd, a)
    rb, pb = _root(up, odd, b)
    if ra != rb:
        up[ra] = rb
        odd[ra] = pa ^ pb ^ 1


@compiled()
def _find_reads(u, v, bu, bv, read, up, odd):  # type: ignore[no-untyped-def]
    """Find reads (bank * 2 + place) for the operands u, v in banks bu, bv; -1 where impossible.

    `read` is int32 (2 * banks): the signal of each read of this step, -1 where free.
    """
    for ku in range(2):
        a = 2 * bu + ku
        if read[a] != u and read[a] >= 0:
            continue
        for kv in range(2):
            b = 2 * bv + kv
            if b == a or (read[b] != v and read[b] >= 0):
                continue
            if read[a] >= 0 and read[b] >= 0:
                if _clash(up, odd, a, b):
                    continue
            elif bu != bv:
                # A new read is bound by its neighbour in the bank alone.
                fa = a if read[a] >= 0 else a ^ 1
                fb = b if read[b] >= 0 else b ^ 1
                if read[fa] >= 0 and read[fb] >= 0:
                    same = (fa == a) == (fb == b)
                    ra, pa = _root(up, odd, fa)
                    rb, pb = _root(up, odd, fb)
                    if ra == rb and (pa == pb) == same:
                        continue
            return a, b
    return -1, -1


@compiled()
def _take(read, up, odd, a, signal):  # type: ignore[no-untyped-def]
    if read[a] < 0:
        read[a] = signal
        up[a] = a
        odd[a] = 0
        if read[a ^ 1] >= 0:
            _oppose(up, odd, a, a ^ 1)


@compiled()
def _input_bank(read, slices, banks, other, new, held, limit):  # type: ignore[no-untyped-def]
    """Choose the bank of an input at its first use: one with a free read, then the emptiest.

    `other` is the bank of the other operand, -1 where none; `new` whether that is placed now too.
    """
    best, best_cost = -1, 1 << 60
    for b in range(slices, banks):
        free = (read[2 * b] < 0) + (read[2 * b + 1] < 0) - (b == other)
        if free <= 0 or held[b - slices] + (new and b == other) >= limit:
            continue
        cost = held[b - slices] * 3 - free
        if cost < best_cost:
            best, best_cost = b, cost
    return best


@compiled()
def list_schedule(  # type: ignore[no-untyped-def]
    n_in, x, z, start, reader, n_readers, emits, key, slices, input_banks, output_slices, delay,
    window, row_limit, input_limit,
):  # fmt: skip
    """Schedule all operations; lowest key first among the ready ones that fit.

    Returns step and slice of each operation, whether its operands are exchanged, the bank of
    each input (-1: never read), the number of steps, and how many operations were placed: fewer
    than all when every bank is full. Operations in `emits` go to the first `output_slices`.
    """
    n = len(x)
    banks = slices + input_banks
    step_of = np.full(n, -1, np.int32)
    slice_of = np.zeros(n, np.int16)
    flipped = np.zeros(n, np.bool_)
    bank_of = np.full(n_in + n, -1, np.int32)
    waiting = np.zeros(n, np.int8)
    heap = np.empty(n + 1, np.int32)
    size = 0
    for i in range(n):
        waiting[i] = (x[i] >= n_in) + (z[i] >= n_in and z[i] != x[i])
        if waiting[i] == 0:
            _push(heap, size, key, i)
            size += 1
    left = n_readers.copy()
    head = np.full(delay + 1, -1, np.int32)
    chain = np.empty(n, np.int32)
    coming = 0
    read = np.empty(2 * banks, np.int32)
    up = np.zeros(2 * banks, np.int32)
    odd = np.zeros(2 * banks, np.int8)
    chosen = np.empty(slices, np.int32)
    at_x = np.empty(slices, np.int32)
    at_z = np.empty(slices, np.int32)
    put_back = np.empty(window, np.int32)
    held = np.zeros(input_banks, np.int64)
    occupied = np.zeros(slices, np.int64)
    load = np.zeros(slices, np.int64)
    taken = np.zeros(slices, np.bool_)
    placed = 0
    step = 0
    while placed < n:
        slot = step % (delay + 1)
        i = head[slot]
        while i >= 0:
            _push(heap, size, key, i)
            size += 1
            coming -= 1
            i = chain[i]
        head[slot] = -1
        read[:] = -1
        n_chosen = 0
        n_back = 0
        room = 0
        for b in range(slices):
            room += occupied[b] < row_limit
        to_emit = output_slices
        while size and n_chosen < slices and n_back < window:
            i = _pop(heap, size, key)
            size -= 1
            u, v = x[i], z[i]
            bu, bv = bank_of[u], bank_of[v]
            fits = (room > 0 or left[n_in + i] == 0) and (to_emit > 0 or not emits[i])
            if fits and bu < 0:
                bu = _input_bank(read, slices, banks, bv, False, held, input_limit)
                if u == v and bu >= 0 and (read[2 * bu] >= 0 or read[2 * bu + 1] >= 0):
                    bu = -1
                fits = bu >= 0
            if fits and u == v:
                bv = bu
            if fits and bv < 0:
                bv = _input_bank(read, slices, banks, bu, bank_of[u] < 0, held, input_limit)
                fits = bv >= 0
            a, b = -1, -1
            if fits:
                a, b = _find_reads(u, v, bu, bv, read, up, odd)
            if a < 0:
                put_back[n_back] = i
                n_back += 1
                continue
            if bank_of[u] < 0:
                bank_of[u] = bu
                held[bu - slices] += 1
            if bank_of[v] < 0:
                bank_of[v] = bv
                held[bv - slices] += 1
            _take(read, up, odd, a, u)
            _take(read, up, odd, b, v)
            _oppose(up, odd, a, b)
            chosen[n_chosen] = i
            at_x[n_chosen] = a
            at_z[n_chosen] = b
            n_chosen += 1
            room -= left[n_in + i] > 0
            to_emit -= emits[i]
        for j in range(n_back):
            _push(heap, size, key, put_back[j])
            size += 1
        # Emitting operations choose first, then those with the most readers, which go to the
        # banks with the fewest reads to come. One that finds no row after all waits.
        for j in range(n_chosen):
            flipped[chosen[j]] = _root(up, odd, at_x[j])[1] == 1
        taken[:] = False
        before = placed
        for _ in range(n_chosen):
            pick, most = -1, -1
            for j in range(n_chosen):
                if chosen[j] >= 0:
                    rank = left[n_in + chosen[j]] + (MANY if emits[chosen[j]] else 0)
                    if rank > most:
                        pick, most = j, rank
            i = chosen[pick]
            chosen[pick] = -1
            uses = left[n_in + i]
            best, best_load = -1, 1 << 60
            for b in range(output_slices if emits[i] else slices):
                if taken[b] or (uses > 0 and occupied[b] >= row_limit):
                    continue
                # A result nobody reads should leave the lightly loaded banks to others.
                cost = load[b] if uses else -load[b]
                if cost < best_load:
                    best, best_load = b, cost
            if best < 0:
                _push(heap, size, key, i)
                size += 1
                continue
            taken[best] = True
            slice_of[i] = best
            bank_of[n_in + i] = best
            step_of[i] = step
            load[best] += uses
            occupied[best] += uses > 0
            placed += 1
            at = (step + delay) % (delay + 1)
            for k in range(start[n_in + i], start[n_in + i + 1]):
                r = reader[k]
                waiting[r] -= 1
                if waiting[r] == 0:
                    chain[r] = head[at]
                    head[at] = r
                    coming += 1
            for signal in (x[i], z[i]):
                bank = bank_of[signal]
                left[signal] -= 1
                if bank < slices:
                    load[bank] -= 1
                    if left[signal] == 0:
                        occupied[bank] -= 1
        if placed == before and coming == 0:
            break
        step += 1
    return step_of, slice_of, flipped, bank_of[:n_in].copy(), step, placed
