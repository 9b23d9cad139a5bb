"""LUTs with two outputs: two functions of five shared inputs in one cell, such as LUT6_2."""

from __future__ import annotations

import numpy as np

from nnlogic.logic.cone import Cone

SHARED = 5
"""Inputs of a cell with two outputs; the sixth chooses between its halves."""
NEAR = 4000
"""Nodes that each is compared with: time grows with the nodes, not with their square."""


def shared_cells(cone: Cone) -> list[tuple[int, int]]:
    """Choose pairs of nodes that fit one cell, greedily: widest first, with the widest that fits.

    Parameters
    ----------
    cone : Cone

    Returns
    -------
    list of (node, node)
        Every node at most once; each pair saves a cell. A vendor's placer may find others, or leave
        apart what lies far apart.
    """
    width = np.array([len(fanin) for fanin in cone.fanins])
    nodes = np.flatnonzero((width >= 2) & (width <= SHARED))
    nodes = nodes[np.argsort(-width[nodes], kind="stable")]
    reads = np.full((len(nodes), SHARED), -1)
    for row, node in zip(reads, nodes.tolist(), strict=True):
        row[: width[node]] = cone.fanins[node]
    free = np.ones(len(nodes), bool)
    pairs = []
    for i, node in enumerate(nodes.tolist()):
        if not free[i]:
            continue
        free[i] = False
        rest = np.flatnonzero(free[i : i + NEAR]) + i
        new = np.isin(reads[rest], (-1, *cone.fanins[node]), invert=True).sum(axis=1)
        fits = rest[new + width[node] <= SHARED]
        if len(fits):
            free[fits[0]] = False
            pairs.append((node, int(nodes[fits[0]])))
    return pairs
