"""Global sums row by row: of a map, a stream keeps one row and a sum for each row before."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nnlogic.core.archive import frozen
from nnlogic.core.formats import IntFormat
from nnlogic.core.names import unique_identifiers
from nnlogic.core.windows import Window
from nnlogic.quant.ir import Linear, QuantNet
from nnlogic.quant.kernel import WINDOW, Kernel
from nnlogic.quant.kernel_network import leading_windows
from nnlogic.quant.layers.windowed import Windowed


def by_rows(net: QuantNet) -> QuantNet:
    """Return a network whose leading global sums are sums of rows, and then sums of these.

    A window as large as the frame would keep the whole map. Averages are sums with thresholds. The
    sum of all rows keeps the name of the layer; other layers are the same objects.
    """
    layers = leading_windows(net)
    wide = [layer for layer in layers if global_sum(layer) is not None]
    if not wide:
        return net
    taken = [layer.name for layer in net.layers]
    names = unique_identifiers([*taken, *(f"{layer.name}_rows" for layer in wide)])[len(taken) :]
    made = {
        layer.name: _pair(layer, name, net.x_formats(layer)[0])
        for layer, name in zip(wide, names, strict=True)
    }
    found = tuple(part for layer in net.layers for part in made.get(layer.name, (layer,)))
    out = replace(net, layers=found)
    out.verify()
    return out


def global_sum(layer: Windowed) -> Linear | None:
    """Return the sum of a layer that sums each channel over a frame of several rows and columns."""
    frame, window = layer.frame, layer.window
    size = (frame.height, frame.width)
    whole = window.size == size and window.dilation == (1, 1) and not any(window.padding)
    if not whole or min(size) < 2 or layer.groups != frame.channels or len(layer.kernels) != 1:
        return None
    body = layer.kernels[0].layers
    total = body[0] if len(body) == 1 else None
    if not isinstance(total, Linear) or total.weights.shape != (1, window.taps):
        return None
    return total if (total.weights == 1).all() else None


def _pair(layer: Windowed, name: str, fmt: IntFormat) -> tuple[Windowed, Windowed]:
    """Return sums of the rows of a map, and the sum of these, for codes of a format."""
    total = layer.kernels[0].layers[0]
    assert isinstance(total, Linear)
    height, width = layer.window.size
    out = IntFormat.holding(width * fmt.lo, width * fmt.hi)
    row = Linear("row", (WINDOW,), _ones(width), frozen([0], np.int64), None, (out,))
    rows = replace(
        layer, name=name, window=Window((1, width), (1, width)), kernels=(Kernel((row,)),)
    )
    rest = replace(
        layer, sources=(name,), frame=rows.output, window=Window((height, 1), (height, 1)),
        kernels=(Kernel((replace(total, weights=_ones(height)),)),),
    )  # fmt: skip
    return rows, rest


def _ones(count: int) -> np.ndarray:
    return frozen(np.ones((1, count)), np.int64)
