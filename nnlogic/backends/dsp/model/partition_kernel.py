"""Compiled search for the cuts of least traffic in a linear order."""

from __future__ import annotations

import numpy as np

from nnlogic.logic.kernel import compiled


@compiled()
def best_cuts(alive, most):  # type: ignore[no-untyped-def]
    """Choose cut positions of least total `alive` with at most `most` positions between them.

    `alive` is int64 (n + 1): values that cross the cut before each position. Returns the cuts,
    ascending, without 0 and n. One part of at most `most` costs nothing; each cut costs what
    crosses it, and one more, so that equal traffic prefers fewer parts. Monotone queue, linear
    time.
    """
    n = len(alive) - 1
    cost = np.zeros(n + 1, np.int64)
    back = np.zeros(n + 1, np.int64)
    queue = np.empty(n + 1, np.int64)
    first, end = 0, 1
    queue[0] = 0
    for p in range(1, n + 1):
        while queue[first] < p - most:
            first += 1
        back[p] = queue[first]
        cost[p] = cost[queue[first]] + (alive[p] + 1 if p < n else 0)
        while end > first and cost[queue[end - 1]] >= cost[p]:
            end -= 1
        queue[end] = p
        end += 1
    count = 0
    p = n
    while p > 0:
        p = back[p]
        count += p > 0
    cuts = np.empty(count, np.int64)
    p = n
    for i in range(count - 1, -1, -1):
        p = back[p]
        cuts[i] = p
    return cuts
