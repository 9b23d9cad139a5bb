"""OpGraph to Program: choose the machine's ports, schedule, allocate, assemble."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nnlogic.backends.dsp.model.allocate import rows_of_inputs, rows_of_results
from nnlogic.backends.dsp.model.emit import assemble
from nnlogic.backends.dsp.model.ir import OpGraph, Program
from nnlogic.backends.dsp.model.machine import LATENCY, Machine, bounds
from nnlogic.backends.dsp.model.schedule import ORDERS, Schedule, list_schedule
from nnlogic.core.errors import Problem, TargetMissed

NEAR = 1.02
"""Stop trying other orders when a schedule is this near to the bound."""
ALIKE = 1.01
"""A schedule that much longer is taken when it needs less memory."""
BUSY = 0.6
"""Share of the input banks' read ports that a schedule can be expected to use."""
MANY_OUTPUTS = 0.03
"""Outputs per operation above which every slice emits."""


class MemoryMissed(TargetMissed):
    """A program needs more data or program memory than the engine has."""


def machine_for(graph: OpGraph, slices: int, *, contexts: int = 0, **options: int) -> Machine:
    """Return a machine with as many input banks and output slices as `graph` needs.

    Input banks: neither reading nor loading the inputs takes longer than the operations, and one
    per eight slices, since the first steps read little else. Output slices: emitting takes a
    quarter of the steps at most; four, as outputs come in bursts; all where results that go
    nowhere else are so many that the other banks would hold, and have to deliver, too much.

    Parameters
    ----------
    graph : OpGraph
    slices : int
    contexts : int
        0: as few as hide the pipeline latency behind the work, see `contexts_for`.
    **options
        Further fields of `Machine`; `input_banks` and `output_slices` override the choice.
    """
    latency = options.get("latency", LATENCY)
    contexts = contexts or contexts_for(graph, slices, latency)
    n_in = graph.n_inputs
    bare = Machine(max(1, slices), contexts=contexts, latency=latency)
    steps = max(1, bounds(graph, replace(bare, input_banks=max(1, n_in))).path)
    reads = int((graph.x < n_in).sum() + (graph.z < n_in).sum())
    used = len(np.unique(np.concatenate([graph.x[graph.x < n_in], graph.z[graph.z < n_in]])))
    n_out = len(np.unique(graph.output_signals))
    emitting = max(-(-4 * n_out // steps), min(4, -(-n_out // 4)))
    if n_out > MANY_OUTPUTS * graph.n_ops:
        emitting = slices
    chosen = {
        "input_banks": max(
            int(np.ceil(reads / (2 * BUSY * steps))), -(-used // steps), -(-slices // 8), 1
        ),
        "output_slices": min(max(1, slices), emitting),
    }
    return Machine(slices, contexts=contexts, **{**chosen, **options})


def contexts_for(graph: OpGraph, slices: int, latency: int = LATENCY) -> int:
    """Return the fewest contexts with which depth no longer bounds the program.

    When even `latency` contexts, which hide the pipeline entirely, leave it bound by depth, that
    many are used.
    """
    work = -(-graph.n_ops // max(1, slices))
    for contexts in range(1, latency):
        if (graph.depth - 1) * -(-latency // contexts) + 1 <= 0.8 * work:
            return contexts
    return latency


def best_schedule(graph: OpGraph, machine: Machine) -> Schedule:
    """Return a short schedule, complete if there is one.

    Orders are tried from the one that needs least memory to the one that needs most, until one
    is near the bound; the first that is about as short as the shortest is taken.
    """
    found = []
    for order in ORDERS:
        found.append(list_schedule(graph, machine, order))
        if found[-1].complete and found[-1].steps <= NEAR * found[-1].bounds.steps:
            break
    complete = [s for s in found if s.complete]
    if not complete:
        return max(found, key=lambda s: s.placed)
    shortest = min(s.steps for s in complete)
    return next(s for s in complete if s.steps <= ALIKE * shortest)


def compile_ops(graph: OpGraph, machine: Machine) -> Program:
    """Return a verified Program that computes `graph` on `machine`.

    Raises
    ------
    MemoryMissed
        The data or program memory is too small; says by how much and what would do.
    """
    schedule = best_schedule(graph, machine)
    if not schedule.complete:
        raise MemoryMissed(
            "the data memory is too small", where=graph.name,
            problems=_memory_problems(graph, machine, schedule),
        )  # fmt: skip
    if schedule.steps > machine.program_steps:
        over = schedule.steps - machine.program_steps
        slices = -(-machine.slices * schedule.steps // machine.program_steps)
        parts = -(-schedule.steps // machine.program_steps)
        raise MemoryMissed(
            "the program is too long", where=graph.name,
            why=f"{schedule.steps} steps for {graph.n_ops} operations on {machine.slices} slices, "
            f"{over} more than the program memory's {machine.program_steps}",
            fix=f"about {slices} slices, a program memory of {schedule.steps} words, or "
            f"{parts} sub-kernels (--kernels auto)",
        )  # fmt: skip
    return assemble(graph, machine, schedule)


def _memory_problems(graph: OpGraph, machine: Machine, schedule: Schedule) -> list[Problem]:
    free = list_schedule(graph, machine, "local", limit=False)
    _, rows = rows_of_results(graph, machine, free)
    _, input_rows = rows_of_inputs(machine, free)
    out = []
    for where, what, need, count, noun in (
        ("slice banks", "values alive at once", rows, machine.slices, "slices"),
        ("input banks", "rows of two input buffers", 2 * input_rows, machine.input_banks,
         "input banks"),
    ):  # fmt: skip
        words = int(need) * machine.contexts
        if words <= machine.bank_rows:
            continue
        cures = [f"banks of {words} rows", f"about {-(-count * words // machine.bank_rows)} {noun}"]
        if machine.contexts > 1:
            cures.append(f"fewer contexts than {machine.contexts}")
        out.append(
            Problem(
                where,
                f"{words} {what} ({machine.contexts} contexts), {words - machine.bank_rows} more "
                f"than the {machine.bank_rows} words of a bank; {schedule.placed} of "
                f"{graph.n_ops} operations fit",
                ", ".join(cures) + ", or sub-kernels (--kernels auto)",
            )
        )
    return out or [
        Problem(
            "slice banks",
            f"{schedule.placed} of {graph.n_ops} operations fit {machine.bank_rows} words a bank",
            "one row more a bank, or sub-kernels (--kernels auto)",
        )
    ]
