"""Compiled moves: rebuild one LUT, or two, on other signals without adding a LUT."""

from __future__ import annotations

import numpy as np

from nnlogic.logic.kernel import ONE, ONES, ZERO, internal
from nnlogic.logic.resub.separate import MOST, conflicts, differs, fit, separates
from nnlogic.logic.resub.split import tabulate, two_tables
from nnlogic.logic.resub.state import collect_usable, contains, draw, redefine

MOST_TRIES = 100
SUPPORTS = 8
PARTITIONS = 30


@internal
def exchange(net, t):  # type: ignore[no-untyped-def]
    """Drop some inputs of node `t` and find at most two signals that make up for them.

    Exchanges that free nothing are accepted too; those that add an input, one time in four.

    Returns
    -------
    moved, LUTs freed
    """
    count = net.size[t]
    old = np.empty(8, np.int32)
    base = np.empty(8, np.int32)
    first = draw(net.random, count)
    for b in range(count):
        old[b] = net.fan[t, b]
        base[b] = net.fan[t, (first + b) % count]
    r = draw(net.random, 16)
    drop = min(count, 1 if r < 8 else 2 if r < 13 else 3 if r < 15 else count)
    x, y = draw(net.random, count), draw(net.random, count)
    base[x], base[y] = base[y], base[x]
    kept = count - drop
    falls = False
    for b in range(kept, count):
        falls = falls or (base[b] >= net.n_in and net.refs[base[b]] == 1)
    pairs = conflicts(net, base, kept, draw(net.random, net.on.shape[0]))
    new = np.int64(0)
    table = ZERO
    current = net.values[net.n_in + t]
    if pairs == 0:
        ok, table = fit(net, base, kept, current)
    else:
        able = np.empty(net.values.shape[0], np.int32)
        n = np.int64(0)
        for s in able[: collect_usable(net, net.required[net.n_in + t] - 1, able)]:
            # With one input dropped, taking back an old one is no change.
            if not contains(old if drop == 1 else base, count if drop == 1 else kept, s):
                able[n] = s
                n += 1
        start = draw(net.random, n)
        for step in range(n):
            s = able[(start + step) % n]
            if separates(net.values[s], net.pairs, pairs):
                base[kept] = s
                ok, table = fit(net, base, kept + 1, current)
                if ok:
                    new = np.int64(1)
                    break
        if new == 0 and (falls or drop >= 2) and kept + 2 <= net.k and n > 1:
            ok, table = _two_signals(net, base, kept, pairs, able, n, start, current)
            new = np.int64(2 if ok else 0)
        if new == 0:
            return False, 0
    size = kept + new
    before = net.tables[t]
    gain = redefine(net, t, base, size, table)
    if gain > 0 or (gain == 0 and (size <= count or draw(net.random, 4) == 0)):
        return True, gain
    redefine(net, t, old, count, before)
    return False, 0


@internal
def _two_signals(net, base, kept, pairs, able, n, start, current):  # type: ignore[no-untyped-def]
    """Find two signals that complete the base; each wrong try adds a pair they must separate."""
    apart = np.zeros((n, 2), np.uint64)
    for i in range(n):
        row = net.values[able[(start + i) % n]]
        for p in range(pairs):
            apart[i, 0] |= differs(row, net.pairs[p, 0], net.pairs[p, 1]) << np.uint64(p)
    wanted = ONES >> np.uint64(64 - pairs)
    also = ZERO
    tries = 0
    for i in range(n):
        missing = wanted & ~apart[i, 0]
        for j in range(i):
            if missing & ~apart[j, 0] or also & ~(apart[i, 1] | apart[j, 1]):
                continue
            base[kept] = able[(start + i) % n]
            base[kept + 1] = able[(start + j) % n]
            ok, table = fit(net, base, kept + 2, current)
            if ok:
                return True, table
            if tries < MOST:
                also |= ONE << np.uint64(tries)
                for m in range(n):
                    row = net.values[able[(start + m) % n]]
                    new = differs(row, net.pair[0], net.pair[1])
                    apart[m, 1] |= new << np.uint64(tries)
            tries += 1
            if tries > MOST_TRIES:
                return False, ZERO
    return False, ZERO


@internal
def recluster(net, t):  # type: ignore[no-untyped-def]
    """Rebuild node `t` and an input that only `t` reads, from all inputs of both but one.

    The one that is left out may be made up for by any other signal.

    Returns
    -------
    moved, LUTs freed, the inner node
    """
    count = net.size[t]
    start = draw(net.random, count)
    inner_signal = -1
    for b in range(count):
        s = net.fan[t, (start + b) % count]
        if s >= net.n_in and net.refs[s] == 1:
            inner_signal = s
            break
    if inner_signal < 0:
        return False, 0, -1
    f = inner_signal - net.n_in
    union = np.empty(2 * net.k, np.int32)
    n = np.int64(0)
    for b in range(net.size[f]):
        union[n] = net.fan[f, b]
        n += 1
    for b in range(count):
        s = net.fan[t, b]
        if s != inner_signal and not contains(union, n, s):
            union[n] = s
            n += 1
    if n < 3:
        return False, 0, -1
    # Mostly a signal that falls away without its reader.
    x = draw(net.random, n)
    if draw(net.random, 4):
        for step in range(n):
            s = union[(x + step) % n]
            if s >= net.n_in and net.refs[s] == 1:
                x = (x + step) % n
                break
    dropped = union[x]
    n -= 1
    union[x] = union[n]
    pairs = conflicts(net, union, n, draw(net.random, net.on.shape[0]))
    if pairs == 0:
        moved, gain = _partition(net, t, f, union, n)
        return moved, gain, f
    able = np.empty(net.values.shape[0], np.int32)
    usable = collect_usable(net, net.required[net.n_in + t] - 1, able)
    start = draw(net.random, usable)
    tries = 0
    for step in range(usable):
        s = able[(start + step) % usable]
        # Reading its own inner node again is no change.
        if s == dropped or s == inner_signal or contains(union, n, s):
            continue
        if separates(net.values[s], net.pairs, pairs):
            union[n] = s
            moved, gain = _partition(net, t, f, union, n + 1)
            tries += 1
            if moved or tries == SUPPORTS:
                return moved, gain, f
    return False, 0, f


@internal
def _partition(net, t, f, union, n):  # type: ignore[no-untyped-def]
    """Try random partitions of the signals among the two LUTs `t` and `f`."""
    if not tabulate(net, union, n):
        return False, 0
    latest = net.required[net.n_in + t] - 2
    k = net.k
    places = np.arange(n).astype(np.int32)
    inner = np.empty(6, np.int32)
    outer = np.empty(12, np.int32)
    tables = np.empty(2, np.uint64)
    for _ in range(PARTITIONS):
        for j in range(n - 1, 0, -1):
            other = draw(net.random, j + 1)
            places[j], places[other] = places[other], places[j]
        n_inner = np.int64(0)
        n_outer = np.int64(0)
        for j in range(n):
            if n_inner < k and net.level[union[places[j]]] <= latest:
                inner[n_inner] = places[j]
                n_inner += 1
            else:
                outer[n_outer] = places[j]
                n_outer += 1
        if n_outer > k - 1 or n_inner < 2:
            continue
        for j in range(min(n_inner, k - 1 - n_outer)):
            outer[n_outer] = inner[j]
            n_outer += 1
        if two_tables(net.cells, n, inner, n_inner, outer, n_outer, tables):
            for j in range(n_inner):
                inner[j] = union[inner[j]]
            for j in range(n_outer):
                outer[j] = union[outer[j]]
            outer[n_outer] = net.n_in + f
            gain = redefine(net, t, outer, n_outer + 1, tables[1])
            return True, gain + redefine(net, f, inner, n_inner, tables[0])
    return False, 0
