"""LutNetwork -> QuantNet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.archive import frozen
from nnlogic.core.formats import IntArray, IntFormat, Port
from nnlogic.model.outputs import classes_said, quantities_said
from nnlogic.nn.population.parts import LutNetwork, Part, Place
from nnlogic.nn.population.wiring import distinct, ends_kernel, needed, renumbered
from nnlogic.quant.ir import INPUT, Enumerated, InputQuantizer, Layer, Linear, QuantNet
from nnlogic.quant.kernel import WINDOW, Kernel
from nnlogic.quant.layers.windowed import Windowed
from nnlogic.quant.pooling import pooling
from nnlogic.quant.quantity import Quantity


def to_quantnet(
    network: LutNetwork,
    *,
    name: str,
    features: Sequence[str],
    thresholds: Sequence[NDArray],
    input_bits: int,
    classes: Sequence[str] = (),
    quantities: Sequence[Quantity] = (),
    info: Mapping[str, Any] | None = None,
) -> QuantNet:
    """Return the verified QuantNet of a trained network; tables nothing reads are dropped.

    Parameters
    ----------
    network : LutNetwork
    name : str
    features : sequence of str
    thresholds : sequence of float arrays
        Per feature, of the input quantizer; ``2 ** input_bits - 1`` each.
    input_bits : int
        Bits of every input code.
    classes : sequence of str
        What the last sums are scores of; or else
    quantities : sequence of Quantity
        what they stand for. Their output codes are unsigned: what that takes goes to the offset.
    info : mapping, optional
        JSON data for the checkpoint.
    """
    kept = needed(network)
    layers: list[Layer] = []
    source, x_formats = INPUT, (IntFormat(input_bits),) * len(features)
    before = np.arange(len(features))
    kernel: list[Layer] = []
    for i, (part, total, keep) in enumerate(zip(network.parts, network.sums, kept, strict=True)):
        pins = renumbered(network, i, before)
        before = keep
        if part.place is None:
            seen, reads = x_formats, source
        elif kernel:
            seen, reads = kernel[-1].formats, kernel[-1].name
        else:
            channels = len(x_formats) // part.place.frame.positions
            seen, reads = x_formats[:channels] * part.place.window.taps, WINDOW
        # Scores are compared with each other only: a common offset.
        made, start = _layers(part, total, pins, keep, reads, seen, alike=not quantities)
        if total is not None:
            before = np.arange(len(made[-1].formats))
        if total is not None and not total[3]:
            quantities = [
                replace(q, offset=q.offset - int(moved))
                for q, moved in zip(quantities, start if quantities else (), strict=True)
            ]
        if part.place is None:
            layers += made
        else:
            kernel += made
            if not ends_kernel(network.parts, i):
                continue
            layers += _on_map(part.place, tuple(kernel), source, channels)
            kernel = []
        source, x_formats = layers[-1].name, layers[-1].formats
    if quantities:
        said = quantities_said(source, x_formats, quantities)
    else:
        said = classes_said(source, x_formats, classes)
    net = QuantNet(
        name=name,
        inputs=tuple(Port(feature, IntFormat(input_bits)) for feature in features),
        layers=(*layers, *said.layers),
        output_wires=said.outputs,
        quantizer=InputQuantizer(tuple(frozen(t, np.float32) for t in thresholds)),
        info={**said.info, **(info or {})},
    )
    net.verify()
    return net


Sums = tuple[IntArray, IntArray, int, int]


def _layers(
    part: Part,
    total: Sums | None,
    pins: IntArray,
    keep: IntArray,
    source: str,
    x_formats: tuple[IntFormat, ...],
    *,
    alike: bool,
) -> tuple[list[Layer], IntArray]:
    """Return a part as layers that read wires of `source`, and what was added to its sums."""
    inputs, tables, formats, scale, offset = [], [], [], [], []
    for t in keep:
        wires, table = distinct(pins[t], part.tables[t], x_formats)
        low = int(table.min())
        step = int(np.gcd.reduce(table - low)) if total is not None else 1
        low = low if total is not None else 0
        table = (table - low) // max(step, 1)
        inputs.append(wires)
        tables.append(frozen(table, np.int64))
        formats.append(IntFormat.holding(0, max(1, int(table.max()))))
        scale.append(max(step, 1))
        offset.append(low)
    made = Enumerated(
        part.name, (source,), tuple(inputs), tuple(tables), tuple(formats), x_formats, part.role
    )
    if total is None:
        return [made], np.zeros(0, np.int64)
    weights, bias, shift, levels = total
    weights = weights[:, keep] * np.array(scale, dtype=np.int64)
    fixed = np.ptp(part.tables, axis=1) == 0
    fixed[keep] = False
    bias = bias + total[0][:, keep] @ np.array(offset, dtype=np.int64)
    bias = bias + total[0][:, fixed] @ part.tables[fixed, 0]
    step = 1 << shift if levels else 1
    linear, start = _linear(
        part.name + "_sum", made.name, made.formats, weights, bias, step, alike and not levels
    )
    if not levels:
        return [made, replace(linear, role="output")], start
    return [made, linear, _cut(part.name + "_code", linear, start, shift, levels)], start


def _on_map(place: Place, kernel: tuple[Layer, ...], source: str, channels: int) -> list[Windowed]:
    """Return a kernel at every position of a map of so many channels, and its pooling."""
    frame = replace(place.frame, channels=channels)
    convolved = Windowed(
        place.name, (source,), frame, place.window, (Kernel(kernel),), role=kernel[0].role
    )
    if place.pooling.taps == 1:
        return [convolved]
    name = f"{place.name}_pool"
    pooled = pooling(name, place.name, convolved.output, place.pooling, IntFormat(1), "max")
    return [convolved, pooled]


def _linear(
    name: str,
    source: str,
    x_formats: tuple[IntFormat, ...],
    weights: IntArray,
    bias: IntArray,
    step: int,
    alike: bool,
) -> tuple[Linear, IntArray]:
    """Return unsigned sums, and what was added to each to make it so: multiples of `step`.

    With `alike` the same is added to all.
    """
    top = np.array([f.hi for f in x_formats], dtype=np.int64)
    low = np.minimum(weights, 0) @ top + bias
    high = np.maximum(weights, 0) @ top + bias
    if alike:
        low = np.full(len(low), low.min())
    # Multiples of a power of two leave the code a selection of bits.
    start = -(low // step * step)
    linear = Linear(
        name=name,
        sources=(source,),
        weights=frozen(weights, np.int64),
        bias=frozen(bias + start, np.int64),
        thresholds=None,
        formats=tuple(IntFormat.holding(0, max(1, int(h))) for h in high + start),
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
