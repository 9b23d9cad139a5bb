"""Parts of a network with windows as networks: its kernels, and what reads the last map."""

from __future__ import annotations

from dataclasses import replace

from nnlogic.core.errors import UsageError
from nnlogic.core.formats import IntFormat, Port
from nnlogic.core.names import Identifier, unique_identifiers
from nnlogic.quant.ir import INPUT, QuantNet
from nnlogic.quant.layers.windowed import Windowed

Formats = tuple[IntFormat, ...]


def kernel_network(layer: Windowed, x_formats: Formats, kernel: int = 0) -> QuantNet:
    """Return a kernel as a network: the window goes in, the channels come out.

    Parameters
    ----------
    layer : Windowed
    x_formats : tuple of IntFormat
        Of the map's wires.
    kernel : int
        Which of the layer's kernels.

    Returns
    -------
    QuantNet
        Input ports ``y<row>_x<column>_c<channel>`` in the order of the window's wires; output
        ports ``c<channel>``.

    Raises
    ------
    UsageError
        The layer has no such kernel.
    """
    if not 0 <= kernel < len(layer.kernels):
        raise UsageError(
            "no such kernel", where=layer.name, why=f"{kernel}, there are {len(layer.kernels)}"
        )
    group = kernel % layer.groups
    formats = layer.window_formats(x_formats, group)
    size = layer.frame.channels // layer.groups
    (height, width), body = layer.window.size, layer.kernels[kernel]
    names = [f"y{y}_x{x}_c{c}" for y in range(height) for x in range(width) for c in range(size)]
    outputs = tuple(
        (Port(f"c{c}", fmt), body.layers[-1].name, c) for c, fmt in enumerate(body.formats)
    )
    ports = tuple(Port(name, fmt) for name, fmt in zip(names, formats, strict=True))
    name = layer.name if len(layer.kernels) == 1 else f"{layer.name}_{kernel}"
    net = QuantNet(name, ports, body.layers, outputs)
    net.verify()
    return net


def leading_windows(net: QuantNet) -> tuple[Windowed, ...]:
    """Return the windowed layers at the beginning, each of which reads the one before."""
    out: list[Windowed] = []
    source = INPUT
    for layer in net.layers:
        if not isinstance(layer, Windowed) or layer.sources != (source,):
            break
        out.append(layer)
        source = layer.name
    return tuple(out)


def behind_windows(net: QuantNet, name: Identifier) -> QuantNet:
    """Return the layers behind the last map of `leading_windows` as a network of this name.

    The wires of the map are its input ports. There may be no layers, where only some of the wires
    go out. Nothing before the last map may be read.
    """
    layers = leading_windows(net)
    last = layers[-1]
    channels = last.output.channels
    names = unique_identifiers(
        f"{last.name}_p{at // channels}_c{at % channels}" for at in range(len(last.formats))
    )
    ports = tuple(Port(n, fmt) for n, fmt in zip(names, last.formats, strict=True))

    def source(layer: str) -> str:
        return INPUT if layer == last.name else layer

    rest = tuple(
        replace(layer, sources=tuple(map(source, layer.sources)))  # type: ignore[type-var]
        for layer in net.layers[len(layers) :]
    )
    outputs = tuple((port, source(layer), wire) for port, layer, wire in net.output_wires)
    info = {k: v for k, v in net.info.items() if k == "class_names"}
    dense = QuantNet(name, ports, rest, outputs, info=info)
    dense.verify()
    return dense
