"""List scheduling of an OpGraph on a Machine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nnlogic.backends.dsp.model.ir import OpGraph
from nnlogic.backends.dsp.model.machine import Bounds, Machine, bounds

WINDOW = 16
"""Ready operations looked at per slice and step before a slice stays idle."""
MARGINS = {"local": 0.0, "mixed": 0.25}
"""How early, as a share of the program, operations on long paths overtake the others."""
ORDERS = ("local", "mixed", "slack")
UNLIMITED = 1 << 30


@dataclass(frozen=True, eq=False)
class Schedule:
    """Step and slice of every operation.

    Attributes
    ----------
    step : int32 array, shape (operations,)
        -1 where the memory was full before the operation could be placed.
    slice : int16 array, shape (operations,)
    flipped : bool array, shape (operations,)
        Operand `z` of the graph is read on port X, operand `x` on port Z.
    input_bank : int32 array, shape (input bits,)
        -1 for an input nothing reads.
    steps : int
    placed : int
        Operations placed; fewer than all when the memory is too small for this order.
    bounds : Bounds
    order : str
    """

    step: NDArray[np.int32]
    slice: NDArray[np.int16]
    flipped: NDArray[np.bool_]
    input_bank: NDArray[np.int32]
    steps: int
    placed: int
    bounds: Bounds
    order: str

    @property
    def complete(self) -> bool:
        """Whether every operation has a step."""
        return self.placed == len(self.step)


def list_schedule(graph: OpGraph, machine: Machine, order: str, *, limit: bool = True) -> Schedule:
    """Place operations in order of urgency, as far as ports, slices and memory allow.

    Parameters
    ----------
    graph : OpGraph
    machine : Machine
    order : {"local", "mixed", "slack"}
        ``local``: one output cone after the other, which keeps few values alive, except for
        operations that would delay the end. ``mixed``: the same, but long paths start earlier.
        ``slack``: the longest path to the end first.
    limit : bool
        Respect the rows of the memory; otherwise it is taken to be unlimited.
    """
    from nnlogic.backends.dsp.model.kernel import depth_first, readers, tails
    from nnlogic.backends.dsp.model.schedule_kernel import list_schedule as run

    n_in, n = graph.n_inputs, graph.n_ops
    start, reader = readers(n_in + n, graph.x, graph.z)
    uses = np.bincount(graph.x, minlength=n_in + n) + np.bincount(graph.z, minlength=n_in + n)
    emits = np.zeros(n, np.bool_)
    emits[graph.output_signals - n_in] = True
    bound = bounds(graph, machine)
    key = bound.steps - (tails(n_in, graph.x, graph.z) - 1).astype(np.int64) * machine.delay
    if order != "slack":
        rank = depth_first(n_in, graph.x, graph.z, graph.levels, graph.output_signals)
        margin = int(bound.steps * MARGINS[order])
        key = np.minimum((key - margin) * machine.slices, rank)
    step, slice_, flipped, input_bank, steps, placed = run(
        n_in,
        graph.x,
        graph.z,
        start,
        reader,
        uses.astype(np.int32),
        emits,
        key.astype(np.int32),
        machine.slices,
        machine.input_banks,
        machine.output_slices,
        machine.delay,
        WINDOW * machine.slices,
        machine.context_rows if limit else UNLIMITED,
        machine.context_input_rows if limit else UNLIMITED,
    )
    return Schedule(step, slice_, flipped, input_bank, steps, placed, bound, order)
