"""TableNet: every neuron a truth table with a care set, or an arithmetic block.

Signals are single bits, numbered from 0. The bits of the input ports come first (port by port,
LSB first); each block then defines its output bits. Blocks are in topological order.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

from nnlogic.core import bits
from nnlogic.core.bits import Bools
from nnlogic.core.errors import IRError, Problem
from nnlogic.core.fields import stored
from nnlogic.core.formats import IntArray, LayerInfo, Port
from nnlogic.core.stored import Stored
from nnlogic.tables.blocks import (
    JUSTIFICATIONS,
    MAX_INPUTS,
    ArgmaxBlock,
    Block,
    Function,
    Instance,
    Sum,
    Threshold,
    Word,
    block_inputs,
)
from nnlogic.tables.evaluate import output_values, trace_bits
from nnlogic.tables.text import table_text

__all__ = [
    "JUSTIFICATIONS",
    "MAX_INPUTS",
    "ArgmaxBlock",
    "Block",
    "Function",
    "Instance",
    "Sum",
    "TableNet",
    "Threshold",
    "Word",
    "block_inputs",
]


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
    shared : tuple of int
        Layers made of copies, such as windows: passes keep one function for all instances of one,
        with a care set that holds for all of them.
    """

    name: str
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    functions: tuple[Function, ...] = field(metadata=stored(path="f{i}"))
    blocks: tuple[Block, ...]
    output_signals: tuple[int, ...]
    layers: tuple[LayerInfo, ...]
    shared: tuple[int, ...] = field(default=(), metadata=stored(grown=True))

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
        words = bits.pack_ports(codes, self.inputs)
        return trace_bits(self, bits.unpack(words, len(codes)))

    def evaluate(self, codes: IntArray) -> IntArray:
        """Exact outputs; int array (samples, inputs) in, int64 (samples, outputs) out."""
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
        return table_text(self)
