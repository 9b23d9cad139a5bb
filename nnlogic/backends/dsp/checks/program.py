"""Proofs for the DSP backend: operation graph against network, program against graph.

The program is followed symbolically, every row holding the number of a value instead of a word,
by code that shares nothing with the interpreter: time is counted in cycles, memory is the set of
all writes. Values are numbered by what computes them (local value numbering, Cocke and Schwartz,
"Programming Languages and Their Compilers", 1970), so two with one number are equal for every
input. That decides at any size, because scheduling reorders operations but invents none.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from nnlogic.backends.dsp.model.ir import OpGraph, Program
from nnlogic.backends.dsp.model.ops import BY_OPCODE, BY_TABLE
from nnlogic.checks.gates import Gates, add_logic, bit_names
from nnlogic.checks.verdict import Verdict
from nnlogic.core.errors import IRError
from nnlogic.logic.ir import LogicNet
from nnlogic.tools.abc import prove_equal

CUBES = {table: [f"{i & 1}{i >> 1}" for i in range(4) if table >> i & 1] for table in BY_TABLE}
NOTHING = -1


def prove_ops(logic: LogicNet, graph: OpGraph, *, timeout: float = 600) -> Verdict:
    """Prove an OpGraph equal to the LogicNet it was made from, by SAT.

    Raises
    ------
    ToolFailed
        ABC came to no verdict in `timeout` seconds.
    """
    start = time.monotonic()
    if (logic.inputs, logic.outputs) != (graph.inputs, graph.outputs):
        return _verdict("LogicNet", "OpGraph", "the ports differ").timed(start)
    left, right = Gates(), Gates()
    names = bit_names((p.name for p in logic.inputs), (p.format.bits for p in logic.inputs))
    wanted = bit_names((p.name for p in logic.outputs), (p.format.bits for p in logic.outputs))
    for gates, nets in ((left, add_logic(left, logic, names)), (right, add_ops(right, graph))):
        gates.inputs += names
        for name, net in zip(wanted, nets, strict=True):
            gates.output(f"out.{name}", net)
    equal, detail = prove_equal(left.text(), right.text(), timeout=timeout)
    verdict = Verdict("LogicNet", "OpGraph", equal, "proved", detail=detail.splitlines()[-1])
    return verdict.timed(start)


def add_ops(gates: Gates, graph: OpGraph) -> list[str]:
    """Add an OpGraph on nets named as its input bits, and return the nets of its output bits."""
    nets = bit_names((p.name for p in graph.inputs), (p.format.bits for p in graph.inputs))
    rows = zip(graph.op.tolist(), graph.x.tolist(), graph.z.tolist(), strict=True)
    for op, x, z in rows:
        nets.append(gates.cover([nets[x], nets[z]], CUBES[op]))
    return [nets[s] for s in graph.output_signals.tolist()]


def prove_program(graph: OpGraph, program: Program) -> Verdict:
    """Prove that a Program computes its OpGraph, on every input and in every context.

    Contexts execute the same steps on rows of their own, so following one covers all.
    """
    start = time.monotonic()
    if (graph.inputs, graph.outputs) != (program.inputs, program.outputs):
        return _verdict("OpGraph", "Program", "the ports differ").timed(start)
    try:
        program.verify()
    except IRError as error:
        first = error.problems[0]
        return _verdict("OpGraph", "Program", first.why, first.where).timed(start)
    values = numbered(graph)
    wanted = [values.of[s] for s in graph.output_signals.tolist()]
    known = graph.n_inputs + len(values.numbers)
    words, strange = follow(program, values, range(graph.n_inputs), known)
    for bit, (number, slice_, index) in enumerate(
        zip(wanted, program.output_slice.tolist(), program.output_index.tolist(), strict=True)
    ):
        if index >= len(words[slice_]) or words[slice_][index] != number:
            detail = f"output bit {bit} is not word {index} of slice {slice_}"
            return _verdict("OpGraph", "Program", detail, strange).timed(start)
    detail = f"{program.n_ops} operations followed through {program.steps} steps"
    return Verdict("OpGraph", "Program", True, "proved", detail=detail).timed(start)


def _verdict(left: str, right: str, detail: str, where: str = "") -> Verdict:
    return Verdict(left, right, False, "proved", detail=detail, where=where)


def numbered(graph: OpGraph) -> Values:
    """Return the numbers of all signals of a graph."""
    values = Values(list(range(graph.n_inputs)))
    for op, x, z in zip(graph.op.tolist(), graph.x.tolist(), graph.z.tolist(), strict=True):
        values.of.append(values.number(op, values.of[x], values.of[z]))
    return values


@dataclass
class Values:
    """Values numbered by what computes them; `of` has those of inputs and operations in order."""

    of: list[int]
    numbers: dict[tuple[int, int, int], int] = field(default_factory=dict)

    def number(self, table: int, x: int, z: int) -> int:
        """Number of an operation on two values; operand order does not matter."""
        if x == z:  # only the entries 00 and 11 can happen
            table &= 0b1001
        if x > z:
            middle = table >> 1 & 0b11
            table = table & 0b1001 | (middle >> 1 | middle << 1 & 0b10) << 1
            x, z = z, x
        first = len(self.numbers) + self.inputs
        return self.numbers.setdefault((table, x, z), first)

    def __post_init__(self) -> None:
        self.inputs = len(self.of)


def follow(
    program: Program, values: Values, inputs: Sequence[int], known: int
) -> tuple[list[list[int]], str]:
    """Return the numbers each slice emits, and where a value new to the graph first arose.

    Parameters
    ----------
    program : Program
    values : Values
    inputs : sequence of int
        Numbers of the program's input bits.
    known : int
        Numbers from here on are of values the graph has not.
    """
    memory: dict[tuple[int, int], list[tuple[int, int]]] = {}
    places = zip(program.input_bank.tolist(), program.input_row.tolist(), strict=True)
    for number, place in zip(inputs, places, strict=True):
        memory[place] = [(0, number)]
    emitted: list[list[int]] = [[] for _ in range(program.slices)]
    strange = ""
    for step in range(program.steps):
        cycle = step * program.contexts
        x_row, z_row = program.x_row[step].tolist(), program.z_row[step].tolist()
        done = []
        for i in program.active[step].nonzero()[0].tolist():
            x_bank, z_bank = int(program.x_bank[step, i]), int(program.z_bank[step, i])
            table = BY_OPCODE[int(program.opcode[step, i])].table
            x = _read(memory, (x_bank, x_row[x_bank]), cycle)
            z = _read(memory, (z_bank, z_row[z_bank]), cycle)
            number = values.number(table, x, z)
            if not strange and (number >= known or NOTHING in (x, z)):
                strange = f"step {step}, slice {i} computes what no operation of the graph does"
            done.append((i, number))
        for i, number in done:
            if program.emit[step, i]:
                emitted[i].append(number)
            row = int(program.write_row[step, i])
            if row >= 0:
                ready = cycle + program.latency
                held = memory.setdefault((i, row), [])
                # What was ready before this step began is out of reach of later reads once
                # another write has arrived.
                while len(held) > 1 and held[1][0] <= cycle:
                    held.pop(0)
                held.append((ready, number))
    return emitted, strange


def _read(
    memory: dict[tuple[int, int], list[tuple[int, int]]], place: tuple[int, int], cycle: int
) -> int:
    found = NOTHING
    for ready, number in memory.get(place, ()):
        if ready <= cycle:
            found = number
    return found
