"""Bit-exact evaluation of operation graphs and programs, 64 samples per word."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nnlogic.backends.dsp.model.ops import TABLE_OF_OPCODE
from nnlogic.core.bits import Words
from nnlogic.core.errors import InputError

if TYPE_CHECKING:
    from nnlogic.backends.dsp.model.ir import OpGraph, Program

JUNK = np.uint64(0x9E3779B97F4A7C15)
"""What unwritten rows hold, so that a read that comes too early shows."""


def evaluate_graph(graph: OpGraph, words: Words) -> Words:
    """Evaluate an OpGraph on sample-packed words.

    Parameters
    ----------
    graph : OpGraph
    words : uint64 array, shape (n_inputs, words)

    Returns
    -------
    uint64 array, shape (output bits, words)

    Raises
    ------
    InputError
        Wrong number of input rows.
    """
    from nnlogic.backends.dsp.model.kernel import BLOCK, run_graph

    words = _checked(graph.name, graph.n_inputs, words)
    out = np.empty((len(graph.output_signals), words.shape[1]), np.uint64)
    for at in range(0, words.shape[1], BLOCK):
        part = words[:, at : at + BLOCK]
        values = np.empty((graph.n_inputs + graph.n_ops, part.shape[1]), np.uint64)
        values[: graph.n_inputs] = part
        run_graph(graph.n_inputs, graph.op, graph.x, graph.z, values)
        out[:, at : at + BLOCK] = values[graph.output_signals]
    return out


def run_program(program: Program, words: Words) -> Words:
    """Execute a Program on sample-packed words; shapes and errors as `evaluate_graph`.

    Contexts run the same steps on rows of their own, so one is executed; a result is visible
    `Program.step_latency` steps after its operation, as in the engine. Memories start with junk.
    """
    from nnlogic.backends.dsp.model.kernel import BLOCK, run_steps

    words = _checked(program.name, program.n_inputs, words)
    rows = max(program.rows, program.input_rows, 1)
    loaded = np.flatnonzero(program.input_bank >= 0)
    at_bank, at_row = program.input_bank[loaded], program.input_row[loaded]
    table = TABLE_OF_OPCODE[program.opcode]
    result = np.empty((len(program.output_slice), words.shape[1]), np.uint64)
    for at in range(0, words.shape[1], BLOCK):
        part = words[:, at : at + BLOCK]
        width = part.shape[1]
        memory = np.full((program.banks, rows, width), JUNK, np.uint64)
        memory[at_bank, at_row] = part[loaded]
        out = np.full((program.slices, max(1, program.output_rows), width), JUNK, np.uint64)
        run_steps(
            table,
            program.x_bank,
            program.z_bank,
            program.x_row,
            program.z_row,
            program.write_row,
            program.emit,
            program.step_latency,
            memory,
            out,
        )
        result[:, at : at + BLOCK] = out[program.output_slice, program.output_index]
    return result


def _checked(name: str, n_inputs: int, words: Words) -> Words:
    words = np.asarray(words, dtype=np.uint64)
    if words.ndim != 2 or words.shape[0] != n_inputs:
        raise InputError(
            "input words have the wrong shape",
            where=name,
            why=f"got shape {words.shape}, need ({n_inputs}, words)",
        )
    return words
