"""OpGraph: two-input operations without time. Program: the same on slices, cycle by cycle."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from nnlogic.backends.dsp.model.interpret import evaluate_graph, run_program
from nnlogic.backends.dsp.model.ops import LANES
from nnlogic.backends.dsp.model.rules import verify_graph, verify_program
from nnlogic.backends.dsp.model.text import graph_text, program_text
from nnlogic.core import bits
from nnlogic.core.bits import Words
from nnlogic.core.fields import stored
from nnlogic.core.formats import IntArray, Port
from nnlogic.core.stored import Stored

FLAT, TABLE = stored(dims=1), stored(dims=2)


@dataclass(frozen=True, eq=False)
class OpGraph(Stored):
    """A network of two-input operations; inverters are absorbed into the operations.

    Signals are single bits, numbered from 0: first the bits of the input ports (port by port,
    LSB first), then one per operation, in topological order.

    Attributes
    ----------
    op : uint8 array, shape (operations,)
        Truth table of `nnlogic.backends.dsp.model.ops`; always one of the ten.
    x, z : int32 array, shape (operations,)
        Signals read; equal for copies and constants.
    output_signals : int32 array, shape (output bits,)
        Bits of the output ports, port by port, LSB first; each is driven by an operation.
    """

    name: str
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    op: NDArray[np.uint8] = field(metadata=FLAT)
    x: NDArray[np.int32] = field(metadata=FLAT)
    z: NDArray[np.int32] = field(metadata=FLAT)
    output_signals: NDArray[np.int32] = field(metadata=FLAT)

    kind: ClassVar[str] = "OpGraph"

    @cached_property
    def n_inputs(self) -> int:
        """Input bits."""
        return bits.total_bits(self.inputs)

    @property
    def n_ops(self) -> int:
        """Number of operations, copies and constants included."""
        return len(self.op)

    @cached_property
    def levels(self) -> NDArray[np.int32]:
        """Depth of each signal in operations, shape (signals,); 0 for inputs."""
        from nnlogic.backends.dsp.model.kernel import depths

        return depths(self.n_inputs, self.x, self.z)

    @property
    def depth(self) -> int:
        """Operations on the longest path to an output."""
        return int(self.levels[self.output_signals].max(initial=0))

    def evaluate(self, codes: IntArray) -> IntArray:
        """Exact outputs; int array (samples, inputs) in, int64 (samples, outputs) out."""
        words = self.evaluate_words(bits.pack_ports(codes, self.inputs))
        return bits.unpack_ports(words, self.outputs, len(codes))

    def evaluate_words(self, words: Words) -> Words:
        """Sample-packed input bits (n_inputs, words) in, output bits (outputs, words) out."""
        return evaluate_graph(self, words)

    def verify(self) -> None:
        """Raise IRError, with all problems, when a rule of OpGraph is broken."""
        verify_graph(self)

    def stats(self) -> dict[str, int]:
        """Counts for the report."""
        return {"operations": self.n_ops, "depth": self.depth}

    def text(self) -> str:
        """Return the stable printed form."""
        return graph_text(self)


@dataclass(frozen=True, eq=False)
class Program(Stored):
    """An OpGraph placed on N slices: what the engine executes, word for word.

    *Memory.* Bank ``i < slices`` belongs to slice ``i`` and is written by it alone. Banks
    ``slices .. slices + input_banks - 1`` hold inputs and are written by the loader alone. Every
    bank has two read ports, X and Z (a copy of the memory each): port X serves operand X (A:B)
    of any slice, port Z operand Z (C). A row is one word of 48 lanes. All rows here are rows of
    one context: context ``k`` keeps row ``r`` at physical row ``k * rows + r`` of a slice bank,
    and at ``(buffer * contexts + k) * input_rows + r`` of an input bank.

    *Time.* The program has S steps. The engine runs it once for a *group* of `contexts`
    independent batches of 48 lanes. Step ``s`` is issued for context ``k`` in cycle
    ``c = s * contexts + k`` of the group; groups start every `interval` cycles, which is
    ``S * contexts`` without a gap unless loading or reading out takes longer. In issue cycle
    ``c``:

    1. port X of every bank ``b`` with ``x_row[s, b] >= 0`` is given that row of context ``k``,
       and port Z likewise;
    2. slice ``i`` is active when ``write_row[s, i] >= 0`` or ``emit[s, i]``: its operands are
       the words read on port X of bank ``x_bank[s, i]`` and port Z of bank ``z_bank[s, i]``;
    3. its result, operation ``opcode[s, i]`` on both, goes to row ``write_row[s, i]`` of bank
       ``i`` (unless -1), context ``k``, on the closing edge of cycle ``c + latency - 1``: reads
       issued in cycle ``c + latency`` or later see it, reads issued before that cycle see the
       old row; a read of that row issued in cycle ``c + latency - 1`` itself is illegal, so
       memories may do as they like on a collision;
    4. if ``emit[s, i]``, the same result on the same edge also goes to the output memory of
       slice ``i``: the e-th emission of slice ``i`` in program order is its output word ``e``.

    In steps, a result can be read ``step_latency = ceil(latency / contexts)`` steps later.
    Inactive slices carry `ops.IDLE`. A group that has started is never stalled: it starts when
    its inputs are loaded and an output buffer is free.

    *Inputs* are double-buffered. Group ``g`` reads buffer ``g % 2``, which the loader fills
    while group ``g - 1`` runs: from the first cycle of group ``g - 1`` up to the one before
    the first of group ``g``. One beat writes row ``r`` of context ``k`` in all input banks;
    beats go k = 0.., r = 0.. inside (``contexts * input_rows`` beats). Bit ``b`` of the input
    ports is at row ``input_row[b]`` of bank ``input_bank[b]``; both are -1 for a bit nothing
    reads.

    *Outputs* are double-buffered too. Group ``g`` emits to output buffer ``g % 2``. Bit ``b``
    of the output ports is output word ``output_index[b]`` of slice ``output_slice[b]``. All of
    group ``g`` may be read from cycle `cycles` on, counted from the first cycle of the group,
    until `interval` cycles later.

    Rows hold no defined value before they are written; `verify` forbids reading such a row.

    Attributes
    ----------
    slices, input_banks, contexts, latency : int
    rows, input_rows : int
        Rows of a context used in the fullest slice bank, and in the fullest input bank.
    opcode : uint8 array, shape (S, slices)
    x_bank, z_bank : int16 array, shape (S, slices)
        0 where the slice is inactive.
    x_row, z_row : int32 array, shape (S, slices + input_banks)
        -1 where the port does not read.
    write_row : int32 array, shape (S, slices)
    emit : bool array, shape (S, slices)
    input_bank, input_row : int32 array, shape (input bits,)
    output_slice, output_index : int32 array, shape (output bits,)
    """

    name: str
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    slices: int
    input_banks: int
    contexts: int
    latency: int
    rows: int
    input_rows: int
    opcode: NDArray[np.uint8] = field(metadata=TABLE)
    x_bank: NDArray[np.int16] = field(metadata=TABLE)
    z_bank: NDArray[np.int16] = field(metadata=TABLE)
    x_row: NDArray[np.int32] = field(metadata=TABLE)
    z_row: NDArray[np.int32] = field(metadata=TABLE)
    write_row: NDArray[np.int32] = field(metadata=TABLE)
    emit: NDArray[np.bool_] = field(metadata=TABLE)
    input_bank: NDArray[np.int32] = field(metadata=FLAT)
    input_row: NDArray[np.int32] = field(metadata=FLAT)
    output_slice: NDArray[np.int32] = field(metadata=FLAT)
    output_index: NDArray[np.int32] = field(metadata=FLAT)

    kind: ClassVar[str] = "Program"

    @property
    def steps(self) -> int:
        """Length of the program memory."""
        return len(self.opcode)

    @property
    def banks(self) -> int:
        """Slice banks and input banks."""
        return self.slices + self.input_banks

    @cached_property
    def n_inputs(self) -> int:
        """Input bits."""
        return bits.total_bits(self.inputs)

    @property
    def step_latency(self) -> int:
        """Steps from an operation to the first that may read its result."""
        return -(-self.latency // self.contexts)

    @property
    def interval(self) -> int:
        """Cycles from one group to the next; loading and reading out included."""
        return max(self.steps, self.input_rows, self.output_rows) * self.contexts

    @property
    def cycles(self) -> int:
        """Latency: cycles from the issue of a group to its outputs being readable."""
        return self.steps * self.contexts + self.latency - 1

    @property
    def vectors(self) -> int:
        """Input vectors of one group: lanes times contexts."""
        return LANES * self.contexts

    @cached_property
    def active(self) -> NDArray[np.bool_]:
        """Which slice works in which step, shape (S, slices)."""
        return (self.write_row >= 0) | self.emit

    @cached_property
    def n_ops(self) -> int:
        """Operations executed per batch."""
        return int(self.active.sum())

    @property
    def utilization(self) -> float:
        """Share of slice cycles that do an operation."""
        return self.n_ops / max(1, self.active.size)

    @cached_property
    def output_rows(self) -> int:
        """Output words of the slice that emits most."""
        return int(self.emit.sum(axis=0).max(initial=0))

    def evaluate(self, codes: IntArray) -> IntArray:
        """Exact outputs of the engine; shapes as `OpGraph.evaluate`."""
        words = self.evaluate_words(bits.pack_ports(codes, self.inputs))
        return bits.unpack_ports(words, self.outputs, len(codes))

    def evaluate_words(self, words: Words) -> Words:
        """Sample-packed input bits (n_inputs, words) in, output bits (outputs, words) out.

        Executes the steps as described above; the 64 samples of a word are lanes.
        """
        return run_program(self, words)

    def verify(self) -> None:
        """Raise IRError, with all problems, when the engine could not execute the program.

        Wrong shapes, illegal opcodes, banks or rows that do not exist, an active slice whose
        port does not read, reads of rows that hold nothing yet or whose value was overwritten
        too early or arrives too late, outputs that are not emitted.
        """
        verify_program(self)

    def stats(self) -> dict[str, int]:
        """Counts for the report."""
        return {
            "slices": self.slices,
            "operations": self.n_ops,
            "steps": self.steps,
            "contexts": self.contexts,
            "latency_cycles": self.cycles,
            "interval_cycles": self.interval,
            "rows": self.rows * self.contexts,
            "input_rows": 2 * self.input_rows * self.contexts,
            "utilization_percent": round(100 * self.utilization),
        }

    def text(self) -> str:
        """Return the stable printed form."""
        return program_text(self)
