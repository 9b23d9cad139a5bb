"""Pooling: windowed layers whose kernel is the same small function for every channel."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nnlogic.core.archive import frozen
from nnlogic.core.errors import UsageError
from nnlogic.core.formats import IntArray, IntFormat
from nnlogic.core.windows import Frame, Window
from nnlogic.quant.kernel import WINDOW, Kernel
from nnlogic.quant.layer import Layer
from nnlogic.quant.layers.enumerated import Enumerated
from nnlogic.quant.layers.linear import Linear
from nnlogic.quant.layers.windowed import Windowed

ONE_TABLE = 10
"""Most bits of a window that become one table; wider ones are a tree of pairs."""


def pooling(
    name: str,
    source: str,
    frame: Frame,
    window: Window,
    fmt: IntFormat,
    how: str,
    *,
    role: str = "network",
) -> Windowed:
    """Return a pooling layer.

    Parameters
    ----------
    name, source : str
    frame : Frame
        Of the map that `source` emits.
    window : Window
        Its padding takes part with its code.
    fmt : IntFormat
        Of all channels.
    how : {"max", "min", "sum", "average"}
        The largest value (for bits, OR); the smallest (AND); the sum; the mean, rounded to the
        nearest integer, and up where it is half way.

    Raises
    ------
    UsageError
        Unknown `how`, or an average of signed integers.
    """
    if how not in MAKERS:
        raise UsageError("unknown pooling", why=repr(how), fix=f"one of {', '.join(MAKERS)}")
    if how == "average" and fmt.signed:
        raise UsageError("signed integers cannot be averaged", where=name, fix="use the sum")
    kernel = Kernel(MAKERS[how](window.taps, fmt))
    return Windowed(name, (source,), frame, window, (kernel,), frame.channels, role=role)


def global_pooling(
    name: str, source: str, frame: Frame, fmt: IntFormat, how: str, *, role: str = "network"
) -> Windowed:
    """Return pooling over the whole frame: one value a channel. Parameters as for `pooling`."""
    window = Window((frame.height, frame.width), (frame.height, frame.width))
    return pooling(name, source, frame, window, fmt, how, role=role)


def _sum(taps: int, fmt: IntFormat) -> tuple[Layer, ...]:
    weights = frozen(np.ones((1, taps)), np.int64)
    out = IntFormat.holding(taps * fmt.lo, taps * fmt.hi)
    return (Linear("sum", (WINDOW,), weights, frozen([0], np.int64), None, (out,)),)


def _average(taps: int, fmt: IntFormat) -> tuple[Layer, ...]:
    weights = frozen(np.ones((1, taps)), np.int64)
    levels = np.arange(1, fmt.hi + 1)
    # The mean reaches k - 1/2 where twice the sum reaches taps * (2k - 1).
    bounds = frozen([(taps * (2 * levels - 1) + 1) // 2], np.int64)
    return (Linear("average", (WINDOW,), weights, frozen([0], np.int64), bounds, (fmt,)),)


def _chosen(
    choose: Callable[..., IntArray],
) -> Callable[[int, IntFormat], tuple[Layer, ...]]:
    """Return a maker of the largest or the smallest value: one table, or a tree of them."""

    def make(taps: int, fmt: IntFormat) -> tuple[Layer, ...]:
        at_once = min(taps, max(2, ONE_TABLE // fmt.bits))
        layers: list[Layer] = []
        source, count = WINDOW, taps
        while count > 1 or not layers:
            inputs = tuple(
                tuple(range(i, min(i + at_once, count))) for i in range(0, count, at_once)
            )
            formats = (fmt,) * len(inputs)
            tables = tuple(_table(choose, len(wires), fmt) for wires in inputs)
            name = f"level{len(layers)}"
            layers.append(Enumerated(name, (source,), inputs, tables, formats, (fmt,) * count))
            source, count = name, len(inputs)
        return tuple(layers)

    return make


def _table(choose: Callable[..., IntArray], taps: int, fmt: IntFormat) -> IntArray:
    raw = np.arange(1 << (taps * fmt.bits))
    codes = [fmt.from_raw(raw >> (t * fmt.bits) & ((1 << fmt.bits) - 1)) for t in range(taps)]
    return frozen(choose(np.stack(codes), axis=0), np.int64)


MAKERS: dict[str, Callable[[int, IntFormat], tuple[Layer, ...]]] = {
    "max": _chosen(np.max), "min": _chosen(np.min), "sum": _sum, "average": _average,
}  # fmt: skip
