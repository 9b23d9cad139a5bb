"""Single neurons: random ones, and ones taken from layers trained on the bundled jet rows."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnlogic.core import bits
from nnlogic.logic.cone import function_of
from nnlogic.tables.ir import Function

ROWS = Path(__file__).parents[2] / "examples" / "jets" / "rows.npz"
HELD_OUT = 1000
STEPS, BATCH, RATE = 400, 256, 0.02

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def linear_function(weights: Floats, thresholds: Floats, fan_in_bits: int) -> Function:
    """Return the table of a neuron: how many thresholds its weighted sum of codes reaches.

    Parameters
    ----------
    weights : float array, shape (fan-in,)
    thresholds : float array, shape (2**outputs - 1,), increasing
    fan_in_bits : int
        Bits of each input code; inputs of the table are code by code, LSB first.
    """
    n = len(weights) * fan_in_bits
    index = np.arange(1 << n)
    mask = (1 << fan_in_bits) - 1
    codes = [(index >> (fan_in_bits * i)) & mask for i in range(len(weights))]
    sums = np.stack(codes, axis=1) @ weights
    value = np.searchsorted(thresholds, sums, side="right")
    outputs = (len(thresholds) + 1).bit_length() - 1
    return Function(n, bits.pack(((value >> np.arange(outputs)[:, None]) & 1).astype(bool)))


def random_neuron(rng: np.random.Generator, inputs: int, width: int, outputs: int) -> Function:
    """Gaussian weights; thresholds spread evenly over the middle of the sum's range."""
    weights = rng.normal(size=inputs)
    top = (1 << width) - 1
    center, spread = weights.sum() * top / 2, np.sqrt((weights**2).sum() * (top + 1) ** 2 / 12)
    steps = np.linspace(-1.2, 1.2, (1 << outputs) + 1)[1:-1]
    return linear_function(weights, center + spread * steps, width)


@cache
def jet_codes(width: int) -> tuple[Ints, Ints]:
    """Features of the jet rows as codes of `width` bits (equal shares per code), and classes."""
    with np.load(ROWS) as data:
        features, classes = data["X"].astype(np.float64), data["y"].astype(np.int64)
    edges = np.quantile(features[:-HELD_OUT], np.linspace(0, 1, (1 << width) + 1)[1:-1], axis=0)
    columns = [
        np.searchsorted(edges[:, i], features[:, i], side="right") for i in range(features.shape[1])
    ]
    return np.stack(columns, axis=1), classes


def trained_neurons(
    count: int, inputs: int, width: int, outputs: int, seed: int
) -> list[tuple[Function, Ints]]:
    """Train one sparse quantized layer under a linear readout and return its neurons.

    Softmax regression on the jet classes by Adam, straight-through gradients, the layer
    normalized over its batch as in LogicNets.

    Returns
    -------
    list of (function, features)
        The table, and the features the neuron reads.
    """
    rng = np.random.default_rng((seed, inputs, width, outputs))
    codes, classes = jet_codes(width)
    x, y = codes[:-HELD_OUT] / ((1 << width) - 1) - 0.5, np.eye(5)[classes[:-HELD_OUT]]
    reads = np.stack([rng.permutation(x.shape[1])[:inputs] for _ in range(count)])
    params = [rng.normal(size=(count, inputs)), np.zeros(count), np.zeros((count, 5)), np.zeros(5)]
    moments = [(np.zeros_like(p), np.zeros_like(p)) for p in params]
    levels = (1 << outputs) - 1
    for step in range(1, STEPS + 1):
        rows = rng.integers(0, len(x), BATCH)
        for p, (m, v), g in zip(
            params, moments, _gradients(x[rows][:, reads], y[rows], params, levels), strict=True
        ):
            m += 0.1 * (g - m)
            v += 0.01 * (g * g - v)
            p -= RATE * (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.99**step)) + 1e-8)
    weights, shift = params[0], params[1]
    sums = np.einsum("rni,ni->rn", x[:, reads], weights)
    mean, spread = sums.mean(axis=0), sums.std(axis=0) + 1e-6
    # Code c where levels * clip((sum - mean) / spread / 3 + 0.5 + shift) rounds to c.
    steps = (np.arange(levels) + 0.5) / levels - 0.5
    out = []
    for i in range(count):
        scale = 1 / ((1 << width) - 1)
        thresholds = mean[i] + 3 * spread[i] * (steps - shift[i]) + 0.5 * weights[i].sum()
        out.append((linear_function(weights[i] * scale, thresholds, width), reads[i]))
    return out


def _gradients(x: Floats, y: Floats, params: list[Floats], levels: int) -> list[Floats]:
    weights, shift, readout, bias = params
    sums = np.einsum("rni,ni->rn", x, weights)
    mean, spread = sums.mean(axis=0), sums.std(axis=0) + 1e-6
    z = (sums - mean) / spread / 3 + 0.5 + shift
    a = np.round(levels * np.clip(z, 0, 1)) / levels
    logits = a @ readout + bias
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    error = (p / p.sum(axis=1, keepdims=True) - y) / len(y)
    dz = (error @ readout.T) * ((z > 0) & (z < 1))
    centered = (sums - mean) / spread
    ds = (dz - dz.mean(axis=0) - centered * (dz * centered).mean(axis=0)) / spread / 3
    return [np.einsum("rn,rni->ni", ds, x), dz.sum(axis=0), a.T @ error, error.sum(axis=0)]


def observed(function: Function, reads: Ints, width: int) -> tuple[Function, Ints]:
    """Keep only the inputs seen in the training rows.

    Returns
    -------
    function : Function
        Its care set is what was seen.
    held_out : int array, shape (HELD_OUT,)
        Table index of each row that took no part.
    """
    codes, _ = jet_codes(width)
    index = (codes[:, reads] << (width * np.arange(len(reads)))).sum(axis=1)
    care = np.zeros(1 << function.n_inputs, bool)
    care[index[:-HELD_OUT]] = True
    return function_of(function.table(), care, "observed data"), index[-HELD_OUT:]
