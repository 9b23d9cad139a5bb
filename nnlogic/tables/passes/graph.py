"""Who computes and who reads what: a TableNet as a graph of units.

A *unit* is an input bit or a block: unit ``u < n_inputs`` is input bit ``u``, unit
``n_inputs + i`` is block ``i``. Units are in topological order. The code of a unit holds its
output bits, LSB first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nnlogic.core.formats import IntArray
from nnlogic.tables.ir import Block, Function, Instance, TableNet, block_inputs

MAX_CODE_BITS = 16


@dataclass(frozen=True)
class Pins:
    """The pins of a reader that one unit drives: pin ``pins[i]`` is bit ``places[i]`` of it."""

    unit: int
    pins: tuple[int, ...]
    places: tuple[int, ...]

    def spread(self, codes: IntArray) -> IntArray:
        """Return the part of the reader's table index that codes of the unit determine."""
        first, width = self.pins[0], len(self.pins)
        if self._straight:
            return (codes & ((1 << width) - 1)) << first
        out = np.zeros_like(codes)
        for pin, place in zip(self.pins, self.places, strict=True):
            out |= ((codes >> place) & 1) << pin
        return out

    @cached_property
    def _straight(self) -> bool:
        """Whether the pins are neighbours and carry the low bits of the code in order."""
        count = range(len(self.pins))
        return all(self.places[i] == i and self.pins[i] == self.pins[0] + i for i in count)


@dataclass(frozen=True, eq=False)
class Graph:
    """Structure of a TableNet, with what passes ask of it again and again."""

    net: TableNet

    @cached_property
    def driver(self) -> list[tuple[int, int]]:
        """(unit, place in its code) of every signal."""
        n = self.net.n_inputs
        out = [(s, 0) for s in range(n)]
        for i, block in enumerate(self.net.blocks):
            out += [(n + i, place) for place in range(len(block.outputs))]
        return out

    @cached_property
    def fan_in(self) -> list[tuple[Pins, ...]]:
        """Pins of every unit by driving unit, in the order of the first pin of each."""
        none: list[tuple[Pins, ...]] = [()] * self.net.n_inputs
        return none + [self.pins_of(block_inputs(b)) for b in self.net.blocks]

    @cached_property
    def atoms(self) -> list[int]:
        """Input bits each unit depends on, as a bit mask."""
        out = [1 << s for s in range(self.net.n_inputs)]
        for pins in self.fan_in[self.net.n_inputs :]:
            mask = 0
            for p in pins:
                mask |= out[p.unit]
            out.append(mask)
        return out

    def pins_of(self, signals: tuple[int, ...]) -> tuple[Pins, ...]:
        """Group signals by the unit that drives them."""
        found: dict[int, list[tuple[int, int]]] = {}
        for pin, signal in enumerate(signals):
            unit, place = self.driver[signal]
            found.setdefault(unit, []).append((pin, place))
        return tuple(
            Pins(unit, tuple(p for p, _ in at), tuple(b for _, b in at))
            for unit, at in found.items()
        )

    @cached_property
    def _blocks(self) -> list[Block | None]:
        return [None] * self.net.n_inputs + list(self.net.blocks)

    def block(self, unit: int) -> Block | None:
        """Return the block of a unit; None for an input bit."""
        return self._blocks[unit]

    def function(self, unit: int) -> Function | None:
        """Return the table of a unit; None when it is no table."""
        block = self.block(unit)
        return self.net.functions[block.function] if isinstance(block, Instance) else None

    def signals(self, unit: int) -> tuple[int, ...]:
        """Return the signals a unit drives."""
        block = self.block(unit)
        return (unit,) if block is None else tuple(block.outputs)

    def width(self, unit: int) -> int:
        """Bits of the code of a unit."""
        return len(self.signals(unit))

    @cached_property
    def _codes(self) -> dict[int, IntArray]:
        return {}

    def codes(self, unit: int) -> IntArray:
        """Return the code a table unit gives for every index, shape (2**inputs,)."""
        block = self.block(unit)
        if not isinstance(block, Instance):
            raise TypeError(f"unit {unit} is no table")
        if block.function not in self._codes:
            self._codes[block.function] = table_codes(self.net.functions[block.function])
        return self._codes[block.function]

    def cone(self, units: tuple[int, ...], stop: frozenset[int] = frozenset()) -> list[int]:
        """Return `units` and all they depend on, in topological order, not going below `stop`."""
        seen = set(units)
        todo = [u for u in units if u not in stop]
        while todo:
            for p in self.fan_in[todo.pop()]:
                if p.unit not in seen:
                    seen.add(p.unit)
                    if p.unit not in stop:
                        todo.append(p.unit)
        return sorted(seen)


def table_codes(function: Function) -> IntArray:
    """Return the output code for every index, shape (2**inputs,)."""
    out: IntArray = np.zeros(1 << function.n_inputs, dtype=np.int64)
    for bit, row in enumerate(function.table()):
        out |= row.astype(np.int64) << bit
    return narrow(out)


def narrow(codes: IntArray) -> IntArray:
    """Return codes of up to 16 bits in two bytes: look-ups are bound by memory."""
    if codes.max(initial=0) < 1 << MAX_CODE_BITS:
        return codes.astype(np.uint16)  # type: ignore[return-value]
    return codes


def table_index(parts: Iterable[IntArray]) -> IntArray:
    """Combine parts of a table index, arrays that broadcast together."""
    index: IntArray = np.zeros((), dtype=np.uint16)  # type: ignore[assignment]
    for part in parts:
        index = index | part
    return index
