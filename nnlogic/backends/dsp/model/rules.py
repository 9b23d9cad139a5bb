"""What makes an OpGraph or a Program legal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nnlogic.backends.dsp.model.ops import ILLEGAL, OPCODE_OF_TABLE, TABLE_OF_OPCODE
from nnlogic.core import bits
from nnlogic.core.errors import IRError, Problem
from nnlogic.core.limits import CLOCKS

if TYPE_CHECKING:
    from nnlogic.backends.dsp.model.ir import OpGraph, Program

MOST = 20
"""Problems listed at most."""


def verify_graph(graph: OpGraph) -> None:
    """Raise IRError, with all problems, when a rule of OpGraph is broken."""
    n, n_in = graph.n_ops, graph.n_inputs
    problems = []
    if graph.x.shape != (n,) or graph.z.shape != (n,):
        problems.append(Problem("operands", f"{graph.x.shape}, {graph.z.shape} for {n}"))
    if graph.output_signals.shape != (bits.total_bits(graph.outputs),):
        problems.append(Problem("outputs", "signals do not match the ports"))
    if not problems:
        legal = (graph.op < 16) & (OPCODE_OF_TABLE[graph.op & 15] != ILLEGAL)
        bad = np.flatnonzero(~legal)[:MOST].tolist()
        problems += [Problem(f"n{i}", f"table {graph.op[i]} is no operation") for i in bad]
        own = n_in + np.arange(n)
        late = (np.maximum(graph.x, graph.z) >= own) | (np.minimum(graph.x, graph.z) < 0)
        problems += [
            Problem(f"n{i}", "reads a signal that is not defined before it")
            for i in np.flatnonzero(late)[:MOST].tolist()
        ]
        used = np.zeros(n_in + n, dtype=bool)
        outputs = graph.output_signals
        if ((outputs < 0) | (outputs >= n_in + n)).any():
            problems.append(Problem("outputs", "read a signal that does not exist"))
        elif (outputs < n_in).any():
            problems.append(Problem("outputs", "an input reaches an output without an operation"))
        elif not problems:
            used[graph.x] = used[graph.z] = used[outputs] = True
            unused = np.flatnonzero(~used[n_in:])[:MOST].tolist()
            problems += [Problem(f"n{i}", "drives nothing") for i in unused]
    if problems:
        raise IRError("OpGraph breaks its rules", where=graph.name, problems=problems[:MOST])


def verify_program(program: Program) -> None:
    """Raise IRError, with all problems, when the engine could not execute the program."""
    problems = _shapes(program) or _ranges(program) or _timing(program)
    if problems:
        raise IRError("Program breaks its rules", where=program.name, problems=problems[:MOST])


def _shapes(p: Program) -> list[Problem]:
    out = [
        Problem(name, f"{value}, must be at least {least}")
        for name, value, least in (
            ("slices", p.slices, 1),
            ("input_banks", p.input_banks, 1),
            ("contexts", p.contexts, 1),
            ("latency", p.latency, 2),
            ("rows", p.rows, 0),
            ("input_rows", p.input_rows, 0),
        )
        if value < least
    ]
    out += CLOCKS.problems("contexts", p.contexts) + CLOCKS.problems("latency", p.latency)
    for name, count in (("rows", p.rows), ("input_rows", p.input_rows)):
        # Rows that nothing writes need no memory: as many as there are words at most.
        if count > p.write_row.size + p.n_inputs:
            out.append(Problem(name, f"{count}, more than the program and its inputs fill"))
    if p.slices > p.opcode.size + 1 or p.input_banks > p.x_row.size + 1:
        out.append(Problem("slices", f"{p.slices} slices, {p.input_banks} input banks"))
        return out
    per_slice, per_bank = (p.steps, p.slices), (p.steps, p.banks)
    n_out = (bits.total_bits(p.outputs),)
    shapes = {
        "opcode": per_slice, "x_bank": per_slice, "z_bank": per_slice, "write_row": per_slice,
        "emit": per_slice, "x_row": per_bank, "z_row": per_bank, "input_bank": (p.n_inputs,),
        "input_row": (p.n_inputs,), "output_slice": n_out, "output_index": n_out,
    }  # fmt: skip
    for name, shape in shapes.items():
        got = getattr(p, name).shape
        if got != shape:
            out.append(Problem(name, f"shape {got}, need {shape}"))
    return out


def _ranges(p: Program) -> list[Problem]:
    out = []
    for name, least, bound in (
        ("x_bank", 0, p.banks),
        ("z_bank", 0, p.banks),
        ("write_row", -1, p.rows),
        ("opcode", 0, len(TABLE_OF_OPCODE)),
    ):
        array = getattr(p, name)
        for step, i in np.argwhere((array < least) | (array >= bound))[:MOST].tolist():
            out.append(Problem(f"step {step}, slice {i}", f"{name} is {array[step, i]}"))
    height = np.array([p.rows] * p.slices + [p.input_rows] * p.input_banks)
    for name in ("x_row", "z_row"):
        array = getattr(p, name)
        for step, b in np.argwhere((array < -1) | (array >= height))[:MOST].tolist():
            out.append(
                Problem(f"step {step}, bank {b}", f"{name} is {array[step, b]} of {height[b]}")
            )
    if not out:
        illegal = TABLE_OF_OPCODE[p.opcode] == ILLEGAL
        for step, i in np.argwhere(illegal)[:MOST].tolist():
            out.append(
                Problem(f"step {step}, slice {i}", f"opcode {p.opcode[step, i]:05b} is illegal")
            )
    loaded = p.input_bank != -1
    bad = loaded & ((p.input_bank < p.slices) | (p.input_bank >= p.banks))
    bad |= loaded & ((p.input_row < 0) | (p.input_row >= p.input_rows))
    out += [
        Problem(f"input bit {b}", "its bank or row does not exist") for b in np.flatnonzero(bad)
    ]
    places = p.input_bank[loaded].astype(np.int64) * max(1, p.input_rows) + p.input_row[loaded]
    if len(np.unique(places)) != len(places):
        out.append(Problem("inputs", "two bits share a row"))
    emissions = p.emit.sum(axis=0)
    for b, (i, index) in enumerate(zip(p.output_slice, p.output_index, strict=True)):
        if not 0 <= i < p.slices or not 0 <= index < emissions[i]:
            out.append(Problem(f"output bit {b}", f"slice {i} emits no output word {index}"))
    return out


def _timing(p: Program) -> list[Problem]:
    from nnlogic.backends.dsp.model.rules_kernel import MESSAGES, check_steps

    loaded = np.flatnonzero(p.input_bank >= 0)
    held = np.zeros((p.banks, max(p.rows, p.input_rows, 1)), dtype=bool)
    held[p.input_bank[loaded], p.input_row[loaded]] = True
    found = check_steps(
        p.slices, p.x_bank, p.z_bank, p.x_row, p.z_row, p.write_row, p.emit,
        p.contexts, p.latency, held, MOST,
    )  # fmt: skip
    return [
        Problem(f"step {step}", MESSAGES[code].format(where, row, other))
        for code, step, where, row, other in found.tolist()
    ]
