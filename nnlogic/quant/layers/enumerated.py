"""Enumerated: neurons given by their tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from nnlogic.core.bits import Words
from nnlogic.core.errors import Problem, UsageError
from nnlogic.core.fields import stored
from nnlogic.core.formats import IntArray, IntFormat
from nnlogic.quant.called import called, checked
from nnlogic.quant.layer import Formats, Layer

BITWISE = 8
"""Most inputs of a table that is computed for 64 samples at a time."""


@dataclass(frozen=True, eq=False)
class Enumerated(Layer):
    """Neurons given by their tables: encoders, and families defined only by enumeration.

    Attributes
    ----------
    inputs : tuple of tuple of int
        Per neuron, the wires it reads.
    tables : tuple of int64 arrays
        Per neuron, output value by input index; the index holds the raw codes of the wires
        read, first wire in the low bits.
    x_formats : tuple of IntFormat
        Of the wires of all sources.
    """

    kind = "Enumerated"
    name: str
    sources: tuple[str, ...]
    inputs: tuple[tuple[int, ...], ...]
    tables: tuple[IntArray, ...] = field(metadata=stored("sizes", ragged=True))
    formats: Formats
    x_formats: Formats
    role: str = "network"

    @classmethod
    def of(
        cls,
        name: str,
        functions: Callable[..., Any] | Sequence[Callable[..., Any]],
        *,
        inputs: Sequence[Sequence[int]],
        x_formats: Sequence[IntFormat],
        formats: IntFormat | Sequence[IntFormat],
        sources: Sequence[str] = ("input",),
        role: str = "network",
        arrays: bool = False,
    ) -> Enumerated:
        """Return a layer whose neurons are given as functions of the codes they read.

        Each is called on every combination of codes of its wires, once, now; what it gives is the
        neuron.

        Parameters
        ----------
        name : str
        functions : callable, or a sequence of them
            One for all neurons, or one each. Arguments are the codes of the wires that a neuron
            reads, in the order of `inputs`, as Python ints (signed where their format is); what
            comes back is the code the neuron gives, an integer.
        inputs : sequence of sequences of int
            Per neuron, the wires it reads: places among the wires of all `sources`.
        x_formats : sequence of IntFormat
            Of the wires of all `sources`: ``net.x_formats(layer)``, or the formats of the ports.
        formats : IntFormat, or a sequence of them
            Of what the neurons give.
        sources : sequence of str
            Layers read, one after another; ``"input"`` is the network's input ports.
        role : str
            ``"encoder"``, ``"network"`` or ``"output"``: where the report counts it.
        arrays : bool
            Call with int64 arrays of shape ``(2**bits,)``, all combinations at once, and take an
            array: for functions of NumPy or torch.

        Raises
        ------
        TooWide
            A neuron reads more than 16 bits.
        UsageError
            Results that are no integers of their format, the first of every neuron; or numbers
            of functions, inputs and formats that differ.
        """
        x_formats, reads = tuple(x_formats), tuple(tuple(map(int, one)) for one in inputs)
        each = [functions] * len(reads) if callable(functions) else list(functions)
        own = (formats,) * len(reads) if isinstance(formats, IntFormat) else tuple(formats)
        if not len(each) == len(reads) == len(own) or not reads:
            why = f"{len(each)} functions, {len(reads)} inputs, {len(own)} formats"
            raise UsageError("neurons that do not fit together", where=name, why=why)
        stray = [w for one in reads for w in one if not 0 <= w < len(x_formats)]
        if stray:
            why = f"wire {stray[0]}, of {len(x_formats)}"
            raise UsageError("a neuron reads a wire that does not exist", where=name, why=why)
        found = []
        for i, (function, wires, fmt) in enumerate(zip(each, reads, own, strict=True)):
            read = tuple(x_formats[w] for w in wires)
            results = called(function, read, arrays=arrays)
            found.append(checked(results, fmt, read, f"neuron {i}"))
        problems = [one for one in found if isinstance(one, Problem)]
        if problems:
            raise UsageError("neurons that do not fit their formats", where=name, problems=problems)
        tables = tuple(one for one in found if not isinstance(one, Problem))
        return cls(name, tuple(sources), reads, tables, own, x_formats, role)

    def evaluate(self, x: IntArray) -> IntArray:
        """Return output values, shape (samples, neurons)."""
        return np.stack([self._looked_up(i, x.T, x.shape[:1]) for i in range(len(self.tables))], 1)

    def columns(self, read: Callable[[int], IntArray], count: int) -> IntArray:
        """Return output values, shape (neurons, *shape of a wire), reading only what tables do."""
        wires = sorted({wire for one in self.inputs for wire in one} or {0})
        x = {wire: read(wire) for wire in wires}
        shape = x[wires[0]].shape
        return np.stack([self._looked_up(i, x, shape) for i in range(len(self.tables))])

    def _looked_up(
        self, neuron: int, x: IntArray | dict[int, IntArray], shape: tuple[int, ...]
    ) -> IntArray:
        index, shift = np.zeros(shape, dtype=np.int64), 0
        for wire in self.inputs[neuron]:
            raw = self.x_formats[wire].to_raw(x[wire])
            index |= raw << shift if shift else raw
            shift += self.x_formats[wire].bits
        return self.tables[neuron][index]

    @property
    def bitwise(self) -> bool:
        """Whether tables read and give unsigned bits, few enough for multiplexers."""
        formats = {self.x_formats[wire] for wires in self.inputs for wire in wires}
        narrow = max(map(len, self.inputs), default=0) <= BITWISE
        return narrow and formats.union(self.formats) <= {IntFormat(1)}

    def words(self, read: Callable[[int], Words]) -> Words:
        """Return output bits, every table as a tree of multiplexers."""
        out = []
        for wires, table in zip(self.inputs, self.tables, strict=True):
            rows = [read(wire) for wire in wires] or [read(0)]
            ones = np.full_like(rows[0], ~np.uint64(0))
            out.append(_multiplexed(tuple(table.tolist()), rows, ones, {}))
        return np.stack(out)

    def wires(self, neuron: int, x_formats: Formats) -> tuple[int, ...]:
        """Return the wires a neuron reads, those of its table."""
        return self.inputs[neuron]

    def problems(self, x_formats: Formats) -> list[str]:
        """Return what breaks the layer's rules."""
        if x_formats != self.x_formats:
            return ["input formats differ from those of the source layers"]
        if not len(self.inputs) == len(self.tables) == len(self.formats):
            return ["inputs, tables and formats differ in number"]
        out = []
        for i, (wires, table, fmt) in enumerate(
            zip(self.inputs, self.tables, self.formats, strict=True)
        ):
            if any(not 0 <= w < len(x_formats) for w in wires):
                out.append(f"neuron {i} reads a wire that does not exist")
                continue
            width = sum(x_formats[w].bits for w in wires)
            if table.shape != (1 << width,):
                out.append(f"neuron {i} has {table.shape} entries for {width} input bits")
            elif not fmt.contains(table):
                out.append(f"neuron {i} leaves its format {fmt}")
        return out

    def table(self, neuron: int, x_formats: Formats) -> IntArray:
        """Return a neuron's table."""
        return self.tables[neuron]

    def rewired(
        self, sources: tuple[str, ...], places: Sequence[int], x_formats: Formats
    ) -> Enumerated:
        """Return the layer with the same tables on the wires' new places."""
        inputs = tuple(tuple(places[wire] for wire in wires) for wires in self.inputs)
        return replace(self, sources=sources, inputs=inputs, x_formats=x_formats)

    def text(self, x_formats: Formats) -> str:
        """Return the fan-ins."""
        fans = [len(wires) for wires in self.inputs]
        return f"tables fan-in {min(fans)}..{max(fans)}"


def _multiplexed(
    table: tuple[int, ...], rows: list[Words], ones: Words, known: dict[tuple[int, ...], Words]
) -> Words:
    """Return the bits of a table, equal parts of it computed once."""
    if not any(table):
        return ones ^ ones
    if all(table):
        return ones
    if table not in known:
        half = len(table) // 2
        select = rows[half.bit_length() - 1]
        low, high = (_multiplexed(part, rows, ones, known) for part in (table[:half], table[half:]))
        known[table] = low if low is high else low ^ (select & (low ^ high))
    return known[table]


LAYER = Enumerated
