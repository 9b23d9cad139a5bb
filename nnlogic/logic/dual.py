"""LUTs with two outputs: two functions of five shared inputs in one cell, such as LUT6_2."""

from __future__ import annotations

import numpy as np

from nnlogic.logic.cone import Cone

SHARED = 5
"""Inputs of a cell with two outputs; the sixth chooses between its halves."""
NEAR = 4000
"""Nodes that each is compared with: time grows with the nodes, not with their square."""
FAR = 500
"""Cells that are looked at for a loop, before a pair is given up."""


def shared_cells(cone: Cone, shared: int = SHARED) -> list[tuple[int, int]]:
    """Choose pairs of nodes that fit one cell, greedily: widest first, with the widest that fits.

    No cell reads itself, not through other cells either: a device knows the inputs of a cell, not
    which of its outputs depend on which.

    Parameters
    ----------
    cone : Cone
    shared : int
        Most inputs of a pair.

    Returns
    -------
    list of (node, node)
        Every node at most once; each pair saves a cell. A vendor's placer may find others, or leave
        apart what lies far apart.
    """
    width = np.array([len(fanin) for fanin in cone.fanins])
    nodes = np.flatnonzero((width >= 2) & (width <= shared))
    nodes = nodes[np.argsort(-width[nodes], kind="stable")]
    reads = np.full((len(nodes), shared), -1)
    for row, node in zip(reads, nodes.tolist(), strict=True):
        row[: width[node]] = cone.fanins[node]
    free = np.ones(len(nodes), bool)
    partner: dict[int, int] = {}
    pairs = []
    for i, node in enumerate(nodes.tolist()):
        if not free[i]:
            continue
        free[i] = False
        rest = np.flatnonzero(free[i : i + NEAR]) + i
        new = np.isin(reads[rest], (-1, *cone.fanins[node]), invert=True).sum(axis=1)
        for j in rest[new + width[node] <= shared].tolist():
            other = int(nodes[j])
            if not _loops(cone, partner, node, other):
                free[j] = False
                partner[node], partner[other] = other, node
                pairs.append((node, other))
                break
    return pairs


def _loops(cone: Cone, partner: dict[int, int], a: int, b: int) -> bool:
    """Whether a cell of two nodes would read itself, or one cannot tell within `FAR` cells."""
    seen: set[int] = set()
    waiting = [s - cone.n_inputs for node in (a, b) for s in cone.fanins[node]]
    while waiting:
        node = waiting.pop()
        if node < 0 or node in seen:
            continue
        if node in (a, b) or len(seen) > FAR:
            return True
        for part in (node, partner.get(node, node)):
            seen.add(part)
            waiting += [s - cone.n_inputs for s in cone.fanins[part]]
    return False
