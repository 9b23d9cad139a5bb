"""Whether a network is sure: how far its largest score is ahead, as further layers of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nnlogic.core.archive import frozen
from nnlogic.core.errors import UnsupportedModel
from nnlogic.core.formats import IntArray, IntFormat, Port
from nnlogic.quant.ir import INPUT, Layer, Linear, QuantNet
from nnlogic.quant.layer import Largest

SURE = "sure"


def scoring(net: QuantNet) -> Layer:
    """Return the layer that chooses the class.

    Raises
    ------
    UnsupportedModel
        The network chooses no largest score, or several.
    """
    found = [layer for layer in net.layers if isinstance(layer.arithmetic, Largest)]
    if len(found) != 1:
        raise UnsupportedModel(
            "the network cannot say how sure it is", where=net.name,
            why=f"it chooses a largest score {len(found)} times",
            fix="a network of classes that ends in an argmax",
        )  # fmt: skip
    return found[0]


def margins(net: QuantNet, codes: IntArray) -> IntArray:
    """Return how far the largest score is ahead of the second, int64 (samples,).

    Parameters
    ----------
    net : QuantNet
    codes : int64 array, shape (samples, inputs)
    """
    layer, values = scoring(net), net.trace(codes)
    scores = np.concatenate([values[source] for source in layer.sources], axis=1)
    top = np.sort(scores, axis=1)
    out: IntArray = top[:, -1] - top[:, -2]
    return out


def with_confidence(net: QuantNet, margin: int) -> QuantNet:
    """Return the network with one more output, ``sure``: a score is so far ahead of all others.

    Parameters
    ----------
    net : QuantNet
        With an argmax over two scores or more.
    margin : int
        In steps of the scores, 1 or more.

    Raises
    ------
    UnsupportedModel
        See `scoring`; or the name is taken.
    """
    layer = scoring(net)
    taken = {INPUT, *(la.name for la in net.layers), *(p.name for p in net.outputs)}
    names = [f"{SURE}_pairs", f"{SURE}_each", SURE]
    if taken & set(names):
        why = f"{', '.join(sorted(taken & set(names)))} is there already"
        raise UnsupportedModel("the network cannot say how sure it is", where=net.name, why=why)
    count = len(net.x_formats(layer))
    pairs = [(i, j) for i in range(count) for j in range(count) if i != j]
    ahead = np.zeros((len(pairs), count), np.int64)
    ahead[np.arange(len(pairs)), [i for i, _ in pairs]] = 1
    ahead[np.arange(len(pairs)), [j for _, j in pairs]] = -1
    every = np.array([[int(i == winner) for i, _ in pairs] for winner in range(count)])
    layers = (
        _counting(names[0], layer.sources, ahead, margin),
        _counting(names[1], (names[0],), every, count - 1),
        _counting(names[2], (names[1],), np.ones((1, count), np.int64), 1),
    )
    out = replace(
        net,
        layers=(*net.layers, *layers),
        output_wires=(*net.output_wires, (Port(SURE, IntFormat(1)), SURE, 0)),
    )
    out.verify()
    return out


def _counting(name: str, sources: tuple[str, ...], weights: IntArray, least: int) -> Linear:
    # One bit a neuron: whether the sum is at least that.
    n = len(weights)
    bounds, none = np.full((n, 1), least), np.zeros(n)
    return Linear(
        name, sources, frozen(weights, np.int64), frozen(none, np.int64), frozen(bounds, np.int64),
        (IntFormat(1),) * n, "output",
    )  # fmt: skip
