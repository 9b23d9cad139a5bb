"""Trees of a file, walked by a check of the first rung, against QuantNet.

Leaves are rounded by the rule of `nnlogic.frontend.trees.ensemble`, written down once more.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from nnlogic.checks.raw_rows import compare_on_rows
from nnlogic.checks.verdict import Verdict
from nnlogic.core.formats import IntArray
from nnlogic.quant.ir import QuantNet

Walked = Iterable[tuple[int, NDArray[np.float64], NDArray[np.float64]]]
"""Per tree: the score it adds to, the values of all its leaves, the value of every row."""


def rounded_scores(walked: Walked, base: NDArray[np.float64], rows: int, bits: int) -> IntArray:
    """Return the sums of rounded leaves, shape (rows, scores).

    Parameters
    ----------
    walked : iterable
    base : float64 array, shape (scores,)
        Scores to begin with, less where class 1 begins.
    rows, bits : int
    """
    trees = list(walked)
    step = max(float(np.ptp(leaves)) for _, leaves, _ in trees) / (2**bits - 1) or 1.0
    bias = np.array(base, dtype=np.float64)
    total = np.zeros((rows, len(bias)), dtype=np.int64)
    for output, leaves, values in trees:
        low = leaves.min()
        bias[output] += low
        total[:, output] += np.rint((values - low) / step).astype(np.int64)
    return total + np.rint(bias / step).astype(np.int64)


def compare_scores(
    net: QuantNet, rows: NDArray[np.float32], scores: IntArray, strict: bool, label: str
) -> Verdict:
    """Compare QuantNet with sums of rounded leaves.

    Parameters
    ----------
    net : QuantNet
        Its scores may differ from the sums by one constant, common to all classes; the class is
        compared as it is.
    rows : float32 array, shape (rows, features)
    scores : int64 array, shape (rows, scores)
    strict : bool
        Of one score, 0 is of class 0.
    label : str
    """
    if scores.shape[1] == 1:
        expected = (scores > 0 if strict else scores >= 0).astype(np.int64)
    else:
        shift = int(net.evaluate(net.encode(rows[:1]))[0, 0]) - int(scores[0, 0])
        expected = np.column_stack([scores + shift, scores.argmax(axis=1)])
    return compare_on_rows(net, rows, expected, label)
