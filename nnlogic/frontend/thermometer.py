"""Features as bits of thermometers: the thresholds, and the layer that turns codes into bits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.archive import frozen
from nnlogic.core.formats import IntArray, IntFormat
from nnlogic.quant.ir import INPUT, Enumerated, InputQuantizer

BIT = IntFormat(1)


@dataclass(frozen=True)
class Thermometer:
    """An encoder of raw features.

    Attributes
    ----------
    quantizer : InputQuantizer
        Codes count the thresholds below a feature, of those that are used.
    formats : tuple of IntFormat
        Of the codes.
    layer : Enumerated
        ``compare``, the bits that are used, by feature and level.
    place : int64 array, shape (features, levels)
        Wires of that layer; -1 where a bit is not used.
    """

    quantizer: InputQuantizer
    formats: tuple[IntFormat, ...]
    layer: Enumerated
    place: IntArray


def thermometer(edges: NDArray[np.float32], used: NDArray[np.bool_]) -> Thermometer:
    """Return the encoder whose bits are 1 from some numbers on.

    Parameters
    ----------
    edges : float32 array, shape (features, levels)
        The smallest float32 value for which the bit is 1; infinite where there is none.
    used : bool array, shape (features, levels)
        Bits that any table reads.
    """
    place = np.full(edges.shape, -1, np.int64)
    quantizer: list[NDArray[np.float32]] = []
    formats: list[IntFormat] = []
    wires: list[tuple[int, ...]] = []
    tables: list[IntArray] = []
    for f, (row, mine) in enumerate(zip(edges, used, strict=True)):
        order = np.unique(row[mine & np.isfinite(row)])
        quantizer.append(frozen(order, np.float32))
        fmt = IntFormat.holding(0, max(1, len(order)))
        formats.append(fmt)
        for level in np.flatnonzero(mine):
            place[f, level] = len(wires)
            wires.append((f,))
            # A threshold that nothing reaches is a constant.
            edge = row[level]
            at = int(np.searchsorted(order, edge)) if np.isfinite(edge) else fmt.hi
            tables.append(frozen(np.arange(fmt.hi + 1) > at, np.int64))
    layer = Enumerated(
        "compare", (INPUT,), tuple(wires), tuple(tables), (BIT,) * len(wires), tuple(formats),
        "encoder",
    )  # fmt: skip
    return Thermometer(InputQuantizer(tuple(quantizer)), tuple(formats), layer, place)
