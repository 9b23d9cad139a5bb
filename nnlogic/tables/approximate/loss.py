"""What an approximation loses, counted row by row against the exact network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.bits import Bools
from nnlogic.core.formats import IntArray

CONFIDENCE = 1.645
"""Standard errors added to a drop before it is compared with the budget: 95 %, one-sided."""


@dataclass(frozen=True, eq=False)
class Yardstick:
    """When an output is right, and on which rows the exact network is.

    Attributes
    ----------
    target : int64 array, shape (rows, columns)
        Labels; without labels, what the exact network gives.
    columns : tuple of int
        Outputs compared with `target`.
    exact_right : bool array, shape (rows,)
    measure : {"accuracy", "agreement"}
        Agreement with the exact network where there are no labels.
    """

    target: IntArray
    columns: tuple[int, ...]
    exact_right: Bools
    measure: Literal["accuracy", "agreement"]

    @staticmethod
    def of(column: int | None, exact: IntArray, labels: NDArray[np.int64] | None) -> Yardstick:
        """Return the yardstick for some rows.

        Parameters
        ----------
        column : int or None
            Output that labels belong to, if there is one.
        exact : int64 array, shape (rows, outputs)
            Outputs of the exact network.
        labels : int64 array, shape (rows,), or None
        """
        columns = tuple(range(exact.shape[1])) if column is None else (column,)
        if labels is None or column is None:
            everything = np.ones(len(exact), dtype=bool)
            return Yardstick(exact[:, columns], columns, everything, "agreement")
        right = exact[:, columns[0]] == labels
        return Yardstick(labels[:, None], columns, right, "accuracy")

    def right(self, outputs: IntArray, rows: NDArray[np.int64] | slice = slice(None)) -> Bools:
        """Return which outputs, of shape (rows, outputs), are right; `rows` says whose they are."""
        return (outputs[:, self.columns] == self.target[rows]).all(axis=1)

    def loss(self, right: Bools) -> float:
        """Return an upper bound of the drop, in percentage points, that new rows would show.

        The drop on these rows (rows lost less rows gained) plus `CONFIDENCE` standard errors of
        that difference between paired rows.

        Parameters
        ----------
        right : bool array, shape (rows,)
            Which rows the approximate network has right.
        """
        lost = int((self.exact_right & ~right).sum())
        gained = int((right & ~self.exact_right).sum())
        bound = lost - gained + CONFIDENCE * np.sqrt(lost + gained)
        return float(100 * bound / max(1, len(right)))
