"""What engines for runs of layers would cost, from one LogicNet of the whole network.

The network is minimized once, with nodes of two inputs; a segment's operations are the nodes of
its layers, and its engine is scheduled as it would be in earnest. Nothing is minimized again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nnlogic.backends.dsp.model.cost import Cost
from nnlogic.backends.dsp.model.ir import OpGraph, Program
from nnlogic.backends.dsp.model.lower import lower
from nnlogic.backends.dsp.model.search import point_for
from nnlogic.core.archive import frozen
from nnlogic.core.errors import TargetMissed
from nnlogic.core.formats import IntFormat, Port
from nnlogic.logic.ir import LogicNet
from nnlogic.logic.rewrite import cone_of

BIT = IntFormat(1)
POINTS = (1, 2, 4, 8, 16, 32, 64)
"""Slices tried for each engine."""


@dataclass(frozen=True, eq=False)
class EnginePoint:
    """One engine for a run of layers, with what it costs."""

    slices: int
    program: Program
    cost: Cost


def layers_logic(net: LogicNet, first: int, last: int) -> LogicNet:
    """Return the nodes of layers ``first .. last - 1`` as a network of one-bit ports.

    Inputs are the signals read from before. Outputs are the signals of these layers that are
    read later, or leave the network. Signals that pass through are not in it.

    Parameters
    ----------
    net : LogicNet
    first, last : int
        Layer numbers, as in ``net.layers``.
    """
    n_in = net.n_inputs
    chosen = np.flatnonzero((net.node_layers >= first) & (net.node_layers < last))
    inside = np.zeros(n_in + net.n_nodes, dtype=bool)
    inside[n_in + chosen] = True
    reads = net.fanins[chosen]
    entering = np.unique(reads[(reads >= 0) & ~inside[reads]])
    others = net.fanins[np.setdiff1d(np.arange(net.n_nodes), chosen)]
    wanted = np.zeros(n_in + net.n_nodes, dtype=bool)
    wanted[others[others >= 0]] = True
    wanted[list(net.output_signals)] = True
    leaving = np.flatnonzero(wanted & inside)
    number = np.full(n_in + net.n_nodes, -1, dtype=np.int32)
    number[entering] = np.arange(len(entering))
    number[n_in + chosen] = len(entering) + np.arange(len(chosen))
    fanins = np.where(reads >= 0, number[reads], -1)
    return LogicNet(
        name=f"{net.name}_{first}_{last}",
        k=net.k,
        inputs=tuple(Port(f"s{i}", BIT) for i in entering),
        outputs=tuple(Port(f"s{i}", BIT) for i in leaving),
        fanins=frozen(fanins, np.int32),
        tables=frozen(net.tables[chosen], np.uint64),
        output_signals=tuple(number[leaving].tolist()),
        origins=tuple(net.origins[i] for i in chosen),
        node_layers=frozen(net.node_layers[chosen], np.int32),
        layers=net.layers,
        cuts=frozen([], np.int32),
    )


def layers_graph(net: LogicNet, first: int, last: int) -> OpGraph | None:
    """Return the operations of a run of layers; None where there are none.

    `net` has nodes of two inputs.
    """
    part = layers_logic(net, first, last)
    if not part.inputs or not part.outputs:
        return None
    return lower(cone_of(part), part.name, part.inputs, part.outputs)


def engine_points(
    graph: OpGraph,
    most: int,
    mhz: float | None,
    **memories: int,
) -> tuple[EnginePoint, ...]:
    """Return engines of 1, 2, 4 ... slices up to `most`; those whose program does not fit are out.

    Parameters
    ----------
    graph : OpGraph
    most : int
        Slices; tried itself too.
    mhz : float or None
        Clock; None for the model of `nnlogic.backends.dsp.model.cost`.
    **memories
        Fields of `Machine`: sizes of its memories.
    """
    # More slices than the graph is wide have nothing to do.
    useful = max(1, min(most, 4 * -(-graph.n_ops // max(1, graph.depth))))
    out = []
    for n in sorted({*(s for s in POINTS if s <= useful), useful}):
        try:
            point = point_for(graph, n, mhz, **memories)
        except TargetMissed:
            continue
        out.append(EnginePoint(n, point.program, point.cost))
    return tuple(out)
