"""Drop inputs, output bits and tables that nothing needs, and compute equal bits once."""

from __future__ import annotations

from collections import Counter

import numpy as np

from nnlogic.tables.ir import Instance, TableNet, block_inputs
from nnlogic.tables.passes.rebuild import Loose, Rebuild


def drop_unneeded_inputs(net: TableNet) -> TableNet:
    """Remove table inputs that do not matter on the care set.

    An input is redundant when no two cared-for indices that differ only there give different
    outputs. Signals with few other readers go first, since a signal without readers takes its
    logic with it. Unread output bits and unused tables go too.
    """
    work = Rebuild(net)
    readers = Counter(s for block in net.blocks for s in set(block_inputs(block)))
    readers.update(set(net.output_signals))
    for number, block in enumerate(net.blocks):
        if not isinstance(block, Instance):
            continue
        loose = Loose.of(net, block)
        needed = [b for b, s in enumerate(block.outputs) if readers[s]]
        if not needed:
            continue
        smaller = reduced(loose, needed, readers)
        if len(smaller.inputs) < len(loose.inputs):
            work.tables[number] = smaller
    return work.finish()


def reduced(loose: Loose, needed: list[int], readers: Counter[int]) -> Loose:
    """Remove inputs as long as the needed output bits do not depend on them."""
    unneeded = np.ones(len(loose.table), dtype=bool)
    unneeded[needed] = False
    table = loose.table & ~unneeded[:, None]
    loose = Loose(table, loose.care, loose.inputs)
    for signal in sorted(set(loose.inputs), key=lambda s: (readers[s], -s)):
        for pin in reversed([p for p, s in enumerate(loose.inputs) if s == signal]):
            loose = loose.without(pin) or loose
    return loose


def share_equal_bits(net: TableNet) -> TableNet:
    """Read one signal where two carry the same bit.

    Two output bits are the same when, after dropping the inputs each does not need, they read
    the same signals and agree wherever both care sets say an index can occur: both contain all
    that do. A bit that repeats an input is that input.
    """
    work = Rebuild(net)
    readers = Counter(s for block in net.blocks for s in set(block_inputs(block)))
    known: dict[tuple[int, ...], list[tuple[int, Loose]]] = {}
    for number, block in enumerate(net.blocks):
        whole = work.loose(number)
        if whole is None:
            continue
        whole = Loose(whole.table, whole.care, work.inputs(number))
        for b, signal in enumerate(block.outputs):
            bit = _ordered(reduced(whole.outputs([b]), [0], readers))
            twin = next((s for s, other in known.get(bit.inputs, []) if _agree(bit, other)), None)
            if twin is None and _repeats(bit):
                twin = bit.inputs[0]
            if twin is None:
                known.setdefault(bit.inputs, []).append((signal, bit))
            else:
                work.same[signal] = twin
    return work.finish() if work.same else net


def _ordered(bit: Loose) -> Loose:
    """Return the same table with its inputs in ascending order."""
    n = len(bit.inputs)
    order = sorted(range(n), key=lambda p: bit.inputs[p])
    axes = [n - 1 - order[n - 1 - a] for a in range(n)]
    table = bit.table.reshape([1] + [2] * n).transpose([0] + [a + 1 for a in axes])
    care = bit.care.reshape([2] * n).transpose(axes)
    return Loose(table.reshape(1, -1), care.reshape(-1), tuple(bit.inputs[p] for p in order))


def _agree(a: Loose, b: Loose) -> bool:
    return not ((a.table[0] != b.table[0]) & a.care & b.care).any()


def _repeats(bit: Loose) -> bool:
    return len(bit.inputs) == 1 and bool((bit.table[0] == [False, True])[bit.care].all())
