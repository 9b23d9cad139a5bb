"""One kernel of a windowed layer as a network of its own."""

from __future__ import annotations

from nnlogic.core.errors import UsageError
from nnlogic.core.formats import IntFormat, Port
from nnlogic.quant.ir import QuantNet
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
