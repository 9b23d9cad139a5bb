"""What a pass over a network returns: the new nodes, and where each old signal went."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from nnlogic.core.archive import frozen
from nnlogic.logic.cone import Cone
from nnlogic.logic.ir import LogicNet

GONE = -1


@dataclass(frozen=True)
class Rewrite:
    """A rewritten network.

    Attributes
    ----------
    cone : Cone
    signals : tuple of int
        Per old signal, the new signal of the same value, or `GONE`.
    sources : tuple of int
        Per new node, the old node it stands for.
    """

    cone: Cone
    signals: tuple[int, ...]
    sources: tuple[int, ...]


Pass = Callable[[Cone, frozenset[int]], Rewrite]
"""Takes a network and the signals that should survive with their exact value."""


def compacted(
    cone: Cone,
    alias: Sequence[int],
    fanins: Sequence[tuple[int, ...]],
    tables: Sequence[int],
) -> Rewrite:
    """Apply new node definitions and aliases, then drop nodes that drive nothing.

    Parameters
    ----------
    cone : Cone
        The old network.
    alias : sequence of int
        Per old signal, an old signal of the same value (itself when unchanged) or `GONE`.
    fanins, tables : sequences
        New definition of every old node, in old signals, aliases already applied.
    """
    n_in = cone.n_inputs
    used = [False] * (n_in + cone.n_nodes)
    for s in cone.outputs:
        used[alias[s]] = True
    for i in range(cone.n_nodes - 1, -1, -1):
        if used[n_in + i]:
            for s in fanins[i]:
                used[s] = True
    keep = [i for i in range(cone.n_nodes) if used[n_in + i]]
    number = list(range(n_in)) + [GONE] * cone.n_nodes
    for new, old in enumerate(keep):
        number[n_in + old] = n_in + new
    new_cone = Cone(
        n_in,
        tuple(tuple(number[s] for s in fanins[i]) for i in keep),
        tuple(tables[i] for i in keep),
        tuple(number[alias[s]] for s in cone.outputs),
    )
    signals = tuple(GONE if a == GONE else number[a] for a in alias)
    return Rewrite(new_cone, signals, tuple(keep))


def cone_of(net: LogicNet) -> Cone:
    """Return the nodes of a LogicNet as a Cone over its input bits."""
    counts = net.fan_in_counts.tolist()
    rows = net.fanins.tolist()
    fanins = tuple(tuple(row[:count]) for row, count in zip(rows, counts, strict=True))
    return Cone(net.n_inputs, fanins, tuple(net.tables.tolist()), tuple(net.output_signals))


def with_cone(
    net: LogicNet,
    cone: Cone,
    origins: Sequence[str],
    node_layers: Sequence[int],
    cuts: Sequence[int],
) -> LogicNet:
    """Return `net` with other nodes."""
    fanins = np.full((cone.n_nodes, net.k), -1, dtype=np.int32)
    for row, fanin in zip(fanins, cone.fanins, strict=True):
        row[: len(fanin)] = fanin
    return replace(
        net,
        fanins=frozen(fanins, np.int32),
        tables=frozen(np.array(cone.tables, dtype=np.uint64), np.uint64),
        output_signals=cone.outputs,
        origins=tuple(origins),
        node_layers=frozen(node_layers, np.int32),
        cuts=frozen(cuts, np.int32),
    )


def rewritten(net: LogicNet, rewrite: Pass) -> LogicNet:
    """Run a pass on a LogicNet, carrying origins, layers and cuts along."""
    protected = frozenset(net.cuts[net.cuts >= net.n_inputs].tolist())
    done = rewrite(cone_of(net), protected)
    layers = net.node_layers.tolist()
    cuts = [GONE if s == GONE else done.signals[s] for s in net.cuts.tolist()]
    return with_cone(
        net,
        done.cone,
        [net.origins[i] for i in done.sources],
        [layers[i] for i in done.sources],
        cuts,
    )
