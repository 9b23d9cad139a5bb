"""What a neuron costs in compiled LUT6, predicted without compiling it.

One formula, calibrated against the minimizer, with three measures of a neuron's width ``x``::

    luts = out_bits * (1 + 2 ** (a + b * x + c * log2(out_bits)))

- *shape*: input bits above six; needs no weights.
- *weights*: input bits above six that the weights let matter; differentiable, see `LutCost`.
- *tables*: log2 of the sub-functions six inputs above the bottom of a decision diagram; for a
  trained neuron of any family.

Up to six input bits that matter a neuron costs a LUT per output bit, which is not a prediction.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nnlogic.core.errors import UsageError
from nnlogic.core.formats import IntArray, IntFormat
from nnlogic.model.architecture import Architecture
from nnlogic.quant.ir import INPUT, QuantNet
from nnlogic.quant.layer import Largest, Layer

LUT_INPUTS = 6
WIDEST = 14
"""Most input bits of a neuron measured by its table, where it could be an adder instead."""
MAX_TABLE = 16
"""Most input bits of any table."""

Floats = NDArray[np.float64]
Parameters = tuple[float, float, float]


def formula(x: Any, out_bits: Any, parameters: Parameters) -> Any:
    """Return LUT6 for width `x` and `out_bits` (arrays or tensors, broadcast)."""
    a, b, c = parameters
    # out_bits ** c / 2 ** -(a + b x): the same for NumPy arrays and torch tensors.
    return out_bits * (1 + 2.0 ** (a + b * x) * out_bits**c)


@dataclass(frozen=True)
class CostModel:
    """Calibrated LUT6 of neurons, layers and networks.

    Attributes
    ----------
    effort : str
        Of the minimization it predicts.
    shape, weights, tables : (a, b, c)
        Parameters of the formula for each measure.
    argmax : (p, q)
        ``bits * (p * (classes - 1) + q * (classes - 2))`` LUT6 for an argmax: comparisons, and
        the larger score passed on by all but the last.
    facts : mapping
        What it was fitted to, and its error on neurons and networks held out.
    """

    effort: str
    shape: Parameters
    weights: Parameters
    tables: Parameters
    argmax: tuple[float, float]
    facts: Mapping[str, Any] = field(default_factory=dict)

    def neuron(self, in_bits: ArrayLike, out_bits: ArrayLike) -> Floats:
        """Return the LUT6 of neurons by their shape.

        Parameters
        ----------
        in_bits, out_bits : array_like
            Total input bits and output bits of each, broadcast.
        """
        n, m = np.asarray(in_bits, np.float64), np.asarray(out_bits, np.float64)
        wide = formula(np.maximum(n - LUT_INPUTS, 0), m, self.shape)
        return np.where(n <= LUT_INPUTS, m, wide)

    def choice(self, classes: int, bits: int) -> float:
        """Return the LUT6 of an argmax over scores of `bits` bits."""
        p, q = self.argmax
        return bits * (p * (classes - 1) + q * (classes - 2))

    def architecture(self, arch: Architecture) -> dict[str, float]:
        """Return the LUT6 of every layer, and of ``"argmax"``, before training.

        A neuron nothing reads costs nothing: a layer counts the neurons that the next one reads
        when it draws its connections evenly.
        """
        out: dict[str, float] = {}
        for i, spec in enumerate(arch.layers):
            bits = arch.in_bits(i)
            in_bits = sum(sorted(bits, reverse=True)[: spec.fan_in or len(bits)])
            live = float(spec.width)
            if i + 1 < len(arch.layers):
                after = arch.layers[i + 1]
                reads = after.width * min(after.fan_in or spec.width, spec.width)
                live *= 1 - (1 - 1 / spec.width) ** reads if spec.width > 1 else 1
            out[spec.name] = live * float(self.neuron(in_bits, spec.bits))
        out["argmax"] = self.choice(len(arch.classes), arch.layers[-1].bits)
        return out

    def network(self, net: QuantNet) -> dict[str, float]:
        """Return the LUT6 of every layer of a trained network, by the tables of its neurons.

        Neurons no output depends on cost nothing. Sums without thresholds are not predicted.

        Raises
        ------
        UsageError
            A neuron has too many input bits, or is a plain sum.
        """
        live = live_neurons(net)
        out: dict[str, float] = {}
        for layer in net.layers:
            formats = net.x_formats(layer)
            if isinstance(layer.arithmetic, Largest):
                out[layer.name] = self.choice(len(formats), max(f.bits for f in formats))
                continue
            picked = np.flatnonzero(live[layer.name])
            total = 0.0
            for i in picked:
                codes = neuron_codes(layer, int(i), formats)
                total += self.table(codes, layer.formats[i].bits)
            out[layer.name] = total
        return out

    def table(self, codes: IntArray, out_bits: int) -> float:
        """Return the LUT6 of one function, `codes` of shape ``(2**n,)``."""
        width, support = diagram_width(codes)
        if support <= LUT_INPUTS:
            return float(_distinct_outputs(codes, out_bits))
        return float(formula(width, float(out_bits), self.tables))


@cache
def cost_model(effort: str = "fast") -> CostModel:
    """Return the calibrated model for an effort of the minimizer.

    Raises
    ------
    UsageError
        Not calibrated for this effort.
    """
    data = json.loads((resources.files("nnlogic.predict") / "cost.json").read_text("utf-8"))
    if effort not in data:
        known = ", ".join(data)
        raise UsageError("no cost model for this effort", why=f"{effort!r}, known are {known}")
    return model_from_meta(effort, data[effort])


def model_from_meta(effort: str, meta: Mapping[str, Any]) -> CostModel:
    """Return the model a JSON object describes."""
    a, b, c = ((float(p), float(q), float(r)) for p, q, r in (meta[k] for k in MEASURES))
    p, q = meta["argmax"]
    return CostModel(effort, a, b, c, (float(p), float(q)), meta["facts"])


MEASURES = ("shape", "weights", "tables")


def neuron_codes(layer: Layer, neuron: int, formats: tuple[IntFormat, ...]) -> IntArray:
    """Return the raw output codes of a neuron for all its inputs, first wire in the low bits.

    Raises
    ------
    UsageError
        The neuron is a plain sum, or reads too many bits.
    """
    where = f"{layer.name}, neuron {neuron}"
    if not layer.tabular:
        raise UsageError("the cost of a plain sum is not predicted", where=where)
    width = sum(formats[w].bits for w in layer.wires(neuron, formats))
    widest = MAX_TABLE if layer.arithmetic is None else WIDEST
    if width > widest:
        raise UsageError(
            "neuron too wide for the cost model",
            where=where,
            why=f"{width} input bits, at most {widest}",
            fix="compile the network instead",
        )
    return layer.formats[neuron].to_raw(layer.table(neuron, formats))


def diagram_width(codes: IntArray) -> tuple[float, int]:
    """Measure how much there is to decide above the last six inputs of a function.

    Inputs are ordered by influence, the strongest on top; counted are the distinct
    sub-functions at every level down to six inputs from the bottom (column multiplicity).

    Parameters
    ----------
    codes : int array, shape (2**n,)

    Returns
    -------
    width : float
        log2 of their sum over the levels.
    support : int
        Inputs the function depends on.
    """
    n = len(codes).bit_length() - 1
    cube = codes.reshape((2,) * n)  # axis k is input bit n - 1 - k
    influence = np.array([np.mean(np.diff(cube, axis=k) != 0) for k in range(n)])
    support = int((influence > 0).sum())
    order = np.argsort(-influence, kind="stable")
    # Inputs without influence come last: one of each pair of equal entries is enough.
    table = np.ascontiguousarray(cube.transpose(order)).reshape(1 << support, -1)[:, 0]
    levels = range(1, support - LUT_INPUTS + 1)
    count = sum(len(np.unique(table.reshape(1 << k, -1), axis=0)) for k in levels)
    return float(np.log2(max(count, 1))), support


def live_neurons(net: QuantNet) -> dict[str, NDArray[np.bool_]]:
    """Return, per layer, which neurons some output depends on."""
    live = {layer.name: np.zeros(len(layer.formats), bool) for layer in net.layers}
    for _, name, wire in net.output_wires:
        if name != INPUT:
            live[name][wire] = True
    for layer in reversed(net.layers):
        formats, neurons = net.x_formats(layer), np.flatnonzero(live[layer.name]).tolist()
        needed = {w for i in neurons for w in layer.wires(i, formats)}
        start = 0
        for source in layer.sources:
            if source == INPUT:
                start += len(net.inputs)
                continue
            size = len(live[source])
            live[source] |= np.isin(np.arange(start, start + size), list(needed))
            start += size
    return live


def _distinct_outputs(codes: IntArray, out_bits: int) -> int:
    """Count output bits that are neither constant, nor equal, nor an input passed on."""
    n = len(codes).bit_length() - 1
    index = np.arange(len(codes))
    known = {((index >> b) & 1).tobytes() for b in range(n)}
    found = set()
    for b in range(out_bits):
        column = (codes >> b) & 1
        if column.min() != column.max() and column.tobytes() not in known:
            found.add(column.tobytes())
    return len(found)
