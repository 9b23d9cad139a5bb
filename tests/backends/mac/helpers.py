"""Random integer layers, for the multiply-accumulate backend."""

from __future__ import annotations

import numpy as np

from nnlogic.core.formats import IntFormat, Port
from nnlogic.quant.ir import INPUT, Argmax, Linear, QuantNet


def linear_net(
    seed: int = 1,
    *,
    inputs: int = 8,
    neurons: int = 5,
    bits: int = 4,
    signed: bool = False,
    weight_bits: int = 4,
    levels: int = 3,
    sparse: float = 0.2,
    scale: int = 1,
    argmax: bool = False,
) -> QuantNet:
    """One layer; `levels` 0 leaves plain sums, `argmax` asks for the largest of them."""
    rng = np.random.default_rng(seed)
    fmt = IntFormat(bits, signed)
    half = 1 << weight_bits - 1
    weights = rng.integers(-half, half, (neurons, inputs))
    weights[rng.random(weights.shape) < sparse] = 0
    weights[0, 0] = 1
    weights *= scale
    bias = rng.integers(-50, 50, neurons)
    low, high = (
        np.where(weights > 0, weights * a, weights * b).sum(axis=1) + bias
        for a, b in ((fmt.lo, fmt.hi), (fmt.hi, fmt.lo))
    )
    if levels:
        at = low[:, None] + (high - low)[:, None] * rng.random((neurons, levels))
        thresholds, out = np.sort(at.astype(np.int64), axis=1), IntFormat(levels.bit_length())
    else:
        thresholds = None
        out = IntFormat.holding(int(low.min()), max(0, int(high.max())))
        out = IntFormat(out.bits + (not out.signed), True)
    layers = [Linear("fc1", (INPUT,), weights, bias, thresholds, (out,) * neurons)]
    wires = tuple((Port(f"y{i}", out), "fc1", i) for i in range(neurons))
    if argmax:
        best = IntFormat(max(1, (neurons - 1).bit_length()))
        layers.append(Argmax("class", ("fc1",), (best,)))
        wires = ((Port("class", best), "class", 0),)
    ports = tuple(Port(f"x{i}", fmt) for i in range(inputs))
    net = QuantNet("sums", ports, tuple(layers), wires)
    net.verify()
    return net
