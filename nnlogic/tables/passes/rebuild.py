"""Put a TableNet together again after some of its tables changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from nnlogic.core import bits
from nnlogic.core.archive import frozen
from nnlogic.core.bits import Bools
from nnlogic.tables.ir import (
    Block,
    Function,
    Instance,
    TableNet,
    Word,
    block_inputs,
)
from nnlogic.tables.passes.copied import Group, groups_of_copies

EXACT = "exact SDC"


@dataclass(frozen=True, eq=False)
class Loose:
    """A table in the making: rows of bits, which of them matter, and the signals it reads.

    Attributes
    ----------
    table : bool array, shape (outputs, 2**inputs)
    care : bool array, shape (2**inputs,)
    inputs : tuple of int
    """

    table: Bools
    care: Bools
    inputs: tuple[int, ...]

    @staticmethod
    def of(net: TableNet, block: Instance) -> Loose:
        """Return the table of an instance."""
        function = net.functions[block.function]
        return Loose(function.table(), function.care_bools(), block.inputs)

    def function(self) -> Function:
        """Return it as a function, zero where it does not matter."""
        return make_function(self.table, self.care)

    def without(self, pin: int) -> Loose | None:
        """Return the table without one input, None when that input matters."""
        shape = (-1, 2, 1 << pin)
        care = self.care.reshape(shape)
        table = self.table.reshape(len(self.table), *shape)
        if ((table[:, :, 0] != table[:, :, 1]) & (care[:, 0] & care[:, 1])).any():
            return None
        merged = np.where(care[:, 0], table[:, :, 0], table[:, :, 1])
        return Loose(
            merged.reshape(len(self.table), -1),
            (care[:, 0] | care[:, 1]).ravel(),
            (*self.inputs[:pin], *self.inputs[pin + 1 :]),
        )

    def outputs(self, rows: list[int]) -> Loose:
        """Return only some output bits."""
        return Loose(self.table[rows], self.care, self.inputs)


def make_function(table: Bools, care: Bools) -> Function:
    """Return a function from bool arrays, without a care set when everything matters."""
    n = care.size.bit_length() - 1
    if care.all():
        return Function(n, frozen(bits.pack(table), np.uint64))
    packed = frozen(bits.pack(care), np.uint64)
    return Function(n, frozen(bits.pack(table & care), np.uint64), packed, EXACT)


@dataclass
class Rebuild:
    """Changes to a network, applied all at once.

    Attributes
    ----------
    tables : dict
        New table of a block, by its number; outputs as before.
    same : dict
        A signal that can be read instead of another, earlier defined, by signal.
    """

    net: TableNet
    tables: dict[int, Loose] = field(default_factory=dict)
    same: dict[int, int] = field(default_factory=dict)

    def resolve(self, signal: int) -> int:
        """Return the signal to read instead of `signal`."""
        while signal in self.same:
            signal = self.same[signal]
        return signal

    def loose(self, number: int) -> Loose | None:
        """Return the current table of a block, None for arithmetic."""
        block = self.net.blocks[number]
        if not isinstance(block, Instance):
            return None
        return self.tables.get(number) or Loose.of(self.net, block)

    def inputs(self, number: int) -> tuple[int, ...]:
        """Return the signals a block reads now."""
        block = self.net.blocks[number]
        read = self.tables[number].inputs if number in self.tables else block_inputs(block)
        return tuple(self.resolve(s) for s in read)

    def finish(self) -> TableNet:
        """Return the network without tables and output bits that nothing needs."""
        net = self.net
        outputs = tuple(self.resolve(s) for s in net.output_signals)
        needed = set(outputs)
        for number in reversed(range(len(net.blocks))):
            if needed.intersection(net.blocks[number].outputs):
                needed.update(self.inputs(number))
        groups = groups_of_copies(net)
        together: dict[Group, set[int]] = {}
        for block, group in zip(net.blocks, groups, strict=True):
            if group is not None:
                used = {b for b, s in enumerate(block.outputs) if s in needed}
                together.setdefault(group, set()).update(used)
        place = {s: s for s in range(net.n_inputs)}
        functions: list[Function] = []
        index: dict[str, int] = {}
        made: dict[object, int] = {}
        blocks: list[Block] = []
        for number, (block, group) in enumerate(zip(net.blocks, groups, strict=True)):
            kept = [b for b, s in enumerate(block.outputs) if s in needed]
            if not kept:
                continue
            if not isinstance(block, Instance):
                read = {s: place[self.resolve(s)] for s in block_inputs(block)}
                blocks.append(_moved(block, read, place))
                continue
            if group is not None:
                kept = sorted(together[group])
            for b in kept:
                place[block.outputs[b]] = len(place)
            table = self.tables.get(number)
            key = (
                tuple(kept),
                block.function if table is None else (id(table.table), id(table.care)),
            )
            if key not in made:
                function = (table or Loose.of(net, block)).outputs(kept).function()
                made[key] = index.setdefault(function.digest, len(functions))
                if made[key] == len(functions):
                    functions.append(function)
            at = made[key]
            blocks.append(
                replace(
                    block,
                    function=at,
                    inputs=tuple(place[s] for s in self.inputs(number)),
                    outputs=tuple(place[block.outputs[b]] for b in kept),
                )
            )
        return replace(
            net,
            functions=tuple(functions),
            blocks=tuple(blocks),
            output_signals=tuple(place[s] for s in outputs),
        )


def _moved(block: Block, read: Mapping[int, int], place: dict[int, int]) -> Block:
    """Renumber the signals of an arithmetic block."""
    if isinstance(block, Instance):
        raise TypeError(block.origin)
    for s in block.outputs:
        place[s] = len(place)
    words = tuple(Word(tuple(read[s] for s in w.signals), w.signed) for w in block.words)
    result = Word(tuple(place[s] for s in block.outputs), block.result.signed)
    return replace(block, words=words, result=result)
