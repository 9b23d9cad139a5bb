"""Sums of regression trees, as arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
LEAF = -1
PARTS = ("roots", "feature", "bound", "left", "right", "value")


@dataclass(frozen=True, eq=False)
class Trees:
    """Trees whose values add up.

    Attributes
    ----------
    roots : int array, shape (trees,)
        Index of the first node of each.
    feature : int array, shape (nodes,)
        What a node looks at; `LEAF` where it decides nothing.
    bound : float array, shape (nodes,)
        Not above it: to the left.
    left, right : int arrays, shape (nodes,)
        The next node, as an index.
    value : float array, shape (nodes,)
        Of leaves.
    """

    roots: NDArray[np.int64]
    feature: NDArray[np.int64]
    bound: Floats
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    value: Floats

    def predict(self, x: Floats) -> Floats:
        """Return the sums for rows of features, shape (rows,) for (rows, features)."""
        at = np.broadcast_to(self.roots, (len(x), len(self.roots))).copy()
        rows = np.arange(len(x))[:, None]
        while True:
            feature = self.feature[at]
            inner = feature != LEAF
            if not inner.any():
                return np.asarray(self.value[at].sum(axis=1))
            low = x[rows, np.maximum(feature, 0)] <= self.bound[at]
            at = np.where(inner, np.where(low, self.left[at], self.right[at]), at)
