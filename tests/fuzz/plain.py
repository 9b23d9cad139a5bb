"""Networks as JSON data, and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnlogic.core.archive import frozen
from nnlogic.core.formats import IntFormat, Port
from nnlogic.core.windows import Frame, Window
from nnlogic.quant.ir import Argmax, Enumerated, InputQuantizer, Layer, Linear, QuantNet, Windowed
from nnlogic.quant.kernel import Kernel

from .reference import Net


def build(net: Net) -> QuantNet:
    """Return the verified QuantNet that data describe."""
    inputs = tuple(Port(name, IntFormat.parse(fmt)) for name, fmt in net["inputs"])
    formats = {"input": tuple(p.format for p in inputs)}
    layers = []
    for data in net["layers"]:
        x = tuple(f for source in data["sources"] for f in formats[source])
        layers.append(_layer(data, x))
        formats[data["name"]] = layers[-1].formats
    quantizer = None
    if net["quantizer"] is not None:
        quantizer = InputQuantizer(tuple(frozen(t, np.float32) for t in net["quantizer"]))
    out = QuantNet(
        name=net["name"],
        inputs=inputs,
        layers=tuple(layers),
        output_wires=tuple(
            (Port(port, formats[layer][wire]), layer, wire) for port, layer, wire in net["outputs"]
        ),
        quantizer=quantizer,
    )
    out.verify()
    return out


def _layer(data: Net, x: tuple[IntFormat, ...]) -> Layer:
    formats = tuple(IntFormat.parse(f) for f in data["formats"])
    common: dict[str, Any] = {
        "name": data["name"],
        "sources": tuple(data["sources"]),
        "formats": formats,
        "role": data["role"],
    }
    if data["kind"] == "Linear":
        n, bounds = len(formats), data["thresholds"]
        return Linear(
            weights=frozen(data["weights"], np.int64).reshape(n, len(x)),
            bias=frozen(data["bias"], np.int64),
            thresholds=None if bounds is None else frozen(bounds, np.int64).reshape(n, -1),
            **common,
        )
    if data["kind"] == "Enumerated":
        return Enumerated(
            inputs=tuple(tuple(wires) for wires in data["inputs"]),
            tables=tuple(frozen(t, np.int64) for t in data["tables"]),
            x_formats=x,
            **common,
        )
    if data["kind"] == "Windowed":
        return _windowed(data, x)
    return Argmax(**common)


def _windowed(data: Net, x: tuple[IntFormat, ...]) -> Windowed:
    frame, groups = Frame(*data["frame"]), data["groups"]
    window = Window(
        tuple(data["size"]), tuple(data["stride"]), tuple(data["padding"]), data["code"],
        tuple(data["dilation"]),
    )  # fmt: skip
    kernels = []
    for layers in data["kernels"]:
        formats = {"input": x[: frame.channels // groups] * window.taps}
        made = []
        for inner in layers:
            read = tuple(f for source in inner["sources"] for f in formats[source])
            made.append(_layer({**inner, "role": "network"}, read))
            formats[inner["name"]] = made[-1].formats
        kernels.append(Kernel(tuple(made)))
    return Windowed(
        data["name"], tuple(data["sources"]), frame, window, tuple(kernels), groups,
        data["shared"], role=data["role"],
    )  # fmt: skip


def describe(net: QuantNet) -> Net:
    """Inverse of `build`."""
    thresholds = None if net.quantizer is None else net.quantizer.thresholds
    return {
        "name": net.name,
        "inputs": [[p.name, str(p.format)] for p in net.inputs],
        "layers": [_described(layer) for layer in net.layers],
        "outputs": [[p.name, layer, wire] for p, layer, wire in net.output_wires],
        "quantizer": None if thresholds is None else [t.tolist() for t in thresholds],
    }


def _described(layer: Layer) -> Net:
    out: Net = {
        "kind": type(layer).__name__,
        "name": layer.name,
        "sources": list(layer.sources),
        "formats": [str(f) for f in layer.formats],
        "role": layer.role,
    }
    if isinstance(layer, Windowed):
        window = layer.window
        out |= {
            "frame": [layer.frame.channels, layer.frame.height, layer.frame.width],
            "size": list(window.size),
            "stride": list(window.stride),
            "padding": list(window.padding),
            "dilation": list(window.dilation),
            "code": window.padding_code,
            "groups": layer.groups,
            "shared": layer.shared,
            "kernels": [[_described(inner) for inner in k.layers] for k in layer.kernels],
        }
    if isinstance(layer, Linear):
        bounds = layer.thresholds
        out["weights"], out["bias"] = layer.weights.tolist(), layer.bias.tolist()
        out["thresholds"] = None if bounds is None else bounds.tolist()
    elif isinstance(layer, Enumerated):
        out["inputs"] = [list(wires) for wires in layer.inputs]
        out["tables"] = [t.tolist() for t in layer.tables]
    return out
