"""LUT networks as XOR-AND graphs with few ANDs."""

from __future__ import annotations

import numpy as np

from nnlogic.logic.abc_blif import read_blif, write_blif
from nnlogic.logic.cone import Cone
from nnlogic.logic.xag.costs import half, lowest, small_costs, split
from nnlogic.logic.xag.graph import AND, Xag
from nnlogic.tools.abc import transform_blif

REMAPPED = tuple(f"strash; &get -n; &syn3; &if -K {k} -a; &put" for k in (3, 4, 5, 6))
"""Other LUT networks of the same function: which needs the fewest ANDs cannot be told before."""


def fewest_ands(cone: Cone, *, timeout: float = 600) -> tuple[Xag, tuple[int, ...]]:
    """Return a graph with few ANDs that computes the same as a LUT network, and its outputs.

    Each LUT, of the network as it is and as mapped to LUTs of 3 to 6 inputs, is split at linear
    forms until only affine functions are left (see `nnlogic.logic.xag.costs`); of all networks the
    one with the fewest ANDs is taken.

    Parameters
    ----------
    cone : Cone
        Of LUTs with at most 6 inputs.
    timeout : float
        Seconds for each run of ABC.

    Raises
    ------
    ToolFailed, ToolTimeout
        ABC did not map the network.
    """
    best = _graph(cone)
    if cone.n_nodes:
        text = write_blif(cone)
        for script in REMAPPED:
            other = _graph(read_blif(transform_blif(text, script, timeout=timeout)))
            best = min(best, other, key=lambda found: ands(*found))
    return best


def ands(graph: Xag, outputs: tuple[int, ...]) -> int:
    """Return the ANDs that outputs depend on."""
    return sum(graph.gates[i][0] == AND for i in graph.live(outputs))


def _graph(cone: Cone) -> tuple[Xag, tuple[int, ...]]:
    graph = Xag(cone.n_inputs)
    signals = list(range(cone.n_inputs))
    for fanin, table in zip(cone.fanins, cone.tables, strict=True):
        signals.append(_lut(graph, table, [signals[s] for s in fanin]))
    return graph, tuple(signals[s] for s in cone.outputs)


def _lut(graph: Xag, table: int, signals: list[int]) -> int:
    n = len(signals)
    count, mask = split(np.uint64(table), n, small_costs())
    if not count and not mask:
        return _affine(graph, table, signals)
    v = lowest(mask)
    rest = signals[:v] + signals[v + 1 :]
    low, high = (int(half(np.uint64(table), n, mask, value)) for value in (0, 1))
    pivot = signals[v]
    for i, s in enumerate(signals):
        if i != v and (mask >> i) & 1:
            pivot = graph.xor(pivot, s)
    # f = l & (f0 ^ f1) ^ f0 = ~l & (f0 ^ f1) ^ f1
    costs = [split(np.uint64(t), n - 1, small_costs())[0] for t in (low, high)]
    base = low if costs[0] <= costs[1] else high
    if base == high:
        pivot = graph.inverted(pivot)
    apart = _lut(graph, low ^ high, rest)
    return graph.xor(graph.both(pivot, apart), _lut(graph, base, rest))


def _affine(graph: Xag, table: int, signals: list[int]) -> int:
    first = table & 1
    chosen = [s for v, s in enumerate(signals) if (table >> (1 << v) & 1) != first]
    if not chosen:
        return graph.constant(bool(first))
    out = chosen[0]
    for s in chosen[1:]:
        out = graph.xor(out, s)
    return graph.inverted(out) if first else out
