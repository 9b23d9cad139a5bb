"""How far an approximated network is from the exact one, measured on rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.bits import Bools
from nnlogic.core.formats import IntArray
from nnlogic.quant.ir import QuantNet
from nnlogic.tables.ir import TableNet


@dataclass(frozen=True)
class Agreement:
    """Two networks on the same rows; all shares are percent of the rows.

    Attributes
    ----------
    rows : int
    same, same_words : float
        Rows with the same class (without a class output: the same outputs), and rows with all
        outputs the same.
    exact, approximate : float or None
        Rows classified right; None without labels or without a class output.
    lost : float
        Rows the exact network has right and the other wrong. Without labels the exact network
        counts as right.
    """

    rows: int
    same: float
    same_words: float
    exact: float | None
    approximate: float | None
    lost: float


def measure(
    net: QuantNet, tables: TableNet, codes: IntArray, labels: NDArray[np.int64] | None
) -> Agreement:
    """Evaluate both networks, each by its own code, and compare.

    Parameters
    ----------
    net : QuantNet
        The exact network.
    tables : TableNet
    codes : int64 array, shape (rows, inputs)
    labels : int64 array, shape (rows,), or None
    """
    expected, got = net.evaluate(codes), tables.evaluate(codes)
    words = (expected == got).all(axis=1)
    column = net.class_output
    if column is None:
        return Agreement(len(codes), _percent(words), _percent(words), None, None, _percent(~words))
    same = expected[:, column] == got[:, column]
    if labels is None:
        return Agreement(len(codes), _percent(same), _percent(words), None, None, _percent(~same))
    right, still = expected[:, column] == labels, got[:, column] == labels
    return Agreement(
        len(codes),
        _percent(same),
        _percent(words),
        _percent(right),
        _percent(still),
        _percent(right & ~still),
    )


def _percent(rows: Bools) -> float:
    return float(100 * np.mean(rows))
