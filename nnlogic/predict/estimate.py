"""LUTs of a trained network of any family, estimated without compiling it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.formats import IntFormat, Port
from nnlogic.predict.cost import WIDEST, CostModel, cost_model, live_neurons, neuron_codes
from nnlogic.quant.ir import QuantNet
from nnlogic.quant.layer import Formats, Largest, Layer, Sums
from nnlogic.quant.layers.windowed import Windowed

ADDER_BIT = 1.0
"""LUT6 per word bit that enters an adder tree."""
BOUND_BIT = 0.5
"""LUT6 per sum bit and threshold."""


def estimate_luts(net: QuantNet, model: CostModel | None = None) -> dict[str, float]:
    """Return the LUT6 of every layer, neurons no output depends on left out.

    Tables are predicted by the calibrated model; sums too wide for a table as a tree of adders
    with comparators, a rough count. A kernel on windows counts once, as where positions stream
    past it, not once per position.

    Parameters
    ----------
    net : QuantNet
    model : CostModel, optional
        Default: calibrated for effort fast.
    """
    model = model or cost_model()
    live = live_neurons(net)
    out = {}
    for layer in net.layers:
        formats = net.x_formats(layer)
        if isinstance(layer.arithmetic, Largest):
            out[layer.name] = model.choice(len(formats), max(f.bits for f in formats))
            continue
        if isinstance(layer, Windowed):
            out[layer.name] = _kernels(layer, formats, live[layer.name], model)
            continue
        total = 0.0
        for i in np.flatnonzero(live[layer.name]):
            sums = _adder_of(layer, int(i), formats)
            if sums is not None:
                wires = layer.wires(int(i), formats)
                total += _adder(sums, int(i), wires, formats)
            else:
                codes = neuron_codes(layer, int(i), formats)
                total += model.table(codes, layer.formats[i].bits)
        out[layer.name] = total
    return out


def luts_by_role(net: QuantNet) -> dict[str, float]:
    """Return the estimated LUT6 by role, rounded to a tenth, and their ``"total"``."""
    luts = estimate_luts(net)
    out = dict.fromkeys(("encoder", "network", "output"), 0.0)
    for layer in net.layer_infos:
        out[layer.role] += round(luts[layer.name], 1)
    return {role: round(count, 1) for role, count in {**out, "total": sum(out.values())}.items()}


def adder_luts(saved: Any, sum_bits: Any, bounds: int) -> Any:
    """Return the LUT6 of sums (numbers or tensors): a rough count.

    Parameters
    ----------
    saved
        Bits that enter less those of the sum, not negative.
    sum_bits
        Of the sum.
    bounds : int
        Thresholds it is compared with.
    """
    return ADDER_BIT * saved + BOUND_BIT * bounds * sum_bits


def _kernels(layer: Windowed, formats: Formats, live: NDArray[np.bool_], model: CostModel) -> float:
    """Return the LUT6 of every kernel in every group, of channels alive at any position."""
    channels = layer.output.channels // layer.groups
    needed: dict[tuple[int, int], NDArray[np.bool_]] = {}
    for use, alive in zip(layer.uses(), live.reshape(-1, channels), strict=True):
        key = (use.kernel, use.group)
        needed[key] = needed[key] | alive if key in needed else alive
    total = 0.0
    for (number, group), alive in needed.items():
        body, window = layer.kernels[number], layer.window_formats(formats, group)
        ports = tuple(Port(f"x{i}", fmt) for i, fmt in enumerate(window))
        outputs = tuple(
            (Port(f"c{c}", body.formats[c]), body.layers[-1].name, int(c))
            for c in np.flatnonzero(alive)
        )
        net = QuantNet(layer.name, ports, body.layers, outputs)
        total += sum(estimate_luts(net, model).values())
    return total


def _adder_of(layer: Layer, neuron: int, formats: tuple[IntFormat, ...]) -> Sums | None:
    """Return the sums of a layer where this neuron of it is too wide for a table, or plain."""
    sums = layer.arithmetic
    if not isinstance(sums, Sums):
        return None
    width = sum(formats[w].bits for w in layer.wires(neuron, formats))
    return sums if sums.thresholds is None or width > WIDEST else None


def _adder(
    sums: Sums, neuron: int, wires: tuple[int, ...], formats: tuple[IntFormat, ...]
) -> float:
    entering = sum(formats[w].bits for w in wires)
    bounds = 0 if sums.thresholds is None else len(np.unique(sums.thresholds[neuron]))
    top = sum(abs(int(sums.weights[neuron, w])) * formats[w].hi for w in wires)
    return float(adder_luts(max(0, entering - top.bit_length()), top.bit_length(), bounds))
