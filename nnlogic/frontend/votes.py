"""Classes by counting the ones of equal slices of a layer, as weightless networks decide."""

from __future__ import annotations

import numpy as np

from nnlogic.core.archive import frozen
from nnlogic.core.formats import IntFormat, Port
from nnlogic.quant.ir import Argmax, Layer, Linear


def by_votes(source: Layer, classes: int) -> tuple[list[Layer], tuple[Port, str, int]]:
    """Return the layers that count votes and choose, and the output that leaves the network.

    Parameters
    ----------
    source : Layer
        Of single bits. Each class has as many, the last ones the fewer where they do not divide.
    classes : int
        At least 2, at most the bits of `source`.

    Returns
    -------
    layers : list of Layer
        Sums called ``score``, and ``class``: the first of the largest.
    output : (Port, layer name, wire)
    """
    votes = len(source.formats)
    weights = np.zeros((classes, votes), np.int64)
    weights[np.arange(votes) // -(-votes // classes), np.arange(votes)] = 1
    score = tuple(IntFormat.holding(0, max(1, int(row.sum()))) for row in weights)
    index = IntFormat.holding(0, classes - 1)
    none = frozen(np.zeros(classes), np.int64)
    sums = Linear("score", (source.name,), frozen(weights, np.int64), none, None, score, "output")
    return [sums, Argmax("class", ("score",), (index,))], (Port("class", index), "class", 0)
