"""Exact joint codes of some units, by enumeration of what feeds them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import product

import numpy as np

from nnlogic.core.formats import IntArray
from nnlogic.tables.evaluate import block_values
from nnlogic.tables.ir import ArgmaxBlock, Instance, Sum, Threshold, Word, block_inputs
from nnlogic.tables.passes.cone_sources import Plan
from nnlogic.tables.passes.graph import Graph, Pins, narrow, table_index

CHUNK = 1 << 17  # combinations held in memory at a time
AXIS = 64  # least combinations in one array axis, so that inner loops are long


def joint_indices(graph: Graph, targets: Sequence[Pins], plan: Plan, n_pins: int) -> IntArray:
    """Return every value the targets' pins can take together, sorted.

    Parameters
    ----------
    graph : Graph
    targets : sequence of Pins
    plan : Plan
        Made by `plan_cone` for these targets.
    n_pins : int
        Pins of the reader; the others are 0 in the result.

    Returns
    -------
    int64 array
        Table indices. Exact when every cluster of the plan is.
    """
    seen = np.zeros(1 << n_pins, dtype=bool)
    run = _Enumeration.of(graph, plan)
    outer = run.outer
    inner = [u for u in plan.nodes if not run.axes_of[u] & set(outer)]
    compute_codes(graph, run.values, inner)
    rest = [u for u in plan.nodes if run.axes_of[u] & set(outer)]
    everything = dict(run.values)
    for at in product(*(range(run.sizes[a]) for a in outer)):
        run.values = dict(everything)
        run.fix(dict(zip(outer, at, strict=True)))
        compute_codes(graph, run.values, rest)
        index = table_index(p.spread(run.values[p.unit]) for p in targets)
        seen[index.ravel()] = True
    return np.flatnonzero(seen)


@dataclass
class _Enumeration:
    """Codes of units as arrays with one axis per run of clusters.

    An array has length 1 along the axes its unit does not depend on.
    """

    graph: Graph
    sizes: list[int]
    outer: list[int]
    axes_of: dict[int, frozenset[int]]
    values: dict[int, IntArray] = field(default_factory=dict)

    @staticmethod
    def of(graph: Graph, plan: Plan) -> _Enumeration:
        order = sorted(plan.clusters, key=lambda c: -len(c))
        sizes: list[int] = []
        members: list[list[tuple[int, int]]] = []  # (cluster, values of later clusters of the run)
        for i, cluster in enumerate(order):
            if not sizes or sizes[-1] >= AXIS:
                sizes.append(1)
                members.append([])
            members[-1].append((i, sizes[-1]))
            sizes[-1] *= len(cluster)
        total, outer = plan.size, []
        for axis in range(len(sizes)):
            if total <= CHUNK:
                break
            total //= sizes[axis]
            outer.append(axis)
        run = _Enumeration(graph, sizes, outer, {})
        for axis, inside in enumerate(members):
            place = np.arange(sizes[axis])
            shape = [1] * len(sizes)
            shape[axis] = sizes[axis]
            for i, step in inside:
                digit = (place // step) % len(order[i])
                for column, unit in enumerate(order[i].units):
                    run.values[unit] = narrow(order[i].values[digit, column]).reshape(shape)
                    run.axes_of[unit] = frozenset([axis])
        for unit in plan.nodes:
            deps = [run.axes_of[p.unit] for p in graph.fan_in[unit]]
            run.axes_of[unit] = frozenset().union(*deps)
        return run

    def fix(self, at: dict[int, int]) -> None:
        """Keep only one value along some axes."""
        for unit, array in self.values.items():
            for axis in self.axes_of[unit] & at.keys():
                part = [slice(None)] * array.ndim
                part[axis] = slice(at[axis], at[axis] + 1)
                array = array[tuple(part)]
            self.values[unit] = array


def compute_codes(graph: Graph, values: dict[int, IntArray], units: Iterable[int]) -> None:
    """Compute codes of units, in this order, from `values`, arrays that broadcast together."""
    for unit in units:
        block = graph.block(unit)
        if isinstance(block, Instance):
            index = table_index(p.spread(values[p.unit]) for p in graph.fan_in[unit])
            values[unit] = np.take(graph.codes(unit), index)
        elif block is not None:
            values[unit] = _arithmetic(graph, unit, block, values)


def _arithmetic(
    graph: Graph, unit: int, block: Sum | Threshold | ArgmaxBlock, values: dict[int, IntArray]
) -> IntArray:
    units = [p.unit for p in graph.fan_in[unit]]
    arrays = dict(zip(units, np.broadcast_arrays(*(values[u] for u in units)), strict=True))
    shape = arrays[units[0]].shape
    signals = list(dict.fromkeys(block_inputs(block)))
    rows = np.empty((len(signals), arrays[units[0]].size), dtype=bool)
    for row, signal in zip(rows, signals, strict=True):
        driver, place = graph.driver[signal]
        row[:] = ((arrays[driver] >> place) & 1).ravel()
    at = {signal: i for i, signal in enumerate(signals)}
    words = tuple(Word(tuple(at[s] for s in w.signals), w.signed) for w in block.words)
    result = block_values(replace(block, words=words), rows)
    return block.result.format.to_raw(result).reshape(shape)
