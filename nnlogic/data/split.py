"""Fixed splits: seeded, and the same share of every class in each part where asked."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.formats import IntArray


def take(
    labels: NDArray, share: float, seed: int, *, stratified: bool
) -> tuple[IntArray, IntArray]:
    """Split rows at random in two.

    Parameters
    ----------
    labels : array, shape (rows, ...)
        Classes where `stratified`.
    share : float
        Of the rows that are taken.
    seed : int
    stratified : bool
        Take this share, rounded, of every class.

    Returns
    -------
    rest, taken : int64 arrays
        Row numbers, in a random order.
    """
    order = np.random.default_rng(seed).permutation(len(labels))
    if not stratified:
        cut = round(share * len(labels))
        return order[cut:], order[:cut]
    chosen = np.zeros(len(labels), dtype=bool)
    shuffled = labels[order]
    for value in np.unique(labels):
        own = np.flatnonzero(shuffled == value)
        chosen[own[: round(share * len(own))]] = True
    return order[~chosen], order[chosen]
