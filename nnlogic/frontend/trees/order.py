"""The nodes of a tree in depth-first order, as `Tree` wants them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nnlogic.frontend.trees.ensemble import LEAF, Tree
from nnlogic.frontend.trees.limits import MOST_DEPTH


def ordered(
    output: int,
    feature: NDArray,
    bound: NDArray,
    left: NDArray,
    right: NDArray,
    value: NDArray,
) -> Tree:
    """Return a tree with its nodes in depth-first order, unreached ones left out.

    Parameters
    ----------
    output : int
        The score it adds to.
    feature, bound, left, right, value : arrays, shape (nodes,)
        As in `Tree`, in any order, from node 0.

    Raises
    ------
    ValueError
        The arrays differ in length, a child is none of the nodes, a node has two parents, or there
        are more than `MOST_DEPTH` splits one behind another.
    """
    n = len(left)
    lengths = {n, *(len(a) for a in (feature, bound, right, value))}
    if len(lengths) > 1 or not n:
        raise ValueError(f"arrays of {', '.join(str(k) for k in sorted(lengths))} nodes")
    if np.any((left == LEAF) != (right == LEAF)):
        raise ValueError("a node with one child")
    children = np.concatenate([left[left != LEAF], right[right != LEAF]])
    if np.any(children < 0) or np.any(children >= n):
        raise ValueError(f"a child that is none of the {n} nodes")
    order: list[int] = []
    stack = [(0, 0)]
    first, second = left.tolist(), right.tolist()
    while stack:
        node, depth = stack.pop()
        order.append(node)
        if len(order) > n:
            raise ValueError("it runs in circles")
        if first[node] != LEAF:
            if depth == MOST_DEPTH:
                raise ValueError(f"more than {MOST_DEPTH} splits one behind another")
            stack += [(second[node], depth + 1), (first[node], depth + 1)]
    place = np.full(n + 1, LEAF)
    place[order] = np.arange(len(order))
    return Tree(
        output,
        feature[order].astype(np.int64),
        bound[order].astype(np.float32),
        place[left[order]],
        place[right[order]],
        value[order].astype(np.float64),
    )
