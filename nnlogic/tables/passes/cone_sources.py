"""Choose what to enumerate, so that the joint codes of some units come out exactly.

Three exact reductions keep the number of combinations small:

- A block through which every path from its input bits leads is a free source: its codes are
  independent of everything else, so the codes it can emit are enumerated instead of its inputs
  (single-vertex dominators, Lengauer and Tarjan 1979, in the simple iterative form for DAGs).
- Input bits of one port, and sources with the same readers, are enumerated together.
- Two values of such a cluster are one class when they give the same column in the table of
  every reader (the compatible classes of Roth and Karp 1962).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from nnlogic.core.formats import IntArray
from nnlogic.tables.ir import Instance
from nnlogic.tables.passes.graph import Graph, Pins

PORT_BITS = 12  # input bits of one port that are enumerated together
CLUSTER = 1 << 14  # values of a cluster before equal ones are merged
COLUMNS = 1 << 22  # table entries looked at to merge the values of a cluster


@dataclass(frozen=True, eq=False)
class Cluster:
    """Sources enumerated together.

    Attributes
    ----------
    units : tuple of int
    values : int64 array, shape (classes, units)
        A code per unit for each class.
    """

    units: tuple[int, ...]
    values: IntArray

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True, eq=False)
class Plan:
    """An enumeration: `clusters` are independent, `nodes` are computed from them in order."""

    clusters: tuple[Cluster, ...]
    nodes: tuple[int, ...]

    @property
    def size(self) -> int:
        """Combinations to enumerate."""
        total = 1
        for cluster in self.clusters:
            total *= len(cluster)
        return total


def plan_cone(
    graph: Graph, targets: Sequence[Pins], images: Callable[[int], IntArray | None]
) -> Plan:
    """Plan the enumeration of the joint codes of some units.

    Parameters
    ----------
    graph : Graph
    targets : sequence of Pins
        The units, and which bits of their codes are asked for.
    images : callable
        The codes a unit can emit, or a superset of them; None when unknown.
    """
    roots = tuple(p.unit for p in targets)
    free = _free_units(graph, roots, images)
    cone = graph.cone(roots, free)
    sources = [u for u in cone if u in free or graph.block(u) is None]
    nodes = tuple(u for u in cone if u not in free and graph.block(u) is not None)
    readers: dict[int, list[tuple[int, Pins]]] = {u: [] for u in sources}
    for reader, fan_in in [(-1, targets), *((u, graph.fan_in[u]) for u in nodes)]:
        for p in fan_in:
            if p.unit in readers:
                readers[p.unit].append((reader, p))
    clusters = [
        _reduced(graph, cluster, readers) for cluster in _by_port(graph, sources, free, images)
    ]
    return Plan(tuple(_merged(graph, clusters, readers)), nodes)


def _free_units(
    graph: Graph, roots: tuple[int, ...], images: Callable[[int], IntArray | None]
) -> frozenset[int]:
    """Return blocks that dominate all input bits they depend on."""
    cone = graph.cone(roots)
    top = len(graph.fan_in)
    above: dict[int, int] = dict.fromkeys(roots, top)
    for unit in reversed(cone):
        for p in graph.fan_in[unit]:
            a, b = above.get(p.unit, unit), unit
            while a != b:
                if a < b:
                    a = above[a]
                else:
                    b = above[b]
            above[p.unit] = a
    dominated = dict.fromkeys([*cone, top], 0)
    for unit in cone:
        if graph.block(unit) is None:
            dominated[unit] = 1 << unit
        dominated[above[unit]] |= dominated[unit]
    return frozenset(
        u
        for u in cone
        if graph.block(u) is not None and dominated[u] == graph.atoms[u] and images(u) is not None
    )


def _by_port(
    graph: Graph,
    sources: list[int],
    free: frozenset[int],
    images: Callable[[int], IntArray | None],
) -> list[Cluster]:
    out = []
    todo = {u for u in sources if u not in free}
    at = 0
    for port in graph.net.inputs:
        bits = [u for u in range(at, at + port.format.bits) if u in todo]
        at += port.format.bits
        for first in range(0, len(bits), PORT_BITS):
            part = bits[first : first + PORT_BITS]
            index = np.arange(1 << len(part), dtype=np.int64)
            out.append(Cluster(tuple(part), (index[:, None] >> np.arange(len(part))) & 1))
    for unit in sources:
        image = images(unit) if unit in free else None
        if image is not None:
            out.append(Cluster((unit,), image[:, None]))
    return out


def _merged(
    graph: Graph, clusters: list[Cluster], readers: dict[int, list[tuple[int, Pins]]]
) -> list[Cluster]:
    """Merge clusters with the same readers as long as that stays cheap."""
    groups: dict[frozenset[int], list[Cluster]] = {}
    for cluster in clusters:
        who = frozenset(r for u in cluster.units for r, _ in readers[u])
        mine = groups.setdefault(who, [])
        if mine and len(mine[-1]) * len(cluster) <= CLUSTER:
            last = mine[-1]
            both = np.concatenate(
                [
                    np.repeat(last.values, len(cluster), axis=0),
                    np.tile(cluster.values, (len(last), 1)),
                ],
                axis=1,
            )
            mine[-1] = _reduced(graph, Cluster(last.units + cluster.units, both), readers)
        else:
            mine.append(cluster)
    return [c for group in groups.values() for c in group]


def _reduced(graph: Graph, cluster: Cluster, readers: dict[int, list[tuple[int, Pins]]]) -> Cluster:
    """Keep one value of each class of values that no reader can tell apart."""
    column = {u: i for i, u in enumerate(cluster.units)}
    driven: dict[int, list[Pins]] = {}
    for u in cluster.units:
        for reader, p in readers[u]:
            driven.setdefault(reader, []).append(p)
    seen = []
    for reader, pins in driven.items():
        if reader >= 0 and not isinstance(graph.block(reader), Instance):
            # An arithmetic block may have more pins than an index has bits.
            seen += [cluster.values[:, column[p.unit]].astype(np.int64) for p in pins]
            continue
        part = np.zeros(len(cluster), dtype=np.int64)
        for p in pins:
            part |= p.spread(cluster.values[:, column[p.unit]])
        block = graph.block(reader) if reader >= 0 else None
        if isinstance(block, Instance):
            mask = sum(1 << pin for p in pins for pin in p.pins)
            distinct, place = np.unique(part, return_inverse=True)
            rest = _combinations([b for b in range(len(block.inputs)) if not mask >> b & 1])
            if len(distinct) * len(rest) <= COLUMNS:
                codes = graph.codes(reader)[distinct[:, None] | rest[None, :]]
                part = classes(codes)[place]
        seen.append(part)
    if not seen:
        return Cluster(cluster.units, cluster.values[:1])
    _, first = np.unique(np.stack(seen, axis=1), axis=0, return_index=True)
    return Cluster(cluster.units, cluster.values[np.sort(first)])


def classes(rows: IntArray) -> IntArray:
    """Number equal rows of a matrix alike; shape (rows,)."""
    number: dict[bytes, int] = {}
    return np.array([number.setdefault(row.tobytes(), len(number)) for row in rows], np.int64)


def _combinations(pins: list[int]) -> IntArray:
    index = np.arange(1 << len(pins), dtype=np.int64)
    out = np.zeros(len(index), dtype=np.int64)
    for i, pin in enumerate(pins):
        out |= ((index >> i) & 1) << pin
    return out
