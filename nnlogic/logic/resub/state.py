"""Compiled kernels: a LUT network with every signal simulated on all input patterns."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from nnlogic.logic.kernel import ONE, ONES, ZERO, internal

WIDTH = 6


class State(NamedTuple):
    """A network under improvement, and room to work in.

    Signals are numbered as in `nnlogic.logic.cone`: inputs first, then nodes. ``values`` is
    uint64 (signals, words): bit ``p % 64`` of word ``p // 64`` is the signal on pattern ``p``.

    Attributes
    ----------
    fan, size, tables : int32 (nodes, WIDTH), int64 (nodes,), uint64 (nodes,)
        Inputs of each LUT, how many they are, and its table.
    refs : int32 (signals,)
        Readers of each signal, outputs included; a node without readers is dead.
    outputs, care : int32 (outputs,), uint64 (words,)
        Signals that count, and patterns on which they count.
    order, level, required : int32
        Live nodes in topological order; level of each signal; latest level it may have.
    values, other : uint64 (signals, words)
        Equal between moves; `observe` uses `other` as scratch.
    above : bool (signals,)
        Transitive fan-out of the node under consideration, itself included.
    on, off : uint64 (words,)
        Patterns on which that node has to be one, and zero.
    pairs, pair, cells, random, live
        Scratch of `conflicts`, `fit` and `tabulate`; state of the generator; length of `order`.
    """

    n_in: int
    k: int
    limit: int
    fan: Any
    size: Any
    tables: Any
    refs: Any
    outputs: Any
    care: Any
    order: Any
    level: Any
    required: Any
    values: Any
    other: Any
    above: Any
    on: Any
    off: Any
    pairs: Any
    pair: Any
    cells: Any
    random: Any
    live: Any


@internal
def fill(row, word):  # type: ignore[no-untyped-def]
    """Set all words of a row; slices would cost seconds of compilation."""
    for w in range(row.shape[0]):
        row[w] = word


@internal
def copy(source, row):  # type: ignore[no-untyped-def]
    """Copy a row of words."""
    for w in range(row.shape[0]):
        row[w] = source[w]


@internal
def draw(random, bound):  # type: ignore[no-untyped-def]
    """Return a random number from 0 to `bound` - 1 (xorshift)."""
    x = random[0]
    x ^= x << np.uint64(13)
    x ^= x >> np.uint64(7)
    x ^= x << np.uint64(17)
    random[0] = x
    return np.int64((x >> np.uint64(11)) % np.uint64(max(bound, 1)))


@internal
def contains(items, count, item):  # type: ignore[no-untyped-def]
    """Whether `item` is among the first `count` items."""
    for b in range(count):
        if items[b] == item:
            return True
    return False


@internal
def simulate(fanin, count, table, values, out):  # type: ignore[no-untyped-def]
    """Evaluate one LUT on all patterns into row `out` of `values`, as a tree of multiplexers."""
    words = values.shape[1]
    if count == 0:
        fill(values[out], ZERO - (table & ONE))
        return
    half = 1 << (count - 1)
    tree = np.empty((half, words), np.uint64)
    x = values[fanin[0]]
    for t in range(half):
        low = ZERO - ((table >> np.uint64(2 * t)) & ONE)
        turn = low ^ (ZERO - ((table >> np.uint64(2 * t + 1)) & ONE))
        row = tree[t]
        for w in range(words):
            row[w] = low ^ (x[w] & turn)
    for b in range(1, count):
        half >>= 1
        x = values[fanin[b]]
        for t in range(half):
            low_row, high_row, row = tree[2 * t], tree[2 * t + 1], tree[t]
            for w in range(words):
                row[w] = low_row[w] ^ (x[w] & (low_row[w] ^ high_row[w]))
    copy(tree[0], values[out])


@internal
def arrange(net):  # type: ignore[no-untyped-def]
    """Put live nodes in topological order and find their levels and required levels."""
    n_in, fan, size = net.n_in, net.fan, net.size
    nodes = fan.shape[0]
    seen = np.zeros(nodes, np.bool_)
    stack = np.empty(nodes + 1, np.int32)
    place = np.zeros(nodes + 1, np.int32)
    live = 0
    for root in range(nodes):
        if seen[root] or net.refs[n_in + root] == 0:
            continue
        top = 0
        stack[0] = root
        place[0] = 0
        seen[root] = True
        while top >= 0:
            i = stack[top]
            if place[top] < size[i]:
                s = fan[i, place[top]] - n_in
                place[top] += 1
                if s >= 0 and not seen[s]:
                    seen[s] = True
                    top += 1
                    stack[top] = s
                    place[top] = 0
                continue
            deepest = -1
            for b in range(size[i]):
                deepest = max(deepest, net.level[fan[i, b]])
            net.level[n_in + i] = deepest + 1
            net.order[live] = i
            live += 1
            top -= 1
    net.live[0] = live
    for s in range(net.required.shape[0]):
        net.required[s] = net.limit
    for at in range(live - 1, -1, -1):
        i = net.order[at]
        for b in range(size[i]):
            s = fan[i, b]
            net.required[s] = min(net.required[s], net.required[n_in + i] - 1)


@internal
def release(net, signal):  # type: ignore[no-untyped-def]
    """Take one reader from a signal; return how many nodes with two or more inputs died."""
    net.refs[signal] -= 1
    if signal < net.n_in or net.refs[signal] > 0:
        return 0
    i = signal - net.n_in
    dead = 1 if net.size[i] >= 2 else 0
    for b in range(net.size[i]):
        dead += release(net, net.fan[i, b])
    return dead


@internal
def acquire(net, signal):  # type: ignore[no-untyped-def]
    """Add a reader to a signal; return how many nodes came back to life."""
    net.refs[signal] += 1
    if signal < net.n_in or net.refs[signal] > 1:
        return 0
    i = signal - net.n_in
    born = 1 if net.size[i] >= 2 else 0
    for b in range(net.size[i]):
        born += acquire(net, net.fan[i, b])
    return born


@internal
def redefine(net, i, fanin, count, table):  # type: ignore[no-untyped-def]
    """Give a live node other inputs; return how many LUTs that frees (negative: needs)."""
    gain = (1 if net.size[i] >= 2 else 0) - (1 if count >= 2 else 0)
    for b in range(count):
        gain -= acquire(net, fanin[b])
    for b in range(net.size[i]):
        gain += release(net, net.fan[i, b])
    for b in range(count):
        net.fan[i, b] = fanin[b]
    net.size[i] = count
    net.tables[i] = table
    return gain


@internal
def refresh(net, first, second):  # type: ignore[no-untyped-def]
    """Simulate again after two nodes (or one, twice) were redefined."""
    changed = np.zeros(net.values.shape[0], np.bool_)
    for at in range(net.live[0]):
        i = net.order[at]
        hit = i == first or i == second
        for b in range(net.size[i]):
            hit = hit or changed[net.fan[i, b]]
        if hit:
            out = net.n_in + i
            simulate(net.fan[i], net.size[i], net.tables[i], net.values, out)
            for w in range(net.values.shape[1]):
                if net.other[out, w] != net.values[out, w]:
                    changed[out] = True
                    break
            copy(net.values[out], net.other[out])


@internal
def observe(net, t):  # type: ignore[no-untyped-def]
    """Find the patterns on which node `t` must be one or zero, by flipping it.

    Sets `above`, `on` and `off`; patterns on which no output changes are in neither set.
    """
    n_in, values, other = net.n_in, net.values, net.other
    words = values.shape[1]
    own = n_in + t
    for s in range(values.shape[0]):
        net.above[s] = False
    net.above[own] = True
    changed = np.zeros(values.shape[0], np.bool_)
    changed[own] = True
    for w in range(words):
        other[own, w] = ~values[own, w]
    started = False
    for at in range(net.live[0]):
        i = net.order[at]
        if i == t:
            started = True
        elif started:
            hit = False
            for b in range(net.size[i]):
                if net.above[net.fan[i, b]]:
                    net.above[n_in + i] = True
                hit = hit or changed[net.fan[i, b]]
            if hit:
                simulate(net.fan[i], net.size[i], net.tables[i], other, n_in + i)
                for w in range(words):
                    if other[n_in + i, w] != values[n_in + i, w]:
                        changed[n_in + i] = True
                        break
    fill(net.on, ZERO)
    for o in net.outputs:
        if changed[o]:
            for w in range(words):
                net.on[w] |= (other[o, w] ^ values[o, w]) & net.care[w]
    for w in range(words):
        net.off[w] = net.on[w] & ~values[own, w]
        net.on[w] &= values[own, w]
    for s in range(n_in, values.shape[0]):
        if changed[s]:
            copy(values[s], other[s])


@internal
def collect_usable(net, latest, signals):  # type: ignore[no-untyped-def]
    """List the signals of at most level `latest` that the node under consideration may read.

    Parameters
    ----------
    signals : int32 array, shape (signals,)
        Filled from the front.

    Returns
    -------
    int
        How many there are.
    """
    above, level, refs = net.above, net.level, net.refs
    n = 0
    for s in range(above.shape[0]):
        if not above[s] and level[s] <= latest and (s < net.n_in or refs[s] > 0):
            signals[n] = s
            n += 1
    return n


@internal
def meet(a, b):  # type: ignore[no-untyped-def]
    """Whether two sets of patterns have one in common."""
    for w in range(a.shape[0]):
        if a[w] & b[w]:
            return True
    return False


@internal
def common(a, b, start):  # type: ignore[no-untyped-def]
    """Return a pattern of both sets, searching from word `start` on; -1 when there is none."""
    words = a.shape[0]
    for step in range(words):
        w = (start + step) % words
        both = a[w] & b[w]
        if both:
            place = 0
            for shift in (32, 16, 8, 4, 2, 1):
                if both & (ONES >> np.uint64(64 - shift)) == ZERO:
                    both >>= np.uint64(shift)
                    place += shift
            return (w << 6) + place
    return -1
