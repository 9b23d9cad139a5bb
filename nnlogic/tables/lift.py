"""TableNet -> QuantNet: what tables mean, as a network that a run can begin with.

Words stay whole where they are read whole; elsewhere their bits are layers of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby

import numpy as np

from nnlogic.core.archive import frozen
from nnlogic.core.errors import UnsupportedModel
from nnlogic.core.formats import IntArray, IntFormat, LayerInfo, Port
from nnlogic.quant.ir import INPUT, Argmax, Enumerated, Linear, QuantNet
from nnlogic.quant.layer import Layer
from nnlogic.tables.ir import JUSTIFICATIONS, MAX_INPUTS, Block, Instance, Sum, TableNet, Threshold

OBSERVED = JUSTIFICATIONS[-1]
BIT = IntFormat(1)
SumOf = tuple[tuple[int, ...], int, tuple[int, ...] | None]
"""Weights, bias, and thresholds or None."""
How = IntArray | SumOf | None
SAME: SumOf = ((1,), 0, None)


def lift(tables: TableNet) -> tuple[QuantNet, TableNet]:
    """Return a network that gives what tables give, for all inputs.

    Don't-cares are taken as the zeros that stand there. Layers keep their names, with a number
    where one is made of several.

    Parameters
    ----------
    tables : TableNet

    Returns
    -------
    QuantNet, TableNet
        The second one is `tables` with the origins of the first, so that the two can be compared
        neuron by neuron.

    Raises
    ------
    UnsupportedModel
        Single bits are read of a word of more than `MAX_INPUTS` bits, or don't-cares are only
        observed in data.
    """
    if any(f.justification == OBSERVED for f in tables.functions):
        raise UnsupportedModel(
            "don't-cares that data never showed", where=tables.name,
            why="what the tables mean there is not stated",
            fix="compile the QuantNet they were made from, with mode='approximate'",
        )  # fmt: skip
    state = _Lift(tables)
    made = [state.add(block) for block in tables.blocks]
    outputs = [state.output(port.format, at) for port, at in _placed(tables)]
    places, layers = _layers(state.wires, len(tables.inputs), tables.layers)
    wires = tuple((port, *places[wire]) for port, wire in zip(tables.outputs, outputs, strict=True))
    net = QuantNet(tables.name, tables.inputs, tuple(layers), wires)
    net.verify()
    whole = {layer.name for layer in layers if isinstance(layer, Argmax)}
    blocks = []
    for block, wire in zip(tables.blocks, made, strict=True):
        name, neuron = places[wire]
        origin = name if name in whole else f"{name}/neuron{neuron}"
        blocks.append(replace(block, origin=origin))
    return net, replace(tables, blocks=tuple(blocks))


def _placed(tables: TableNet) -> Iterable[tuple[Port, tuple[int, ...]]]:
    at = 0
    for port in tables.outputs:
        yield port, tables.output_signals[at : at + port.format.bits]
        at += port.format.bits


@dataclass(frozen=True)
class _Wire:
    """A neuron of the network that is made: what it reads, and how.

    `how` is a table, weights with bias and thresholds, or None for an argmax or an input port.
    Neurons of one `set` above 0 are a layer of their own.
    """

    format: IntFormat
    level: int
    layer: int
    reads: tuple[int, ...] = ()
    how: How = None
    set: int = 0

    @property
    def group(self) -> tuple[int, int, int, str, int]:
        """What neurons of one layer have in common."""
        kind, levels = Linear.kind, 0
        if isinstance(self.how, np.ndarray):
            kind = Enumerated.kind
        elif self.how is None:
            kind = Argmax.kind
        elif self.how[2] is not None:
            levels = len(self.how[2]) + 1
        return self.level, self.layer, self.set, kind, levels


@dataclass
class _Lift:
    tables: TableNet
    wires: list[_Wire] = field(default_factory=list)
    words: dict[tuple[tuple[int, ...], bool], int] = field(default_factory=dict)
    home: dict[int, tuple[int, int]] = field(default_factory=dict)
    sets: int = 0

    def __post_init__(self) -> None:
        at = 0
        for port in self.tables.inputs:
            signals = tuple(range(at, at + port.format.bits))
            self._name(self._wire(_Wire(port.format, 0, 0)), signals)
            at += port.format.bits
        read = [w for b in self.tables.blocks if not isinstance(b, Instance) for w in b.words]
        self.signed = {word.signals for word in read if word.signed}
        self.signed |= {s for port, s in _placed(self.tables) if port.format.signed}

    def _wire(self, wire: _Wire) -> int:
        self.wires.append(wire)
        return len(self.wires) - 1

    def _neuron(self, fmt: IntFormat, layer: int, reads: Iterable[int], how: How) -> int:
        reads = tuple(reads)
        level = 1 + max((self.wires[w].level for w in reads), default=0)
        return self._wire(_Wire(fmt, level, layer, reads, how))

    def _apart(self, reads: tuple[int, ...], layer: int) -> tuple[int, ...]:
        """Return copies of wires that are a layer of their own, for an argmax to read."""
        self.sets += 1
        level = 1 + max(self.wires[w].level for w in reads)
        return tuple(
            self._wire(_Wire(self.wires[w].format, level, layer, (w,), SAME, self.sets))
            for w in reads
        )

    def _name(self, wire: int, signals: tuple[int, ...]) -> None:
        self.words[signals, self.wires[wire].format.signed] = wire
        self.home.update((s, (wire, bit)) for bit, s in enumerate(signals))

    def add(self, block: Block) -> int:
        """Return the wire of a block."""
        if isinstance(block, Instance):
            fmt = IntFormat(len(block.outputs), tuple(block.outputs) in self.signed)
            table = self.tables.functions[block.function].table()
            raw = (table.astype(np.int64) << np.arange(len(table))[:, None]).sum(axis=0)
            pins = self._pins(block.inputs, block.layer)
            made = self._neuron(fmt, block.layer, pins, frozen(fmt.from_raw(raw), np.int64))
        else:
            reads = tuple(self._word(w.signals, w.signed, block.layer) for w in block.words)
            how: How = None
            if isinstance(block, Sum | Threshold):
                thresholds = block.thresholds if isinstance(block, Threshold) else None
                how = (tuple(block.weights), int(block.bias), thresholds)
            else:
                reads = self._apart(reads, block.layer)
            made = self._neuron(block.result.format, block.layer, reads, how)
        self._name(made, tuple(block.outputs))
        return made

    def output(self, fmt: IntFormat, signals: tuple[int, ...]) -> int:
        """Return the wire of an output port; never that of an input."""
        wire = self._word(signals, fmt.signed, len(self.tables.layers) - 1)
        if self.wires[wire].level:
            return wire
        return self._neuron(fmt, len(self.tables.layers) - 1, (wire,), SAME)

    def _pins(self, signals: tuple[int, ...], layer: int) -> list[int]:
        """Return wires that hold the inputs of a table in their order."""
        out, at = [], 0
        while at < len(signals):
            wire, bit = self.home[signals[at]]
            width = self.wires[wire].format.bits
            whole = signals[at : at + width]
            if bit == 0 and any(self.words.get((whole, s)) == wire for s in (False, True)):
                out.append(wire)
                at += width
            else:
                out.append(self._bit(signals[at], layer))
                at += 1
        return out

    def _word(self, signals: tuple[int, ...], signed: bool, layer: int) -> int:
        """Return a wire with the integer that some signals are."""
        signals = tuple(signals)
        if (signals, signed) not in self.words:
            weights = [1 << i for i in range(len(signals))]
            weights[-1] *= -1 if signed else 1
            reads: dict[int, int] = {}
            for signal, weight in zip(signals, weights, strict=True):
                wire = self._bit(signal, layer)
                reads[wire] = reads.get(wire, 0) + weight
            how: How = (tuple(reads.values()), 0, None)
            fmt = IntFormat(len(signals), signed)
            self.words[signals, signed] = self._neuron(fmt, layer, reads, how)
        return self.words[signals, signed]

    def _bit(self, signal: int, layer: int) -> int:
        if ((signal,), False) not in self.words:
            wire, bit = self.home[signal]
            width = self.wires[wire].format.bits
            if width > MAX_INPUTS:
                raise UnsupportedModel(
                    "single bits of a wide word are read", where=self.tables.name,
                    why=f"bit {bit} of {width}, limit {MAX_INPUTS}",
                    fix="compile the QuantNet it was made from",
                )  # fmt: skip
            table = frozen(np.arange(1 << width) >> bit & 1, np.int64)
            self.words[(signal,), False] = self._neuron(BIT, layer, (wire,), table)
        return self.words[(signal,), False]


def _layers(
    wires: list[_Wire], n_inputs: int, infos: tuple[LayerInfo, ...]
) -> tuple[dict[int, tuple[str, int]], list[Layer]]:
    """Return where each wire is in the network, and its layers."""
    places = {wire: (INPUT, wire) for wire in range(n_inputs)}
    formats = {INPUT: tuple(w.format for w in wires[:n_inputs])}
    layers: list[Layer] = []
    order = sorted(range(n_inputs, len(wires)), key=lambda w: wires[w].group)
    for group, members in groupby(order, key=lambda w: wires[w].group):
        found = list(members)
        parts = [[w] for w in found] if group[2] == Argmax.kind else [found]
        for part in parts:
            info = infos[group[1]]
            name = _fresh(info.name, formats)
            layer = _layer(name, info.role, [wires[w] for w in part], places, formats)
            layers.append(layer)
            formats[name] = layer.formats
            places.update((w, (name, i)) for i, w in enumerate(part))
    return places, layers


def _fresh(name: str, used: Mapping[str, object]) -> str:
    number, made = 1, name
    while made in used:
        number += 1
        made = f"{name}_{number}"
    return made


def _layer(
    name: str,
    role: str,
    neurons: list[_Wire],
    places: dict[int, tuple[str, int]],
    formats: dict[str, tuple[IntFormat, ...]],
) -> Layer:
    """Return a layer of neurons that are alike."""
    given = tuple(dict.fromkeys(places[w][0] for n in neurons for w in n.reads)) or (INPUT,)
    starts = dict(zip(given, np.cumsum([0, *(len(formats[s]) for s in given)]), strict=False))
    reads = [tuple(int(starts[places[w][0]]) + places[w][1] for w in n.reads) for n in neurons]
    own = tuple(n.format for n in neurons)
    tables = [n.how for n in neurons if isinstance(n.how, np.ndarray)]
    if tables:
        x_formats = tuple(f for source in given for f in formats[source])
        return Enumerated(name, given, tuple(reads), tuple(tables), own, x_formats, role)
    sums = [n.how for n in neurons if isinstance(n.how, tuple)]
    if not sums:
        # An argmax reads all wires of its sources, in their order.
        return Argmax(name, given, own, role)
    weights = np.zeros((len(neurons), sum(len(formats[s]) for s in given)), np.int64)
    for row, (factors, _, _), at in zip(weights, sums, reads, strict=True):
        np.add.at(row, list(at), factors)
    bias = np.array([offset for _, offset, _ in sums], np.int64)
    limits = [bounds for _, _, bounds in sums if bounds is not None]
    thresholds = np.array(limits, np.int64) if limits else None
    return Linear(name, given, weights, bias, thresholds, own, role)
