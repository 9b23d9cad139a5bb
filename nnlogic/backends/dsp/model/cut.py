"""Cut a graph into the fewest kernels one engine's memories hold, and what that costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from nnlogic.backends.dsp.model.cost import Cost, cost_of, program_memory, program_width
from nnlogic.backends.dsp.model.ir import OpGraph, Program
from nnlogic.backends.dsp.model.kernel_chain import KernelChain
from nnlogic.backends.dsp.model.machine import Bounds, Machine, bounds
from nnlogic.backends.dsp.model.partition import compile_parts
from nnlogic.backends.dsp.model.place import MemoryMissed, machine_for

BOUNDS = ("work", "depth", "path", "ports", "load")
CONTEXTS = (1, 2, 3, 6)
"""Tried in turn: more make deep kernels short, and leave less memory to each."""
MOST_BANKS = 4
"""Input banks there may be for one that the whole graph wants: kernels read kept values too."""


@dataclass(frozen=True)
class Cut:
    """A graph as kernels of one engine.

    Attributes
    ----------
    chain : KernelChain
    machine : Machine
    bounds : tuple of Bounds
        Of each kernel.
    """

    chain: KernelChain
    machine: Machine
    bounds: tuple[Bounds, ...]

    @property
    def resident(self) -> bool:
        """Whether the program memory holds all kernels at once."""
        return self.chain.steps <= self.machine.program_steps

    @property
    def memory_words(self) -> int:
        """Words of program memory the engine gets."""
        programs = self.chain.programs
        return self.chain.steps if self.resident else max(p.steps for p in programs)

    @property
    def bound(self) -> Bounds:
        """The sum of the kernels' bounds."""
        return Bounds(*(sum(getattr(b, name) for b in self.bounds) for name in BOUNDS))


def cut_kernels(graph: OpGraph, slices: int, **options: int) -> Cut:
    """Return a graph cut into as few kernels as fit, of those tried.

    Parameters
    ----------
    graph : OpGraph
    slices : int
    **options
        Fields of `Machine`, above all ``program_steps`` and ``bank_rows``; ``contexts`` has only
        those tried.

    Raises
    ------
    MemoryMissed
        Even small kernels do not fit.
    """
    found: list[Cut] = []
    for contexts in (options["contexts"],) if "contexts" in options else CONTEXTS:
        machine = machine_for(graph, slices, **{**options, "contexts": contexts})
        rows = min(machine.context_input_rows, graph.n_inputs)
        banks = max(machine.input_banks, min(slices, -(-graph.n_inputs // rows)))
        machine = replace(machine, input_banks=banks)
        try:
            found.append(_cut(graph, machine))
        except MemoryMissed:
            # Every context needs rows of its own: with more there is less room.
            if not found:
                raise
            break
        if len(found[-1].chain.programs) > 2 * len(found[0].chain.programs):
            break
    return min(found, key=lambda c: (len(c.chain.programs), _cycles_per_batch(c.chain)))


def kernels_cost(
    programs: Sequence[Program],
    words: int,
    latency: int,
    *,
    runs: Sequence[int] = (),
    mhz: float | None = None,
) -> Cost:
    """Return the cost of an engine for several programs, its interval that of groups without end.

    Parameters
    ----------
    programs : sequence of Program
    words : int
        Of program memory.
    latency : int
        Cycles of one group through all programs.
    runs : sequence of int
        How often each program runs on a group; once unless given.
    mhz : float, optional
        Replaces the clock of the model.
    """
    costs = [cost_of(p, mhz=mhz) for p in programs]
    width = max(program_width(p) for p in programs)
    brams, luts = program_memory(width, words)
    data_luts = [
        c.memory_luts - program_memory(program_width(p), p.steps)[1]
        for c, p in zip(costs, programs, strict=True)
    ]
    return replace(
        costs[0],
        data_brams=max(c.data_brams for c in costs),
        program_brams=brams,
        memory_luts=max(data_luts) + luts,
        interval=sum(n * c.interval for n, c in zip(runs or [1] * len(costs), costs, strict=True)),
        latency=latency,
    )


def _cut(graph: OpGraph, machine: Machine) -> Cut:
    cut, programs = compile_parts(graph, machine)
    load = max(-(-p.input_rows // p.steps) for p in programs)
    if load > 1:
        banks = machine.input_banks * min(load, MOST_BANKS)
        machine = replace(machine, input_banks=banks)
        cut, programs = compile_parts(graph, machine)
    chain = KernelChain.of(cut, programs)
    return Cut(chain, machine, tuple(bounds(part, machine) for part in cut.parts))


def _cycles_per_batch(chain: KernelChain) -> float:
    return chain.interval / chain.contexts
