"""One pass over rows as they come: class vectors of a Hamming head learn from them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from nnlogic.core.archive import frozen
from nnlogic.core.errors import UnsupportedModel, UsageError
from nnlogic.core.formats import IntArray
from nnlogic.quant.confidence import scoring
from nnlogic.quant.ir import Linear, QuantNet

RATE = 0.01


@dataclass(frozen=True)
class Retrained:
    """What a pass gave.

    Attributes
    ----------
    net : QuantNet
        With the class vectors of the end.
    rows : int
    right : int
        Rows whose class was right when they came, before anything was learned from them.
    right_before : int
        Rows that the network is right about as it was.
    flipped : int
        Bits of the class vectors that changed.
    """

    net: QuantNet
    rows: int
    right: int
    right_before: int
    flipped: int


def head_of(net: QuantNet) -> Linear:
    """Return the layer that compares a binary vector with one of each class.

    Raises
    ------
    UnsupportedModel
        The scores of the network are something else.
    """
    chosen = scoring(net)
    found = [layer for layer in net.layers if layer.name in chosen.sources]
    head = found[0] if len(found) == 1 else None
    if isinstance(head, Linear) and head.thresholds is None:
        signs = (np.abs(head.weights) == 1).all()
        agrees = np.array_equal(head.bias, (head.weights < 0).sum(1))
        if signs and agrees and {f.bits for f in net.x_formats(head)} == {1}:
            return head
    raise UnsupportedModel(
        "the network has no class vectors", where=net.name,
        why="its scores are no counts of equal bits",
        fix='end the recipe in a layer with family = "hamming"',
    )  # fmt: skip


def retrain(net: QuantNet, codes: IntArray, labels: IntArray, *, rate: float = RATE) -> Retrained:
    """Go over rows once, with a step of logistic regression for each; no row is seen twice.

    Class vectors are the signs of counters, which begin as the vectors of the network and stay
    within +-1. After each row, every class's counters move along the row by `rate` times what its
    probability was wrong by; the gradient passes straight through the signs. The new vectors are
    the majority of those after each row of the second half: one alone follows the last mistakes.

    Parameters
    ----------
    net : QuantNet
        With a Hamming head, see `head_of`.
    codes : int64 array, shape (rows, inputs)
    labels : int64 array, shape (rows,)
    rate : float
        Above 0, at most 1: a bit changes after about ``1 / rate`` rows that are all wrong about it.

    Raises
    ------
    UsageError
        Labels are no classes, there are no rows, or `rate` makes no sense.
    UnsupportedModel
        See `head_of`.
    """
    head = head_of(net)
    if not 0 < rate <= 1:
        raise UsageError("the rate makes no sense", why=f"{rate}, need above 0, to 1")
    classes, length = head.weights.shape
    if not 0 < len(codes) == len(labels) or not 0 <= labels.min() <= labels.max() < classes:
        why = f"{len(codes)} rows, {len(labels)} labels, 0 to {classes - 1} wanted"
        raise UsageError("rows and labels do not fit", why=why)
    values = net.trace(codes)
    bits = np.concatenate([values[source] for source in head.sources], axis=1)
    signs = (2 * bits - 1).astype(np.float64)
    counters = head.weights.astype(np.float64)
    vectors, votes, right = counters.copy(), np.zeros_like(counters), 0
    for number, (row, label) in enumerate(zip(signs, labels.tolist(), strict=True)):
        scores = vectors @ row
        right += int(scores.argmax()) == label
        wrong = np.exp((scores - scores.max()) / length**0.5)
        wrong /= wrong.sum()
        wrong[label] -= 1
        counters = np.clip(counters - rate * wrong[:, None] * row, -1, 1)
        vectors = np.where(counters >= 0, 1.0, -1.0)
        votes += vectors * (2 * number >= len(signs) - 1)
    after = np.where(votes >= 0, 1, -1)
    before = (signs @ head.weights.T).argmax(1)
    made = replace(head, weights=frozen(after, np.int64), bias=frozen((after < 0).sum(1), np.int64))
    out = replace(net, layers=tuple(made if layer is head else layer for layer in net.layers))
    out.verify()
    flipped = int((after != head.weights).sum())
    return Retrained(out, len(codes), right, int((before == labels).sum()), flipped)
