"""Write a network with a median layer: python make_network.py FILE."""

import sys
from pathlib import Path

import numpy as np
from nnlogic_median import Median

from nnlogic.core.formats import IntFormat, Port
from nnlogic.quant.ir import INPUT, Argmax, Linear, QuantNet

U2 = IntFormat(2)


def network() -> QuantNet:
    """Return medians of three of six inputs, a linear layer on them, and an argmax."""
    median = Median("median", (INPUT,), ((0, 1, 2), (1, 3, 5), (2, 4, 5), (0, 3, 4)), (U2,) * 4)
    weights = np.array([[2, -1, 0, 1], [-1, 0, 3, 1], [1, 1, 1, 0]])
    bounds = np.array([[0, 3, 6], [-1, 2, 5], [2, 4, 7]])
    scores = Linear("scores", ("median",), weights, np.zeros(3, np.int64), bounds, (U2,) * 3)
    best = Argmax("class", ("scores",), (U2,))
    inputs = tuple(Port(f"x{i}", U2) for i in range(6))
    return QuantNet("medians", inputs, (median, scores, best), ((Port("y", U2), "class", 0),))


if __name__ == "__main__":
    network().save(Path(sys.argv[1]))
