"""Parts of a network in triplicate, with voters where they end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from nnlogic.core.archive import frozen
from nnlogic.core.errors import UsageError
from nnlogic.logic.ir import LogicNet

MAJORITY = 0xE8
COPIES = 3


def nearest_outputs(net: LogicNet, count: int) -> range:
    """Return the last `count` nodes: nothing but outputs reads them from outside."""
    return range(max(0, net.n_nodes - count), net.n_nodes)


def triplicated(net: LogicNet, nodes: Iterable[int]) -> LogicNet:
    """Return a network in which some nodes stand three times.

    Copies read copies. A voter stands where a node that is not among them, or an output, reads
    one; it is a point that an upset can still reach: each sample reads one bit of its table, as it
    reads one of the node's. So a voter behind every node gains nothing against configuration
    upsets, and a part with few ends gains almost all.

    Parameters
    ----------
    net : LogicNet
    nodes : iterable of int
        Numbers of nodes.

    Raises
    ------
    UsageError
        Nodes have fewer than three inputs at most, so that there is no voter.
    """
    if net.k < COPIES:
        raise UsageError("no voters of two-input nodes", where=net.name, why=f"k is {net.k}")
    wanted = {net.n_inputs + i for i in nodes}
    rows = net.fanins.tolist()
    own = range(net.n_inputs, net.n_inputs + net.n_nodes)
    outside = {s for i in own if i not in wanted for s in rows[i - net.n_inputs]}
    ends = wanted & (outside | set(net.output_signals))
    place = [[s] * COPIES for s in range(net.n_inputs)]
    voted = list(range(net.n_inputs))
    fanins: list[list[int]] = []
    kept: list[int] = []
    tables: list[int] = []

    def add(row: list[int], table: int, of: int) -> int:
        fanins.append([*row, *[-1] * (net.k - len(row))])
        tables.append(table)
        kept.append(of)
        return net.n_inputs + len(tables) - 1

    for i, s in enumerate(own):
        row, table = [r for r in rows[i] if r >= 0], int(net.tables[i])
        if s in wanted:
            place.append([add([place[r][c] for r in row], table, i) for c in range(COPIES)])
            voted.append(add(place[s], MAJORITY, i) if s in ends else -1)
        else:
            voted.append(add([voted[r] for r in row], table, i))
            place.append([voted[s]] * COPIES)
    return replace(
        net,
        fanins=frozen(np.array(fanins, np.int32).reshape(len(tables), net.k), np.int32),
        tables=frozen(np.array(tables, np.uint64), np.uint64),
        output_signals=tuple(voted[s] for s in net.output_signals),
        origins=tuple(net.origins[i] for i in kept),
        node_layers=frozen(net.node_layers[kept], np.int32),
        cuts=frozen([], np.int32),
    )
