"""Random operation graphs and their programs, for the engine's tests."""

from __future__ import annotations

from functools import cache

import numpy as np

from nnlogic.backends.dsp.model.emit import assemble
from nnlogic.backends.dsp.model.ir import OpGraph, Program
from nnlogic.backends.dsp.model.machine import Machine
from nnlogic.backends.dsp.model.ops import OPERATIONS
from nnlogic.backends.dsp.model.schedule import list_schedule
from nnlogic.core.formats import IntFormat, Port


def random_graph(n_inputs: int, n_ops: int, seed: int) -> OpGraph:
    """Operations on recent signals; everything nobody reads is an output bit."""
    rng = np.random.default_rng(seed)
    signals = np.arange(n_inputs, n_inputs + n_ops)
    reach = np.minimum(signals, 3 * n_inputs)
    x = signals - 1 - rng.integers(0, reach)
    z = signals - 1 - rng.integers(0, reach)
    x[0], z[0] = 0, 0  # a copy, an inverter or a constant
    read = np.union1d(x, z)
    outputs = np.setdiff1d(signals, read)
    tables = np.array([op.table for op in OPERATIONS])
    graph = OpGraph(
        "random",
        (Port("a", IntFormat(n_inputs // 2)), Port("b", IntFormat(n_inputs - n_inputs // 2))),
        (Port("y", IntFormat(len(outputs))),),
        rng.choice(tables, n_ops).astype(np.uint8),
        x.astype(np.int32),
        z.astype(np.int32),
        outputs.astype(np.int32),
    )
    graph.verify()
    return graph


@cache
def random_program(
    slices: int = 3, contexts: int = 2, latency: int = 6, n_ops: int = 60, seed: int = 1, **machine
) -> Program:
    """The program of a random graph with 12 input bits."""
    parts = Machine(slices=slices, contexts=contexts, latency=latency, **machine)
    graph = random_graph(12, n_ops, seed)
    program = assemble(graph, parts, list_schedule(graph, parts, "slack"))
    program.verify()
    return program
