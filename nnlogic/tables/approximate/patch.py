"""Replace blocks of a TableNet by small networks of blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from nnlogic.core.bits import Bools
from nnlogic.tables.evaluate import run_blocks
from nnlogic.tables.ir import Block, Function, Instance, TableNet, Word, block_inputs


@dataclass(frozen=True, eq=False)
class Patch:
    """Blocks on local signals that stand for one block.

    Attributes
    ----------
    functions : tuple of Function
        Without don't-cares; instances of `blocks` refer to them.
    blocks : tuple of Block
        Signals are local: the distinct inputs of the block replaced, in order of first use, then
        the outputs of these blocks.
    outputs : tuple of int
        Local signals, one per output bit of the block replaced.
    """

    functions: tuple[Function, ...]
    blocks: tuple[Block, ...]
    outputs: tuple[int, ...]

    def evaluate(self, inputs: Bools) -> Bools:
        """Return output bits, bool (outputs, samples), of input bits (inputs, samples)."""
        total = len(inputs) + sum(len(b.outputs) for b in self.blocks)
        values = np.zeros((total, inputs.shape[1]), dtype=bool)
        values[: len(inputs)] = inputs
        run_blocks(self.blocks, [f.table() for f in self.functions], values)
        return values[list(self.outputs)]


def distinct_inputs(block: Block) -> tuple[int, ...]:
    """Return the signals a block reads, each once, in order of first use."""
    return tuple(dict.fromkeys(block_inputs(block)))


def substituted(
    net: TableNet, functions: Mapping[int, Function], patches: Mapping[int, Patch]
) -> TableNet:
    """Return a network with other functions and blocks.

    Parameters
    ----------
    net : TableNet
    functions : mapping
        Block number to the function its instance gets.
    patches : mapping
        Block number to the blocks that replace it; their origins get ``/part<i>`` appended.
    """
    pool: list[Function] = []
    index: dict[str, int] = {}
    blocks: list[Block] = []
    signal = {s: s for s in range(net.n_inputs)}
    free = net.n_inputs

    def shared(function: Function) -> int:
        number = index.setdefault(function.digest, len(pool))
        if number == len(pool):
            pool.append(function)
        return number

    for number, block in enumerate(net.blocks):
        if number in patches:
            patch = patches[number]
            inputs = distinct_inputs(block)
            local = {i: signal[s] for i, s in enumerate(inputs)}
            for i, part in enumerate(patch.blocks):
                fresh = range(free, free + len(part.outputs))
                free += len(part.outputs)
                local.update(zip(part.outputs, fresh, strict=True))
                moved = _moved(part, local, f"{block.origin}/part{i}", block.layer)
                if isinstance(moved, Instance):
                    moved = replace(moved, function=shared(patch.functions[moved.function]))
                blocks.append(moved)
            signal.update(zip(block.outputs, (local[s] for s in patch.outputs), strict=True))
            continue
        fresh = range(free, free + len(block.outputs))
        free += len(block.outputs)
        signal.update(zip(block.outputs, fresh, strict=True))
        moved = _moved(block, signal, block.origin, block.layer)
        if isinstance(moved, Instance):
            function = functions.get(number, net.functions[moved.function])
            moved = replace(moved, function=shared(function))
        blocks.append(moved)
    out = replace(
        net,
        functions=tuple(pool),
        blocks=tuple(blocks),
        output_signals=tuple(signal[s] for s in net.output_signals),
    )
    out.verify()
    return out


def _moved(block: Block, signal: Mapping[int, int], origin: str, layer: int) -> Block:
    def pins(signals: Sequence[int]) -> tuple[int, ...]:
        return tuple(signal[s] for s in signals)

    if isinstance(block, Instance):
        return Instance(block.function, pins(block.inputs), pins(block.outputs), origin, layer)
    words = tuple(Word(pins(w.signals), w.signed) for w in block.words)
    result = Word(pins(block.result.signals), block.result.signed)
    return replace(block, words=words, result=result, origin=origin, layer=layer)
