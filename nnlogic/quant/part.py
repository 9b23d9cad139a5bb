"""Parts of a network that are networks of their own."""

from __future__ import annotations

import dataclasses

from nnlogic.core.formats import Port
from nnlogic.quant.ir import INPUT, QuantNet

CODE = "code_"
OF_OUTPUTS = ("quantities", "class_names", "error", "accuracy", "lut_estimate", "golden_rows")
"""What is said of outputs that a part does not have."""


def encoder_of(net: QuantNet, layer: str) -> QuantNet:
    """Return what computes a layer, whose wires are the outputs: the encoder of an autoencoder.

    Parameters
    ----------
    net : QuantNet
    layer : str
        Name of the layer.

    Returns
    -------
    QuantNet
        Verified; outputs ``code_0``, ``code_1``, ... in the order of the wires.
    """
    known = {la.name: la for la in net.layers}
    needed, todo = set[str](), [layer]
    while todo:
        name = todo.pop()
        if name != INPUT and name not in needed:
            needed.add(name)
            todo += known[name].sources
    outputs = tuple(
        (Port(f"{CODE}{i}", fmt), layer, i) for i, fmt in enumerate(known[layer].formats)
    )
    out = dataclasses.replace(
        net,
        name=f"{net.name}_encoder",
        layers=tuple(la for la in net.layers if la.name in needed),
        output_wires=outputs,
        info={k: v for k, v in net.info.items() if k not in OF_OUTPUTS} | {"part": "encoder"},
    )
    out.verify()
    return out
