"""LutNetwork -> QuantNet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.archive import frozen
from nnlogic.core.formats import IntArray, IntFormat, Port
from nnlogic.nn.population.parts import LutNetwork
from nnlogic.quant.ir import INPUT, Argmax, Enumerated, InputQuantizer, Layer, Linear, QuantNet


def to_quantnet(
    network: LutNetwork,
    *,
    name: str,
    features: Sequence[str],
    classes: Sequence[str],
    thresholds: Sequence[NDArray],
    input_bits: int,
    info: Mapping[str, Any] | None = None,
) -> QuantNet:
    """Return the verified QuantNet of a trained network; tables nothing reads are dropped.

    Parameters
    ----------
    network : LutNetwork
    name : str
    features, classes : sequences of str
    thresholds : sequence of float arrays
        Per feature, of the input quantizer; ``2 ** input_bits - 1`` each.
    input_bits : int
        Bits of every input code.
    info : mapping, optional
        JSON data for the checkpoint.
    """
    kept = _needed(network)
    layers: list[Layer] = []
    source, x_formats = INPUT, (IntFormat(input_bits),) * len(features)
    renumber = np.arange(len(features))
    for part, total, keep in zip(network.parts, network.sums, kept, strict=True):
        inputs, tables, formats, scale, offset = [], [], [], [], []
        for t in keep:
            wires, table = _distinct(renumber[part.pins[t]], part.tables[t], x_formats)
            low = int(table.min())
            step = int(np.gcd.reduce(table - low)) if total is not None else 1
            low = low if total is not None else 0
            table = (table - low) // max(step, 1)
            inputs.append(wires)
            tables.append(frozen(table, np.int64))
            formats.append(IntFormat.holding(0, max(1, int(table.max()))))
            scale.append(max(step, 1))
            offset.append(low)
        layers.append(
            Enumerated(
                part.name,
                (source,),
                tuple(inputs),
                tuple(tables),
                tuple(formats),
                x_formats,
                part.role,
            )
        )
        source, x_formats = part.name, tuple(formats)
        renumber = np.full(len(part.tables), -1)
        renumber[keep] = np.arange(len(keep))
        if total is None:
            continue
        weights, bias, shift, levels = total
        weights = weights[:, keep] * np.array(scale, dtype=np.int64)
        fixed = np.ptp(part.tables, axis=1) == 0
        fixed[keep] = False
        bias = bias + total[0][:, keep] @ np.array(offset, dtype=np.int64)
        bias = bias + total[0][:, fixed] @ part.tables[fixed, 0]
        linear, start = _linear(part.name + "_sum", source, x_formats, weights, bias, shift, levels)
        layers.append(linear)
        if levels:
            layers.append(_cut(part.name + "_code", linear, start, shift, levels))
        source, x_formats = layers[-1].name, layers[-1].formats
        renumber = np.arange(len(x_formats))
    chosen = IntFormat.holding(0, len(classes) - 1)
    layers.append(Argmax("argmax", (source,), (chosen,)))
    outputs = [(Port(f"score_{c}", x_formats[i]), source, i) for i, c in enumerate(classes)]
    net = QuantNet(
        name=name,
        inputs=tuple(Port(feature, IntFormat(input_bits)) for feature in features),
        layers=tuple(layers),
        output_wires=(*outputs, (Port("class", chosen), "argmax", 0)),
        quantizer=InputQuantizer(tuple(frozen(t, np.float32) for t in thresholds)),
        info={"class_names": list(classes), **(info or {})},
    )
    net.verify()
    return net


def _needed(network: LutNetwork) -> list[IntArray]:
    # From the outputs backwards: which tables of each part are read; constants under a sum are
    # part of its bias and stay only when nothing else is left to keep the layer alive.
    kept: list[IntArray] = []
    wanted: IntArray | None = None
    for part, total in zip(reversed(network.parts), reversed(network.sums), strict=True):
        if total is not None:
            used = (total[0] != 0).any(0) & (np.ptp(part.tables, axis=1) > 0)
            used[0] |= not used.any()
        else:
            used = np.zeros(len(part.tables), dtype=bool)
            used[wanted] = True
        keep = np.flatnonzero(used)
        kept.append(keep)
        wanted = np.unique(part.pins[keep])
    return kept[::-1]


def _distinct(
    wires: IntArray, table: IntArray, formats: tuple[IntFormat, ...]
) -> tuple[tuple[int, ...], IntArray]:
    # A wire read twice leaves rows that cannot occur; one pin of it remains.
    _, first = np.unique(wires, return_index=True)
    order = np.sort(first)
    if len(order) == len(wires):
        return tuple(int(w) for w in wires), table
    kept = wires[order]
    widths = [formats[w].bits for w in kept]
    index = np.arange(1 << sum(widths))
    value = {}
    at = 0
    for wire, width in zip(kept, widths, strict=True):
        value[int(wire)] = (index >> at) & ((1 << width) - 1)
        at += width
    full = np.zeros_like(index)
    at = 0
    for wire in wires:
        full |= value[int(wire)] << at
        at += formats[wire].bits
    return tuple(int(w) for w in kept), table[full]


def _linear(
    name: str,
    source: str,
    x_formats: tuple[IntFormat, ...],
    weights: IntArray,
    bias: IntArray,
    shift: int,
    levels: int,
) -> tuple[Linear, IntArray]:
    """Return an unsigned sum, and what was added to each to make it so."""
    top = np.array([f.hi for f in x_formats], dtype=np.int64)
    low = np.minimum(weights, 0) @ top + bias
    high = np.maximum(weights, 0) @ top + bias
    if levels:
        # Multiples of 2**shift leave the code a selection of bits.
        start = -((low >> shift) << shift)
    else:
        # Scores are compared with each other only: a common offset.
        start = np.full(len(low), -low.min())
    linear = Linear(
        name=name,
        sources=(source,),
        weights=frozen(weights, np.int64),
        bias=frozen(bias + start, np.int64),
        thresholds=None,
        formats=tuple(IntFormat.holding(0, max(1, int(h))) for h in high + start),
        role="network" if levels else "output",
    )
    return linear, start


def _cut(name: str, linear: Linear, start: IntArray, shift: int, levels: int) -> Enumerated:
    tables = []
    for fmt, moved in zip(linear.formats, start, strict=True):
        values = np.arange(1 << fmt.bits) - moved
        tables.append(frozen(np.clip(values >> shift, 0, levels - 1), np.int64))
    count = len(linear.formats)
    return Enumerated(
        name=name,
        sources=(linear.name,),
        inputs=tuple((i,) for i in range(count)),
        tables=tuple(tables),
        formats=(IntFormat.holding(0, levels - 1),) * count,
        x_formats=linear.formats,
    )
