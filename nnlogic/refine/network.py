"""Netlists as QuantNets: bits of the input codes, levels of tables, and the class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.archive import frozen
from nnlogic.core.formats import IntArray, IntFormat, Port
from nnlogic.quant.ir import CLASS, INPUT, Enumerated, InputQuantizer, Layer, QuantNet
from nnlogic.refine.netlist import Netlist

BIT = IntFormat(1)


def to_quantnet(
    net: Netlist,
    *,
    name: str,
    inputs: tuple[Port, ...],
    thresholds: tuple[NDArray[np.float32], ...] | None,
    info: Mapping[str, Any],
) -> QuantNet:
    """Return the verified QuantNet of a netlist that says a class.

    Of each input code only the bits down to the lowest that is read are left. Codes of the class
    that stand for none are said as the last class.

    Parameters
    ----------
    net : Netlist
    name : str
    inputs : tuple of Port
        Whose bits, LSB first, are the input signals.
    thresholds : tuple of float32 arrays, or None
        Of the input quantizer, where there is one.
    info : mapping
        With ``class_names``.
    """
    low = lowest_read(net, inputs)
    ports = tuple(
        Port(port.name, IntFormat(port.format.bits - less))
        for port, less in zip(inputs, low, strict=True)
    )
    bits, signals = _bits(net, inputs, ports, low)
    layers: list[Layer] = [bits]
    names = [bits.name]
    for number, nodes in enumerate(by_level(net)):
        pins = [[int(s) for s in net.pins[i] if s >= 0] for i in nodes]
        tables = [_table(net, i, len(wires)) for i, wires in zip(nodes, pins, strict=True)]
        layers.append(
            Enumerated(
                f"luts{number}", tuple(names),
                tuple(tuple(signals[s] for s in wires) for wires in pins),
                tuple(tables), (BIT,) * len(nodes), (BIT,) * len(signals),
            )
        )  # fmt: skip
        names.append(f"luts{number}")
        signals |= {net.n_in + i: len(signals) + place for place, i in enumerate(nodes)}
    classes = len(info["class_names"])
    chosen = IntFormat.holding(0, classes - 1)
    # An output of -1 is the constant 0; some wire has to be read all the same.
    places = [j for j, s in enumerate(net.outputs) if s >= 0]
    wires = tuple(signals[int(net.outputs[j])] for j in places) or (0,)
    index = np.arange(1 << len(wires))
    codes = sum((index >> n & 1) << j for n, j in enumerate(places)) + 0 * index
    codes = np.minimum(codes, classes - 1)
    layers.append(
        Enumerated(
            CLASS, tuple(names), (wires,), (frozen(codes, np.int64),), (chosen,),
            (BIT,) * len(signals), "output",
        )
    )  # fmt: skip
    quantizer = None
    if thresholds is not None:
        kept = (t[(1 << b) - 1 :: 1 << b] for t, b in zip(thresholds, low, strict=True))
        quantizer = InputQuantizer(tuple(frozen(t, np.float32) for t in kept))
    made = QuantNet(
        name, ports, tuple(layers), ((Port(CLASS, chosen), CLASS, 0),), quantizer, dict(info)
    )
    made.verify()
    return made


def lowest_read(net: Netlist, inputs: tuple[Port, ...]) -> list[int]:
    """Return the lowest bit that is read of each code; the top one where none is."""
    read = np.isin(np.arange(net.n_in), inputs_read(net))
    out, at = [], 0
    for port in inputs:
        found = np.flatnonzero(read[at : at + port.format.bits])
        out.append(int(found[0]) if found.size else port.format.bits - 1)
        at += port.format.bits
    return out


def inputs_read(net: Netlist) -> IntArray:
    """Return the input signals that are read, each once."""
    used = np.unique(np.concatenate([net.pins[net.order].ravel(), net.outputs]))
    return used[(used >= 0) & (used < net.n_in)]


def by_level(net: Netlist) -> list[list[int]]:
    """Return the nodes level by level: each reads signals of lower levels only."""
    level: dict[int, int] = {}
    for i in net.order.tolist():
        read = [int(s) - net.n_in for s in net.pins[i] if s >= net.n_in]
        level[i] = 1 + max((level[j] for j in read), default=-1)
    count = max(level.values(), default=-1) + 1
    return [[i for i in level if level[i] == n] for n in range(count)]


def _table(net: Netlist, node: int, wires: int) -> IntArray:
    value = int(net.tables[node])
    return frozen(np.array([value >> i & 1 for i in range(1 << wires)]), np.int64)


def _bits(
    net: Netlist, inputs: tuple[Port, ...], ports: tuple[Port, ...], low: list[int]
) -> tuple[Enumerated, dict[int, int]]:
    """Return the layer that gives the bits that are read, and the wire of each input signal."""
    used = inputs_read(net)
    if not len(used):
        used = np.array([inputs[0].format.bits - 1])
    starts = np.cumsum([0, *(p.format.bits for p in inputs)])
    feature = np.searchsorted(starts, used, side="right") - 1
    tables = []
    for signal, f in zip(used.tolist(), feature.tolist(), strict=True):
        bit = signal - int(starts[f]) - low[f]
        codes = np.arange(1 << ports[f].format.bits)
        tables.append(frozen(codes >> bit & 1, np.int64))
    layer = Enumerated(
        "bits", (INPUT,), tuple((int(f),) for f in feature), tuple(tables), (BIT,) * len(used),
        tuple(p.format for p in ports), "encoder",
    )  # fmt: skip
    return layer, {int(s): k for k, s in enumerate(used)}
