"""TableNet: every neuron a truth table with a care set, or an arithmetic block.

Signals are single bits, numbered from 0. The bits of the input ports come first (port by port,
LSB first); each block then defines its output bits. Blocks are in topological order.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

import numpy as np

from nnlogic.core import bits
from nnlogic.core.archive import digest
from nnlogic.core.bits import Bools, Words
from nnlogic.core.errors import IRError, Problem
from nnlogic.core.fields import stored
from nnlogic.core.formats import IntArray, IntFormat, LayerInfo, Port
from nnlogic.core.stored import Stored

MAX_INPUTS = 16
JUSTIFICATIONS = ("exact SDC", "exact ODC", "observed data")


@dataclass(frozen=True, eq=False)
class Function:
    """A Boolean function of several outputs, with the inputs that matter.

    Attributes
    ----------
    n_inputs : int
        0 to `MAX_INPUTS`.
    bits : uint64 array, shape (outputs, words_for(2**n_inputs))
        Table-packed (see `nnlogic.core.bits`); zero where the care set is zero.
    care : uint64 array, shape (words,), or None
        Inputs that can occur and matter; None means all.
    justification : str
        Why the others do not matter: one of `JUSTIFICATIONS`; empty when `care` is None.
    """

    n_inputs: int
    bits: Words
    care: Words | None = None
    justification: str = ""

    @property
    def n_outputs(self) -> int:
        """Number of output bits."""
        return len(self.bits)

    @cached_property
    def digest(self) -> str:
        """Content hash of table and care set; equal functions share it."""
        care = self.care if self.care is not None else np.zeros(0, np.uint64)
        return digest(self.n_inputs, self.bits, care)

    def care_bools(self) -> Bools:
        """Return the care set as bool, shape (2**n_inputs,)."""
        size = 1 << self.n_inputs
        return np.ones(size, bool) if self.care is None else bits.unpack(self.care, size)

    def table(self) -> Bools:
        """Return the table as bool, shape (outputs, 2**n_inputs)."""
        return bits.unpack(self.bits, 1 << self.n_inputs)

    def problems(self) -> list[str]:
        """Return what breaks the rules of a function."""
        words = bits.words_for(1 << self.n_inputs)
        out = []
        if not 0 <= self.n_inputs <= MAX_INPUTS:
            return [f"{self.n_inputs} inputs, limit {MAX_INPUTS}"]
        if self.bits.ndim != 2 or self.bits.shape[1] != words or not len(self.bits):
            return [f"table of shape {self.bits.shape}, need (outputs, {words})"]
        tail = (1 << self.n_inputs) % 64
        if tail and np.any(self.bits >> np.uint64(tail)):
            out.append("bits set beyond the end of the table")
        if (self.care is None) == bool(self.justification):
            out.append("a care set and its justification come together")
        if self.justification and self.justification not in JUSTIFICATIONS:
            out.append(f"justification {self.justification!r} not in {JUSTIFICATIONS}")
        if self.care is not None:
            if self.care.shape != (words,):
                out.append(f"care set of shape {self.care.shape}, need ({words},)")
            elif np.any(self.bits & ~self.care):
                out.append("table bits set outside the care set")
        return out


@dataclass(frozen=True)
class Instance:
    """A use of a shared function. `origin` is ``layer/neuron<i>``."""

    function: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    origin: str
    layer: int


@dataclass(frozen=True)
class Word:
    """Bits of one integer, LSB first."""

    signals: tuple[int, ...]
    signed: bool = False

    @property
    def format(self) -> IntFormat:
        """Format of the integer."""
        return IntFormat(len(self.signals), self.signed)


@dataclass(frozen=True)
class Sum:
    """Exact ``sum(weights[i] * words[i]) + bias``, in the format of `result`."""

    words: tuple[Word, ...]
    weights: tuple[int, ...]
    bias: int
    result: Word
    origin: str
    layer: int

    @property
    def outputs(self) -> tuple[int, ...]:
        """Signals this block defines."""
        return self.result.signals


@dataclass(frozen=True)
class Threshold:
    """Number of `thresholds` not above the weighted sum: a linear neuron too wide for a table."""

    words: tuple[Word, ...]
    weights: tuple[int, ...]
    bias: int
    thresholds: tuple[int, ...]
    result: Word
    origin: str
    layer: int

    @property
    def outputs(self) -> tuple[int, ...]:
        """Signals this block defines."""
        return self.result.signals


@dataclass(frozen=True)
class Argmax:
    """Index of the largest word; the lowest index wins a tie."""

    words: tuple[Word, ...]
    result: Word
    origin: str
    layer: int

    @property
    def outputs(self) -> tuple[int, ...]:
        """Signals this block defines."""
        return self.result.signals


Block = Instance | Sum | Threshold | Argmax


def block_inputs(block: Block) -> tuple[int, ...]:
    """Signals a block reads, in order."""
    if isinstance(block, Instance):
        return block.inputs
    return tuple(s for word in block.words for s in word.signals)


@dataclass(frozen=True, eq=False)
class TableNet(Stored):
    """A network of tables and arithmetic blocks.

    Attributes
    ----------
    inputs, outputs : tuple of Port
    functions : tuple of Function
        Distinct; instances refer to them by index.
    blocks : tuple of Block
        Topological order.
    output_signals : tuple of int
        Bits of the output ports, port by port, LSB first.
    layers : tuple of LayerInfo
        Blocks refer to them by index.
    """

    name: str
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    functions: tuple[Function, ...] = field(metadata=stored(path="f{i}"))
    blocks: tuple[Block, ...]
    output_signals: tuple[int, ...]
    layers: tuple[LayerInfo, ...]

    kind: ClassVar[str] = "TableNet"

    @cached_property
    def n_inputs(self) -> int:
        """Input bits."""
        return bits.total_bits(self.inputs)

    @cached_property
    def n_signals(self) -> int:
        """Input bits plus all block outputs."""
        return self.n_inputs + sum(len(b.outputs) for b in self.blocks)

    @property
    def instances(self) -> Iterable[Instance]:
        """Blocks that are tables."""
        return (b for b in self.blocks if isinstance(b, Instance))

    def trace(self, codes: IntArray) -> Bools:
        """Return the value of every signal, bool, shape (signals, samples)."""
        from nnlogic.tables.evaluate import trace_bits

        words = bits.pack_ports(codes, self.inputs)
        return trace_bits(self, bits.unpack(words, len(codes)))

    def evaluate(self, codes: IntArray) -> IntArray:
        """Exact outputs; int array (samples, inputs) in, int64 (samples, outputs) out."""
        from nnlogic.tables.evaluate import output_values

        return output_values(self, self.trace(codes))

    def verify(self) -> None:
        """Raise IRError, with all problems, when a rule of TableNet is broken."""
        problems = [
            Problem(f"function {i}", why)
            for i, f in enumerate(self.functions)
            for why in f.problems()
        ]
        known = self.n_inputs
        for block in self.blocks:
            bad = [s for s in block_inputs(block) if not 0 <= s < known]
            if bad:
                problems.append(Problem(block.origin, f"reads {bad}, not yet defined"))
            if tuple(block.outputs) != tuple(range(known, known + len(block.outputs))):
                problems.append(Problem(block.origin, "outputs are not the next free signals"))
            if not 0 <= block.layer < len(self.layers):
                problems.append(Problem(block.origin, f"no layer {block.layer}"))
            if isinstance(block, Instance):
                if not 0 <= block.function < len(self.functions):
                    problems.append(Problem(block.origin, f"no function {block.function}"))
                else:
                    f = self.functions[block.function]
                    if (f.n_inputs, f.n_outputs) != (len(block.inputs), len(block.outputs)):
                        problems.append(Problem(block.origin, "pins do not match the function"))
            elif isinstance(block, Sum | Threshold) and len(block.words) != len(block.weights):
                problems.append(Problem(block.origin, "words and weights differ in number"))
            known += len(block.outputs)
        if len(self.output_signals) != bits.total_bits(self.outputs):
            problems.append(Problem("outputs", "signals do not match the ports"))
        if any(not 0 <= s < known for s in self.output_signals):
            problems.append(Problem("outputs", "read a signal that does not exist"))
        if problems:
            raise IRError("TableNet breaks its rules", where=self.name, problems=problems)

    def stats(self) -> dict[str, int]:
        """Counts for the report."""
        tables = list(self.instances)
        return {
            "tables": len(tables),
            "distinct": len({self.functions[t.function].digest for t in tables}),
            "arithmetic": len(self.blocks) - len(tables),
            "widest_table_bits": max((len(t.inputs) for t in tables), default=0),
            "signals": self.n_signals,
        }

    def text(self) -> str:
        """Return the stable printed form."""
        from nnlogic.tables.text import table_text

        return table_text(self)
