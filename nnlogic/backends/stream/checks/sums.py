"""Global sums row by row, against the network: exhaustive, since sums are linear."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nnlogic.core.windows import Frame
from nnlogic.quant.ir import Linear, QuantNet
from nnlogic.quant.kernel import Kernel
from nnlogic.quant.layers.windowed import Windowed


def other_sums(net: QuantNet, by_rows: QuantNet) -> str:
    """Return the first layer that is another one by rows; empty where all are the network's.

    A layer is the same object in both, or two that follow each other make it: all three without
    thresholds are linear in what a channel holds, so they are equal if they are on a map of zeros
    and on every map with one value that is not; thresholds, bias and formats are compared.
    """
    left = list(by_rows.layers)
    for layer in net.layers:
        if left and left[0] is layer:
            del left[0]
        elif len(left) > 1 and _same(layer, left[0], left[1]):
            del left[:2]
        else:
            return layer.name
    ends = (net.inputs, net.output_wires) == (by_rows.inputs, by_rows.output_wires)
    return "layers" if left or not ends else ""


def _same(layer: object, rows: object, rest: object) -> bool:
    three = (layer, rows, rest)
    if not all(isinstance(one, Windowed) for one in three):
        return False
    whole, first, second = (one for one in three if isinstance(one, Windowed))
    totals = [one.kernels[0].layers[0] for one in (whole, first, second)]
    plain = all(
        len(one.kernels) == len(one.kernels[0].layers) == 1 for one in (whole, first, second)
    )
    groups = {whole.groups, first.groups, second.groups, whole.frame.channels}
    if not plain or len(groups) > 1 or not all(isinstance(total, Linear) for total in totals):
        return False
    linear = [total for total in totals if isinstance(total, Linear)]
    chained = second.sources == (first.name,) and first.sources == whole.sources
    named = second.name == whole.name and second.formats == whole.formats
    last = np.array_equal(linear[0].bias, linear[2].bias) and _equal_or_none(
        linear[0].thresholds, linear[2].thresholds
    )
    if not (chained and named and last) or linear[1].thresholds is not None or linear[1].bias.any():
        return False
    positions = whole.frame.positions
    maps = np.concatenate([np.zeros((1, positions), np.int64), np.eye(positions, dtype=np.int64)])
    once = _of_one_channel(first, linear[1]).evaluate(maps)
    found = _of_one_channel(second, linear[2]).evaluate(once)
    return bool((found == _of_one_channel(whole, linear[0]).evaluate(maps)).all())


def _equal_or_none(a: np.ndarray | None, b: np.ndarray | None) -> bool:
    return a is b or (a is not None and b is not None and np.array_equal(a, b))


def _of_one_channel(layer: Windowed, total: Linear) -> Windowed:
    """Return the sums of one channel, without thresholds."""
    frame = Frame(1, layer.frame.height, layer.frame.width)
    kernel = Kernel((replace(total, thresholds=None),))
    return replace(layer, frame=frame, kernels=(kernel,), groups=1)
