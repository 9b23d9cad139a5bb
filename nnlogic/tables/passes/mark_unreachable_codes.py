"""Turn codes that a producer can never emit into don't-cares of its consumers (exact SDC)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from nnlogic.core import bits
from nnlogic.core.archive import frozen
from nnlogic.core.bits import Bools
from nnlogic.core.formats import IntArray
from nnlogic.tables.ir import Function, Instance, TableNet
from nnlogic.tables.passes.copied import Group, groups_of_copies

Source = tuple[int, int, int]
"""Of a pin: its producer, counted in the instance, the bit of it, and which codes it emits."""


def mark_unreachable_codes(net: TableNet) -> TableNet:
    """Shrink care sets by the codes that earlier tables cannot produce.

    The care set of a table becomes the product of the codes its producers can emit: a superset
    of the reachable inputs, since correlations between producers are not used, and therefore
    sound. Input ports are taken to carry every code of their format. Tables are visited in
    topological order, so a code unreachable in one layer can make codes of the next unreachable.
    Copies care for what occurs at any of them, and are taken to emit what their table holds.
    """
    work = _Marking(net)
    found: list[Function | Group | None] = []
    for block, group in zip(net.blocks, groups_of_copies(net), strict=True):
        found.append(work.visit(block, group) if isinstance(block, Instance) else None)
    groups = {group: work.for_all(group) for group in work.cares}
    functions: list[Function] = []
    index: dict[str, int] = {}
    blocks = []
    for block, result in zip(net.blocks, found, strict=True):
        if isinstance(block, Instance) and result is not None:
            function = groups[result] if isinstance(result, tuple) else result
            number = index.setdefault(function.digest, len(functions))
            if number == len(functions):
                functions.append(function)
            block = replace(block, function=number)
        blocks.append(block)
    return replace(net, functions=tuple(functions), blocks=tuple(blocks))


@dataclass(frozen=True)
class _Codes:
    """What a producer emits; `first` is its first signal."""

    first: int
    number: int
    codes: IntArray


class _Marking:
    """Care sets found so far; equal questions are answered once."""

    def __init__(self, net: TableNet) -> None:
        self.net = net
        self.producer: dict[int, _Codes] = {}
        self.cares: dict[Group, dict[int, Bools]] = {}
        self.codes: dict[str, tuple[int, IntArray]] = {}
        self.known: dict[tuple[int, tuple[Source | None, ...]], Bools] = {}

    def visit(self, block: Instance, group: Group | None) -> Function | Group:
        """Find what an instance can read; return its function, or the group that will have one."""
        function = self.net.functions[block.function]
        care = self._care(block, function)
        result: Function | Group = function
        if group is not None:
            self.cares.setdefault(group, {})[id(care)] = care
            result = group
        else:
            result = function = _restricted(function, care)
        number, codes = self._emitted(function)
        if len(codes) < 1 << function.n_outputs:
            emitted = _Codes(block.outputs[0], number, codes)
            self.producer.update(dict.fromkeys(block.outputs, emitted))
        return result

    def for_all(self, group: Group) -> Function:
        """Return the function of a group."""
        care = np.any(np.stack(list(self.cares[group].values())), axis=0)
        return _restricted(self.net.functions[group[1]], care)

    def _emitted(self, function: Function) -> tuple[int, IntArray]:
        if function.digest not in self.codes:
            table = function.table()[:, function.care_bools()]
            raw = (table.astype(np.int64) << np.arange(function.n_outputs)[:, None]).sum(axis=0)
            self.codes[function.digest] = len(self.codes), np.unique(raw)
        return self.codes[function.digest]

    def _care(self, block: Instance, function: Function) -> Bools:
        """Return the care set of an instance, the same object for all that read alike."""
        order: dict[int, int] = {}
        sources: list[Source | None] = []
        for signal in block.inputs:
            emitted = self.producer.get(signal)
            if emitted is None:
                sources.append(None)
                continue
            place = order.setdefault(emitted.first, len(order))
            sources.append((place, signal - emitted.first, emitted.number))
        key = block.function, tuple(sources)
        if key not in self.known:
            care = function.care_bools()
            emits = dict(self.codes.values())
            index = np.arange(1 << function.n_inputs)
            for place in range(len(order)):
                pins = [(p, s) for p, s in enumerate(sources) if s is not None and s[0] == place]
                care = care & _allowed(index, pins, emits[pins[0][1][2]])
            self.known[key] = care
        return self.known[key]


def _allowed(index: IntArray, pins: list[tuple[int, Source]], emitted: IntArray) -> Bools:
    """Return which table indices agree with some emitted code on the pins of one producer."""
    seen = np.zeros(len(index), dtype=np.int64)
    possible = np.zeros(len(emitted), dtype=np.int64)
    for place, (pin, (_, bit, _)) in enumerate(pins):
        seen |= ((index >> pin) & 1) << place
        possible |= ((emitted >> bit) & 1) << place
    return np.isin(seen, possible)


def _restricted(function: Function, care: Bools) -> Function:
    if care.all() or np.array_equal(care, function.care_bools()):
        return function
    packed = bits.pack(care)
    table = frozen(function.bits & packed, np.uint64)
    return Function(function.n_inputs, table, frozen(packed, np.uint64), "exact SDC")
