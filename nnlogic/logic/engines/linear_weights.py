"""Weights of a linear threshold staircase, with the widest margin."""

from __future__ import annotations

import numpy as np

from nnlogic.core.formats import IntArray
from nnlogic.logic.cone import input_patterns

BATCH = 200
"""Rows added to the linear program at a time; far fewer than all decide the result."""
MAX_ROUNDS = 60
MIN_MARGIN = 1e-6
FEW_ROWS = 1024


def margin_weights(levels: IntArray, count: int) -> np.ndarray | None:
    """Find a weight per input, such that the weighted sum plus a constant starts with the level.

    Parameters
    ----------
    levels : int64 array, shape (2**n,)
        Level of each row; negative where it does not matter.
    count : int
        Number of levels; steps are equal, the first and the last level are open.

    Returns
    -------
    float64 array, shape (n,), or None
        Weights in levels; None when the levels are not such a staircase.
    """
    from scipy.optimize import linprog

    n = levels.size.bit_length() - 1
    rows = np.flatnonzero(levels >= 0)
    x, level = input_patterns(n).T[rows].astype(np.float64), levels[rows]
    ones = np.ones((len(rows), 1))
    # Unknowns: weights, constant, margin. Lower bounds first, then upper ones.
    left = np.concatenate(
        [np.hstack([-x, -ones, ones])[level > 0], np.hstack([x, ones, ones])[level < count - 1]]
    )
    right = np.concatenate([-level[level > 0], level[level < count - 1] + 1.0])
    if not len(left):
        return np.zeros(n)
    active = np.random.default_rng(n).permutation(len(left))[:FEW_ROWS]
    objective = np.zeros(n + 2)
    objective[-1] = -1
    limits = [(None, None)] * (n + 1) + [(None, 0.5)]
    for _ in range(MAX_ROUNDS):
        result = linprog(objective, left[active], right[active], bounds=limits, method="highs")
        if result.status != 0 or result.x[-1] < MIN_MARGIN:
            return None
        excess = left @ result.x - right
        worst = np.argsort(-excess, kind="stable")[:BATCH]
        worst = worst[excess[worst] > MIN_MARGIN / 2]
        if not len(worst):
            weights: np.ndarray = result.x[:n]
            return weights
        active = np.union1d(active, worst)
    return None
