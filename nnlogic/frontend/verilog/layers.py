"""Tables of a circuit as layers of a QuantNet: ports, wires and tables in its order of bits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from nnlogic.core.archive import frozen
from nnlogic.core.formats import IntArray, IntFormat, Port
from nnlogic.core.names import unique_identifiers
from nnlogic.frontend.verilog.trace import Circuit, Source
from nnlogic.quant.ir import INPUT, Enumerated, Layer

MAX_GROUP = 16  # bits of an input port
CONSTANT = "constant"

Wire = tuple[str, int]  # layer name and position in it


class LayerMaker:
    """Makes ports and layers.

    Input ports are the widest aligned groups of bits that every reader takes as a whole, so that
    features of several bits stay together. A neuron of several bits is one wire, unless some
    reader takes only a part of it: then each bit is a wire of its own.

    Attributes
    ----------
    inputs : tuple of Port
    layers : tuple of Layer
    output_wires : tuple of (Port, layer name, wire)
    """

    def __init__(self, circuit: Circuit) -> None:
        self.circuit = circuit
        self.formats: dict[str, list[IntFormat]] = {INPUT: []}
        self.place: dict[Source, tuple[Wire, int]] = {}  # the wire of a bit, and its bit there
        rows = [set(row) for row in circuit.sources]
        names = self._add_inputs(rows)
        whole = self._whole(rows)
        layers: list[Layer] = []
        groups = self._groups()
        labels = unique_identifiers([INPUT, CONSTANT, *(name for name, _ in groups)])[2:]
        for label, (_, cells) in zip(labels, groups, strict=True):
            layers.append(self._layer(label, cells, whole))
        outputs, constants = self._outputs()
        if constants:
            layers.append(constants)
        ports = unique_identifiers([*names, *(name for name, _ in outputs)])
        self.layers = tuple(layers)
        self.inputs = tuple(
            Port(name, fmt) for name, fmt in zip(ports, self.formats[INPUT], strict=False)
        )
        self.output_wires = tuple(
            (Port(name, self.formats[layer][wire]), layer, wire)
            for name, (_, (layer, wire)) in zip(ports[len(names) :], outputs, strict=True)
        )

    def _add_inputs(self, rows: Sequence[set[Source]]) -> list[str]:
        names = []
        direct = {s for row in self.circuit.outputs.values() for s in row}
        for port, width in self.circuit.inputs.items():
            readers = [{s.bit for s in row if s.of == port} for row in rows]
            passed = any(s.of == port for s in direct)
            size = 1 if passed else _group_size(width, [r for r in readers if r])
            for bit in range(width):
                wire = (INPUT, len(self.formats[INPUT]) + bit // size)
                self.place[Source(port, bit)] = wire, bit % size
            self.formats[INPUT] += [IntFormat(size)] * (width // size)
            count = width // size
            names += [port] if count == 1 else [f"{port}_{i}" for i in range(count)]
        return names

    def _whole(self, rows: Sequence[set[Source]]) -> list[bool]:
        """Whether every reader takes all bits of a table, by table."""
        circuit = self.circuit
        whole = [True] * len(circuit.cells)
        for row in rows:
            count: dict[int, int] = {}
            for s in row:
                if isinstance(s.of, int):
                    count[s.of] = count.get(s.of, 0) + 1
            for cell, bits in count.items():
                whole[cell] &= bits == circuit.cells[cell].outputs
        for outputs in circuit.outputs.values():
            at = 0
            while at < len(outputs):
                of = outputs[at].of
                size = circuit.cells[of].outputs if isinstance(of, int) else 1
                if isinstance(of, int) and outputs[at : at + size] != tuple(
                    Source(of, b) for b in range(size)
                ):
                    whole[of], size = False, 1
                at += size
        return whole

    def _groups(self) -> list[tuple[str, list[int]]]:
        """Tables by layer: those of one module that do not read each other, sources first."""
        circuit = self.circuit
        level: dict[int, int] = {}
        rank: dict[tuple[str, int], int] = {}
        groups: dict[tuple[str, int], list[int]] = {}
        after: dict[int, int] = {}  # the longest chain of groups below a table
        for cell in circuit.order:
            path = circuit.cells[cell].layer[0]
            below = {s.of for s in circuit.sources[cell] if isinstance(s.of, int)}
            own = [level[c] for c in below if circuit.cells[c].layer[0] == path]
            level[cell] = 1 + max(own, default=-1)
            after[cell] = 1 + max((after[c] for c in below), default=-1)
            key = path, level[cell]
            groups.setdefault(key, []).append(cell)
            rank[key] = max(rank.get(key, 0), after[cell])
        ordered = sorted(groups, key=lambda key: (rank[key], key[1]))
        position = {c: i for i, key in enumerate(ordered) for c in groups[key]}
        crossed = any(
            position[s.of] >= position[cell]
            for cell in circuit.order
            for s in circuit.sources[cell]
            if isinstance(s.of, int)
        )
        if crossed:  # modules that read each other: layers are levels then
            levels = sorted(set(after.values()))
            return [(f"level{n}", sorted(c for c in after if after[c] == n)) for n in levels]
        return [(circuit.cells[groups[k][0]].layer[1], sorted(groups[k])) for k in ordered]

    def _layer(self, name: str, cells: Iterable[int], whole: Sequence[bool]) -> Enumerated:
        circuit = self.circuit
        cells = list(cells)
        read = {self.place[s][0][0] for c in cells for s in circuit.sources[c] if s.of is not None}
        sources = [layer for layer in self.formats if layer in read] or [INPUT]
        offset: dict[str, int] = {}
        x_formats: list[IntFormat] = []
        for layer in sources:
            offset[layer] = len(x_formats)
            x_formats += self.formats[layer]
        formats: list[IntFormat] = []
        inputs: list[tuple[int, ...]] = []
        tables: list[IntArray] = []
        for cell in cells:
            wires, table = self._table(cell)
            pins = tuple(offset[layer] + wire for layer, wire in wires)
            bits = circuit.cells[cell].outputs
            for part in range(1 if whole[cell] else bits):
                first = len(formats)
                places = range(bits) if whole[cell] else (part,)
                for place, b in enumerate(places):
                    self.place[Source(cell, b)] = (name, first), place
                formats.append(IntFormat(len(places)))
                inputs.append(pins)
                tables.append(frozen(table if whole[cell] else table >> part & 1, np.int64))
        self.formats[name] = formats
        return Enumerated(
            name=name,
            sources=tuple(sources),
            inputs=tuple(inputs),
            tables=tuple(tables),
            formats=tuple(formats),
            x_formats=tuple(x_formats),
        )

    def _table(self, cell: int) -> tuple[list[Wire], IntArray]:
        """Return the wires a table reads, and the table by their codes, first wire lowest."""
        sources = self.circuit.sources[cell]
        wires = list(dict.fromkeys(self.place[s][0] for s in sources if s.of is not None))
        start, width = {}, 0
        for layer, wire in wires:
            start[layer, wire] = width
            width += self.formats[layer][wire].bits
        index = np.arange(1 << width)
        old = np.zeros(1 << width, np.int64)
        for pin, s in enumerate(sources):
            if s.of is None:
                old |= s.bit << pin
            else:
                at, b = self.place[s]
                old |= (index >> (start[at] + b) & 1) << pin
        table = self.circuit.cells[cell].table
        same = len(table) == len(index) and np.array_equal(old, index)
        return wires, table if same else table[old]

    def _outputs(self) -> tuple[list[tuple[str, Wire]], Enumerated | None]:
        out: list[tuple[str, Wire]] = []
        used: list[int] = []  # constant values, by wire of the constant layer
        for port, bits in self.circuit.outputs.items():
            wires: list[Wire] = []
            for s in bits:
                if s.of is None:
                    used += [] if s.bit in used else [s.bit]
                    wires.append((CONSTANT, used.index(s.bit)))
                    continue
                wire, b = self.place[s]
                wires += [] if b else [wire]
            single = len(wires) == 1
            out += [(port if single else f"{port}_{i}", w) for i, w in enumerate(wires)]
        if not used:
            return out, None
        formats = (IntFormat(1),) * len(used)
        self.formats[CONSTANT] = list(formats)
        tables = tuple(frozen([value], np.int64) for value in used)
        x_formats = tuple(self.formats[INPUT])
        pins: tuple[tuple[int, ...], ...] = ((),) * len(used)
        return out, Enumerated(CONSTANT, (INPUT,), pins, tables, formats, x_formats)


def _group_size(width: int, readers: Sequence[set[int]]) -> int:
    """Return the widest size of aligned groups that every reader takes as a whole or not."""
    for size in range(min(width, MAX_GROUP), 1, -1):
        if width % size == 0 and all(
            len({b // size for b in read}) * size == len(read) for read in readers
        ):
            return size
    return 1
