"""Rows for results and inputs: linear scan over each bank, no spills."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nnlogic.backends.dsp.model.ir import OpGraph
from nnlogic.backends.dsp.model.machine import Machine
from nnlogic.backends.dsp.model.schedule import Schedule


def rows_of_results(
    graph: OpGraph, machine: Machine, schedule: Schedule
) -> tuple[NDArray[np.int32], int]:
    """Give each result a row of its slice's bank; -1 to those nothing reads.

    A row is free for a new result when the last read of the old one is issued before the new
    one is written (Poletto and Sarkar, "Linear scan register allocation", 1999). Lives in a bank
    are intervals, so no bank needs more rows than it has values alive at once.

    Returns
    -------
    rows : int32 array, shape (operations,)
    used : int
        Rows of the fullest bank.
    """
    from nnlogic.backends.dsp.model.allocate_kernel import linear_scan

    # Reads issued in the cycles before the one that writes still see the old value.
    overlap = -(-(machine.latency - 1) // machine.contexts) - 1
    return linear_scan(
        graph.n_inputs,
        graph.x,
        graph.z,
        schedule.step,
        schedule.slice,
        machine.slices,
        schedule.steps,
        overlap,
    )


def rows_of_inputs(machine: Machine, schedule: Schedule) -> tuple[NDArray[np.int32], int]:
    """Number the inputs of each input bank; -1 to those nothing reads."""
    rows = np.full(len(schedule.input_bank), -1, dtype=np.int32)
    used = 0
    for bank in range(machine.slices, machine.banks):
        here = np.flatnonzero(schedule.input_bank == bank)
        rows[here] = np.arange(len(here))
        used = max(used, len(here))
    return rows, used
