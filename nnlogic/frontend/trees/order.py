"""The nodes of a tree in depth-first order, as `Tree` wants them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nnlogic.frontend.trees.document import WrongValue, within
from nnlogic.frontend.trees.ensemble import LEAF, Tree
from nnlogic.frontend.trees.limits import DEPTH


def above(bound: NDArray) -> NDArray[np.float32]:
    """Return the smallest float32 above each float64: ``x > t`` is ``x >= above(t)`` for float32 x.

    Infinite where no finite float32 is.
    """
    with np.errstate(over="ignore"):
        near = np.asarray(bound, np.float64).astype(np.float32)
        return np.where(
            near.astype(np.float64) > bound, near, np.nextafter(near, np.float32(np.inf))
        )


def ordered(
    output: int,
    feature: NDArray,
    bound: NDArray,
    left: NDArray,
    right: NDArray,
    value: NDArray,
    name: str = "a tree",
) -> Tree:
    """Return a tree with its nodes in depth-first order, unreached ones left out.

    Parameters
    ----------
    output : int
        The score it adds to.
    feature, bound, left, right, value : arrays, shape (nodes,)
        As in `Tree`, in any order, from node 0.
    name : str
        For what is raised.

    Raises
    ------
    WrongValue
        The arrays differ in length, a child is none of the nodes, a node has two parents, or there
        are more than `DEPTH` splits one behind another.
    """
    n = len(left)
    lengths = {n, *(len(a) for a in (feature, bound, right, value))}
    if len(lengths) > 1 or not n:
        raise WrongValue(f"{name}: arrays of {', '.join(str(k) for k in sorted(lengths))} nodes")
    if np.any((left == LEAF) != (right == LEAF)):
        raise WrongValue(f"{name}: a node with one child")
    children = np.concatenate([left[left != LEAF], right[right != LEAF]])
    if np.any(children < 0) or np.any(children >= n):
        raise WrongValue(f"{name}: a child that is none of the {n} nodes")
    order: list[int] = []
    deepest = 0
    stack = [(0, 0)]
    first, second = left.tolist(), right.tolist()
    while stack:
        node, depth = stack.pop()
        order.append(node)
        if len(order) > n:
            raise WrongValue(f"{name}: it runs in circles")
        if first[node] != LEAF:
            deepest = max(deepest, depth + 1)
            stack += [(second[node], depth + 1), (first[node], depth + 1)]
    within(DEPTH, deepest, name)
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
