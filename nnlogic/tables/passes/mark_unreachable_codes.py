"""Turn codes that a producer can never emit into don't-cares of its consumers (exact SDC)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nnlogic.core import bits
from nnlogic.core.archive import frozen
from nnlogic.core.bits import Bools
from nnlogic.core.formats import IntArray
from nnlogic.tables.ir import Block, Function, Instance, TableNet


def mark_unreachable_codes(net: TableNet) -> TableNet:
    """Shrink care sets by the codes that earlier tables cannot produce.

    The care set of a table becomes the product of the codes its producers can emit: a superset
    of the reachable inputs, since correlations between producers are not used, and therefore
    sound. Input ports are taken to carry every code of their format. Tables are visited in
    topological order, so a code unreachable in one layer can make codes of the next unreachable.
    """
    codes: dict[int, tuple[Block, IntArray]] = {}
    functions: list[Function] = []
    index: dict[str, int] = {}
    blocks: list[Block] = []
    for block in net.blocks:
        if isinstance(block, Instance):
            function = _restrict(net.functions[block.function], block, codes)
            number = index.setdefault(function.digest, len(functions))
            if number == len(functions):
                functions.append(function)
            block = replace(block, function=number)
            emitted = _emitted(function)
            if len(emitted) < 1 << function.n_outputs:
                codes.update(dict.fromkeys(block.outputs, (block, emitted)))
        blocks.append(block)
    return replace(net, functions=tuple(functions), blocks=tuple(blocks))


def _emitted(function: Function) -> IntArray:
    table = function.table()[:, function.care_bools()]
    raw = (table.astype(np.int64) << np.arange(function.n_outputs)[:, None]).sum(axis=0)
    return np.unique(raw)


def _restrict(
    function: Function, block: Instance, codes: dict[int, tuple[Block, IntArray]]
) -> Function:
    producers = {codes[s][0].origin: codes[s] for s in block.inputs if s in codes}
    if not producers:
        return function
    care = function.care_bools()
    indices = np.arange(1 << function.n_inputs)
    for producer, emitted in producers.values():
        care = care & _allowed(indices, block.inputs, producer, emitted)
    if care.all():
        return function
    packed = bits.pack(care)
    table = frozen(function.bits & packed, np.uint64)
    return Function(function.n_inputs, table, frozen(packed, np.uint64), "exact SDC")


def _allowed(
    indices: IntArray, inputs: tuple[int, ...], producer: Block, emitted: IntArray
) -> Bools:
    """Return which table indices agree with some emitted code on the pins the producer drives."""
    pins = [
        (pin, producer.outputs.index(s)) for pin, s in enumerate(inputs) if s in producer.outputs
    ]
    seen = np.zeros(len(indices), dtype=np.int64)
    possible = np.zeros(len(emitted), dtype=np.int64)
    for place, (pin, bit) in enumerate(pins):
        seen |= ((indices >> pin) & 1) << place
        possible |= ((emitted >> bit) & 1) << place
    return np.isin(seen, possible)
