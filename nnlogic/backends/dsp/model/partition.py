"""Sub-kernels: a graph cut into parts that run one after the other.

Parts must follow each other without cycles, which general partitioners (networkx's bisections,
KaHyPar) do not promise. Any cut of a linear order of the operations does. Two orders are tried,
one output cone after the other and level by level. In each, the number of values alive across
every cut is known exactly, and dynamic programming finds the cuts of least traffic whose parts
have about the operations a program memory holds. It takes linear time and
memory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nnlogic.backends.dsp.model.ir import OpGraph, Program
from nnlogic.backends.dsp.model.machine import Machine
from nnlogic.backends.dsp.model.place import MemoryMissed, compile_ops
from nnlogic.core import bits
from nnlogic.core.archive import frozen
from nnlogic.core.bits import Words
from nnlogic.core.formats import IntArray, IntFormat, Port

BIT = IntFormat(1)
MOST_HALVINGS = 12
LARGER = (1.6, 1.27)
"""Tried on parts that fit while twice as many operations did not."""


@dataclass(frozen=True, eq=False)
class Partition:
    """A graph as a chain of parts.

    Attributes
    ----------
    graph : OpGraph
        What was cut.
    parts : tuple of OpGraph
        In order of execution, with one-bit ports.
    sources, results : tuple of int32 array
        Per part, the signals of `graph` its input and output bits carry.
    """

    graph: OpGraph
    parts: tuple[OpGraph, ...]
    sources: tuple[NDArray[np.int32], ...]
    results: tuple[NDArray[np.int32], ...]

    @property
    def traffic(self) -> int:
        """Words of 48 lanes stored and loaded per batch beyond the graph's own ports."""
        n_in = self.graph.n_inputs
        loads = sum(int((s >= n_in).sum()) for s in self.sources)
        own = np.unique(self.graph.output_signals)
        stores = sum(len(np.setdiff1d(r, own)) for r in self.results)
        return loads + stores

    def evaluate(self, codes: IntArray) -> IntArray:
        """Exact outputs of the chain; shapes as `OpGraph.evaluate`."""
        packed = bits.pack_ports(codes, self.graph.inputs)
        words = self.run_words([p.evaluate_words for p in self.parts], packed)
        return bits.unpack_ports(words, self.graph.outputs, len(codes))

    def run_words(self, runners: Sequence[Callable[[Words], Words]], words: Words) -> Words:
        """Run the parts in order, `runners` standing for their `evaluate_words`.

        Parameters
        ----------
        runners : sequence of callables
            One per part: of its OpGraph, its Program, or an engine.
        words : uint64 array, shape (n_inputs, words)

        Returns
        -------
        uint64 array, shape (output bits, words)
        """
        known = dict(enumerate(words))
        for run, source, result in zip(runners, self.sources, self.results, strict=True):
            out = run(np.array([known[s] for s in source.tolist()], dtype=np.uint64))
            known.update(zip(result.tolist(), out, strict=True))
        return np.array([known[s] for s in self.graph.output_signals.tolist()])


def partition(graph: OpGraph, most: int) -> Partition:
    """Cut a graph into parts of at most `most` operations (some of half as many), little traffic.

    Parameters
    ----------
    graph : OpGraph
    most : int
        Operations of a part, at least 1.
    """
    return partitions(graph, most)[0]


def partitions(graph: OpGraph, most: int) -> tuple[Partition, ...]:
    """Return the best cut of each order, the one of least traffic first.

    Cones give parts of little traffic, levels parts that are less deep, hence shorter programs.
    """
    from nnlogic.backends.dsp.model.kernel import depth_first

    n_in = graph.n_inputs
    by_level = np.argsort(graph.levels[n_in:], kind="stable")
    rank = depth_first(n_in, graph.x, graph.z, graph.levels, graph.output_signals)
    found = [_cut(graph, order, most) for order in (np.argsort(rank, kind="stable"), by_level)]
    return tuple(sorted(found, key=lambda p: p.traffic))


def compile_parts(graph: OpGraph, machine: Machine) -> tuple[Partition, tuple[Program, ...]]:
    """Cut a graph until every part fits the memories of `machine`, and compile the parts.

    Raises
    ------
    MemoryMissed
        Even small parts do not fit: what the last try said.
    """
    most = max(1, min(graph.n_ops, int(0.9 * machine.slices * machine.program_steps)))
    least = max(1, most >> MOST_HALVINGS)
    found = _compiled(graph, machine, most)
    while isinstance(found, MemoryMissed):
        if most == least:
            raise found
        most = max(least, -(-most // 2))
        found = _compiled(graph, machine, most)
    for larger in LARGER:
        better = _compiled(graph, machine, int(larger * most))
        if not isinstance(better, MemoryMissed):
            return better if len(better[1]) <= len(found[1]) else found
    return found


def _compiled(
    graph: OpGraph, machine: Machine, most: int
) -> tuple[Partition, tuple[Program, ...]] | MemoryMissed:
    """Return the first cut of at most so many operations a part whose parts fit."""
    missed = MemoryMissed("nothing was tried")
    for cut in partitions(graph, most):
        # The part with most operations is the likeliest not to fit.
        order = sorted(range(len(cut.parts)), key=lambda i: -cut.parts[i].n_ops)
        programs: dict[int, Program] = {}
        try:
            for i in order:
                programs[i] = compile_ops(cut.parts[i], _machine_of(cut.parts[i], machine))
        except MemoryMissed as error:
            missed = error
            continue
        return cut, tuple(programs[i] for i in range(len(order)))
    return missed


def _machine_of(part: OpGraph, machine: Machine) -> Machine:
    outputs = len(part.output_signals)
    return replace(machine, output_slices=min(machine.output_slices, max(1, outputs)))


def _cut(graph: OpGraph, order: NDArray[np.int64], most: int) -> Partition:
    from nnlogic.backends.dsp.model.partition_kernel import best_cuts

    n_in, n = graph.n_inputs, graph.n_ops
    position = np.empty(n, np.int64)
    position[order] = np.arange(n)
    last = np.full(n, -1, np.int64)
    for operand in (graph.x, graph.z):
        inner = operand >= n_in
        np.maximum.at(last, operand[inner] - n_in, position[inner])
    # A value made at position p and last read at q is alive in the cuts p + 1 .. q.
    change = np.zeros(n + 2, np.int64)
    alive = last >= 0
    np.add.at(change, position[alive] + 1, 1)
    np.add.at(change, last[alive] + 1, -1)
    cuts = best_cuts(change.cumsum()[: n + 1], most)
    part_of = np.searchsorted(cuts, position, side="right")
    return _partition_of(graph, part_of, len(cuts) + 1)


def _partition_of(graph: OpGraph, part_of: NDArray[np.int64], count: int) -> Partition:
    n_in = graph.n_inputs
    home = np.concatenate([np.full(n_in, -1), part_of])
    foreign = np.zeros(n_in + graph.n_ops, bool)
    for operand in (graph.x, graph.z):
        foreign[operand[home[operand] != part_of]] = True
    foreign[graph.output_signals] = True
    parts, sources, results = [], [], []
    order = np.argsort(part_of, kind="stable")
    ends = np.searchsorted(part_of[order], np.arange(count + 1))
    number = np.empty(n_in + graph.n_ops, np.int32)
    for index in range(count):
        own = order[ends[index] : ends[index + 1]]
        read = np.unique(np.concatenate([graph.x[own], graph.z[own]]))
        source = read[home[read] != index]
        number[source] = np.arange(len(source))
        number[n_in + own] = len(source) + np.arange(len(own))
        result = n_in + own[foreign[n_in + own]]
        sources.append(frozen(source, np.int32))
        results.append(frozen(result, np.int32))
        parts.append(
            OpGraph(
                name=f"{graph.name}_{index}",
                inputs=tuple(Port(f"s{s}", BIT) for s in source.tolist()),
                outputs=tuple(Port(f"s{s}", BIT) for s in result.tolist()),
                op=frozen(graph.op[own], np.uint8),
                x=frozen(number[graph.x[own]], np.int32),
                z=frozen(number[graph.z[own]], np.int32),
                output_signals=frozen(number[result], np.int32),
            )
        )
    return Partition(graph, tuple(parts), tuple(sources), tuple(results))
