"""Drop inputs, output bits and tables that nothing needs, and compute equal bits once."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

from nnlogic.tables.ir import Function, Instance, TableNet, block_inputs
from nnlogic.tables.passes.copied import Group, groups_of_copies
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
    copies: dict[Group, list[int]] = {}
    for number, (block, group) in enumerate(zip(net.blocks, groups_of_copies(net), strict=True)):
        if not isinstance(block, Instance):
            continue
        if group is not None:
            copies.setdefault(group, []).append(number)
            continue
        loose = Loose.of(net, block)
        needed = [b for b, s in enumerate(block.outputs) if readers[s]]
        if not needed:
            continue
        smaller = reduced(loose, needed, readers)
        if len(smaller.inputs) < len(loose.inputs):
            work.tables[number] = smaller
    for (_, function), numbers in copies.items():
        _reduce_copies(work, net.functions[function], numbers, readers)
    return work.finish()


def _reduce_copies(
    work: Rebuild, function: Function, numbers: list[int], readers: Counter[int]
) -> None:
    """Remove inputs of a function that none of its copies needs."""
    blocks = [work.net.blocks[number] for number in numbers]
    read: Counter[int] = Counter()
    needed: set[int] = set()
    for block in blocks:
        needed.update(b for b, s in enumerate(block.outputs) if readers[s])
        for pin, signal in enumerate(block_inputs(block)):
            read[pin] += readers[signal]
    if not needed:
        return
    pins = tuple(range(function.n_inputs))
    smaller = reduced(Loose(function.table(), function.care_bools(), pins), sorted(needed), read)
    if len(smaller.inputs) == len(pins):
        return
    for number, block in zip(numbers, blocks, strict=True):
        signals = block_inputs(block)
        work.tables[number] = replace(smaller, inputs=tuple(signals[p] for p in smaller.inputs))


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
    copied = _CopiedBits(net)
    for number, (block, group) in enumerate(zip(net.blocks, groups_of_copies(net), strict=True)):
        if not isinstance(block, Instance):
            continue
        inputs = work.inputs(number)
        alike = group is not None and len(set(inputs)) == len(inputs)
        whole = None if alike else replace(Loose.of(net, block), inputs=inputs)
        for b, signal in enumerate(block.outputs):
            if whole is None:
                bit = copied.bit(block.function, b, inputs)
            else:
                bit = _ordered(reduced(whole.outputs([b]), [0], readers))
            twin = next((s for s, other in known.get(bit.inputs, []) if _agree(bit, other)), None)
            if twin is None and _repeats(bit):
                twin = bit.inputs[0]
            if twin is None:
                known.setdefault(bit.inputs, []).append((signal, bit))
            else:
                work.same[signal] = twin
    return work.finish() if work.same else net


class _CopiedBits:
    """Bits of functions that are used many times, reduced and ordered once."""

    def __init__(self, net: TableNet) -> None:
        self.net = net
        self.reduced: dict[tuple[int, int], Loose] = {}
        self.ordered: dict[tuple[int, int, tuple[int, ...]], Loose] = {}

    def bit(self, function: int, b: int, inputs: tuple[int, ...]) -> Loose:
        """Return an output bit on different signals, its inputs in ascending order."""
        if (function, b) not in self.reduced:
            f = self.net.functions[function]
            whole = Loose(f.table()[b : b + 1], f.care_bools(), tuple(range(f.n_inputs)))
            self.reduced[function, b] = reduced(whole, [0], Counter())
        bit = self.reduced[function, b]
        signals = [inputs[p] for p in bit.inputs]
        order = tuple(sorted(range(len(signals)), key=signals.__getitem__))
        key = function, b, order
        if key not in self.ordered:
            ranks = tuple(order.index(i) for i in range(len(order)))
            self.ordered[key] = _ordered(replace(bit, inputs=ranks))
        return replace(self.ordered[key], inputs=tuple(signals[i] for i in order))


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
