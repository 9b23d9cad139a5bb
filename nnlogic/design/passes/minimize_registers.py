"""Move nodes between pipeline segments so that fewer signals cross register ranks.

The registers of one rank are the signals that cross it. With the two neighbouring ranks held,
the rank that is crossed by the fewest signals is a minimum cut (each signal costs one however
many nodes read it, and what a node reads stays before it), found exactly by maximum flow. Ranks
are optimized in turn until none improves: a local optimum in the manner of minimum-register
retiming by maximum flow (Hurst, Mishchenko and Brayton, 2007), under a limit on LUT levels.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import networkx as nx
import numpy as np

from nnlogic.core.archive import frozen
from nnlogic.core.progress import SILENT, Progress
from nnlogic.design.ir import HardwareDesign
from nnlogic.logic.ir import LogicNet

MAX_SWEEPS = 30
SOURCE, SINK = "before", "after"


def minimize_registers(
    design: HardwareDesign, levels: int, *, progress: Progress = SILENT
) -> HardwareDesign:
    """Return a design with the same latency and no more registers.

    Parameters
    ----------
    design : HardwareDesign
    levels : int
        Most LUT levels in a segment; `design` must keep it.

    Returns
    -------
    HardwareDesign
        With at most `levels` LUT levels in each segment.
    """
    if design.n_segments == 1:
        return design
    graph = _Graph.of(design.logic)
    best = design
    early = design.signal_segments.tolist()
    with progress.step("minimize registers") as step:
        for start in (early, _latest(graph, design, levels)):
            segment = _descend(graph, start, design.n_segments, levels)
            segments = frozen(segment[graph.n_inputs :], np.int32)
            found = replace(design, segments=segments)
            step.advance(note=f"{found.registers} registers")
            best = min(best, found, key=lambda d: d.registers)
    return best


@dataclass(frozen=True)
class _Graph:
    """Connections by signal number; constants need no registers and are left out.

    Attributes
    ----------
    n_inputs : int
    fanins, readers : tuple of list of int
        Per signal.
    is_output : tuple of bool
        Per signal.
    nodes : list of int
        Signals of the nodes that are not constants, in topological order.
    """

    n_inputs: int
    fanins: tuple[list[int], ...]
    readers: tuple[list[int], ...]
    is_output: tuple[bool, ...]
    nodes: list[int]

    @staticmethod
    def of(logic: LogicNet) -> _Graph:
        n_in, total = logic.n_inputs, logic.n_inputs + logic.n_nodes
        counts = [1] * n_in + logic.fan_in_counts.tolist()
        fanins: tuple[list[int], ...] = tuple([] for _ in range(total))
        readers: tuple[list[int], ...] = tuple([] for _ in range(total))
        for node, row in enumerate(logic.fanins.tolist(), n_in):
            for signal in dict.fromkeys(row[: counts[node]]):
                if counts[signal]:
                    fanins[node].append(signal)
                    readers[signal].append(node)
        outputs = set(logic.output_signals)
        return _Graph(
            n_inputs=n_in,
            fanins=fanins,
            readers=readers,
            is_output=tuple(s in outputs for s in range(total)),
            nodes=[s for s in range(n_in, total) if counts[s]],
        )


def _latest(graph: _Graph, design: HardwareDesign, levels: int) -> list[int]:
    """Return the latest segment of each signal."""
    end = design.n_segments * levels
    slot = [end - 1] * len(graph.readers)
    out = [0] * len(slot)
    for node in reversed(graph.nodes):
        slot[node] = min((slot[r] - 1 for r in graph.readers[node]), default=end - 1)
        out[node] = slot[node] // levels
    return out


def _descend(graph: _Graph, start: list[int], n_segments: int, levels: int) -> list[int]:
    """Improve one rank after the other, back and forth, until none gets better."""
    segment = list(start)
    ranks = list(range(n_segments - 1))
    dirty = set(ranks)
    for _ in range(MAX_SWEEPS):
        for rank in ranks:
            if rank in dirty:
                dirty.discard(rank)
                if _improve_rank(graph, segment, rank, levels):
                    dirty |= {rank - 1, rank + 1} & set(ranks)
        ranks.reverse()
        if not dirty:
            break
    return segment


def _improve_rank(graph: _Graph, segment: list[int], rank: int, levels: int) -> bool:
    """Move nodes across the registers after segment `rank`; say whether that saved any."""
    free = _movable(graph, segment, rank, levels)
    if not free:
        return False
    network, cost = _flow_network(graph, segment, rank, free)
    smallest, (before, _) = nx.minimum_cut(network, SOURCE, SINK)
    if smallest >= cost:
        return False
    for node in free:
        segment[node] = rank if node in before else rank + 1
    return True


def _movable(graph: _Graph, segment: list[int], rank: int, levels: int) -> set[int]:
    """Nodes around a rank that fit on either side of it.

    With the neighbouring ranks held, a node may precede the rank when it is at most `levels`
    deep after the rank before, and may follow it when it is at most `levels` from the next.
    Any choice among such nodes that puts fan-ins first keeps the limit.
    """
    region = [i for i in graph.nodes if rank <= segment[i] <= rank + 1]
    depth: dict[int, int] = {}
    for node in region:
        depth[node] = 1 + max((depth.get(s, 0) for s in graph.fanins[node]), default=0)
    height: dict[int, int] = {}
    for node in reversed(region):
        height[node] = 1 + max((height.get(r, 0) for r in graph.readers[node]), default=0)
    return {i for i in region if depth[i] <= levels and height[i] <= levels}


def _flow_network(
    graph: _Graph, segment: list[int], rank: int, free: set[int]
) -> tuple[nx.DiGraph, int]:
    """Network whose minimum cut is the best place of the rank, and the present cost.

    Only signals whose crossing depends on the free nodes are counted. Edges without a capacity
    cannot be cut.
    """
    network = nx.DiGraph()
    network.add_nodes_from((SOURCE, SINK))
    cost = 0
    for signal in sorted(free | {s for node in free for s in graph.fanins[node]}):
        choices = [r for r in graph.readers[signal] if r in free]
        late = graph.is_output[signal] or any(
            segment[r] > rank and r not in free for r in graph.readers[signal]
        )
        crossing = ("crossing", signal)
        if signal in free:
            for reader in choices:
                network.add_edge(reader, signal)
            network.add_edge(signal, SINK if late else crossing, capacity=1)
        elif late:
            continue
        else:
            network.add_edge(SOURCE, crossing, capacity=1)
        if not late:
            for reader in choices:
                network.add_edge(crossing, reader)
        crosses = late or any(segment[r] > rank for r in choices)
        cost += segment[signal] <= rank and crosses
    return network, cost
