"""LogicNet: a network of K-input LUTs, every node with an origin.

Signals are single bits, numbered from 0: first the bits of the input ports (port by port, LSB
first), then one signal per node. Nodes are in topological order.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from nnlogic.core import bits
from nnlogic.core.bits import Words
from nnlogic.core.errors import IRError, Problem
from nnlogic.core.fields import stored
from nnlogic.core.formats import IntArray, LayerInfo, Port
from nnlogic.core.stored import Stored
from nnlogic.logic.evaluate import evaluate_words, trace_words
from nnlogic.logic.text import logic_text

MAX_K = 6


@dataclass(frozen=True, eq=False)
class LogicNet(Stored):
    """A K-LUT network.

    Attributes
    ----------
    k : int
        Most inputs a node may have, 2 to 6.
    fanins : int32 array, shape (nodes, k)
        Signals read, first input first; -1 pads the end.
    tables : uint64 array, shape (nodes,)
        Bit ``i`` is the output for index ``i``, input ``b`` is bit ``b`` of the index; zero
        beyond ``2**fan-in``. A node without inputs is a constant.
    output_signals : tuple of int
        Bits of the output ports, port by port, LSB first.
    origins : tuple of str
        Per node, the neuron bit it was made for: ``fc1/neuron12/bit0``; nodes inside a cone
        carry ``fc1/neuron12``.
    node_layers : int32 array, shape (nodes,)
        Index into `layers`.
    cuts : int32 array, shape (TableNet signals,)
        The signal that carries each signal of the TableNet this was made from, -1 where there
        is none; empty when there was no TableNet. The proof against the tables uses it.
    """

    name: str
    k: int
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    fanins: NDArray[np.int32] = field(metadata=stored(dims=2))
    tables: Words = field(metadata=stored(dims=1))
    output_signals: tuple[int, ...] = field(metadata=stored(array=np.int64))
    origins: tuple[str, ...]
    node_layers: NDArray[np.int32] = field(metadata=stored(dims=1))
    layers: tuple[LayerInfo, ...]
    cuts: NDArray[np.int32] = field(metadata=stored(dims=1))

    kind: ClassVar[str] = "LogicNet"

    @cached_property
    def n_inputs(self) -> int:
        """Input bits."""
        return bits.total_bits(self.inputs)

    @property
    def n_nodes(self) -> int:
        """Number of LUT nodes, constants and single-input nodes included."""
        return len(self.tables)

    @cached_property
    def fan_in_counts(self) -> NDArray[np.int32]:
        """Inputs of each node, shape (nodes,)."""
        return (self.fanins >= 0).sum(axis=1).astype(np.int32)

    @cached_property
    def levels(self) -> NDArray[np.int32]:
        """Depth of each signal in LUTs, shape (signals,); 0 for inputs and constants."""
        out = [0] * self.n_inputs
        for row, count in zip(self.fanins.tolist(), self.fan_in_counts.tolist(), strict=True):
            out.append(1 + max(out[s] for s in row[:count]) if count else 0)
        return np.array(out, dtype=np.int32)

    def evaluate(self, codes: IntArray) -> IntArray:
        """Exact outputs; int array (samples, inputs) in, int64 (samples, outputs) out."""
        words = self.evaluate_words(bits.pack_ports(codes, self.inputs))
        return bits.unpack_ports(words, self.outputs, len(codes))

    def evaluate_words(self, words: Words) -> Words:
        """Bit-parallel evaluation: sample-packed input bits in, output bits out.

        Parameters
        ----------
        words : uint64 array, shape (n_inputs, words)

        Returns
        -------
        uint64 array, shape (len(output_signals), words)
        """
        return evaluate_words(self, words)

    def trace_words(self, words: Words) -> Words:
        """Like `evaluate_words`, but return every signal, shape (signals, words)."""
        return trace_words(self, words)

    def verify(self) -> None:
        """Raise IRError, with all problems, when a rule of LogicNet is broken."""
        problems = self._shape_problems() or self._node_problems()
        if problems:
            raise IRError("LogicNet breaks its rules", where=self.name, problems=problems[:20])

    def _shape_problems(self) -> list[Problem]:
        n = self.n_nodes
        out = []
        if not 2 <= self.k <= MAX_K:
            out.append(Problem("k", f"{self.k}, allowed 2 to {MAX_K}"))
        if self.fanins.shape != (n, self.k):
            out.append(Problem("fanins", f"shape {self.fanins.shape}, need ({n}, {self.k})"))
        if len(self.origins) != n or self.node_layers.shape != (n,):
            out.append(Problem("origins", f"{len(self.origins)} origins for {n} nodes"))
        if len(self.output_signals) != bits.total_bits(self.outputs):
            out.append(Problem("outputs", "signals do not match the ports"))
        return out

    def _node_problems(self) -> list[Problem]:
        out = []
        n_in, n = self.n_inputs, self.n_nodes
        if (self.fanins < -1).any() or (self.fanins >= n_in + n).any():
            return [Problem("fanins", f"a node reads a signal that does not exist, of {n_in + n}")]
        own = n_in + np.arange(n)
        late = np.flatnonzero((self.fanins >= own[:, None]).any(axis=1))
        out += [Problem(self.origins[i], f"node {i} is not in topological order") for i in late]
        padded = self.fanins < 0
        holes = np.flatnonzero((padded[:, :-1] & ~padded[:, 1:]).any(axis=1))
        out += [Problem(self.origins[i], f"node {i} has a hole in its inputs") for i in holes]
        size = np.minimum(63, 1 << self.fan_in_counts.astype(np.int64)).astype(np.uint64)
        over = np.flatnonzero((self.fan_in_counts < 6) & ((self.tables >> size) != 0))
        out += [Problem(self.origins[i], f"node {i} has bits beyond its table") for i in over]
        if n and (self.node_layers.min() < 0 or self.node_layers.max() >= len(self.layers)):
            out.append(Problem("layers", "a node belongs to no layer"))
        if any(not 0 <= s < n_in + n for s in self.output_signals):
            out.append(Problem("outputs", "read a signal that does not exist"))
            return out
        used = np.zeros(n_in + n + 1, dtype=bool)
        used[self.fanins] = True
        used[list(self.output_signals)] = True
        dangling = np.flatnonzero(~used[n_in:-1])
        out += [Problem(self.origins[i], f"node {i} drives nothing") for i in dangling]
        if self.cuts.size and (self.cuts.min() < -1 or self.cuts.max() >= n_in + n):
            out.append(Problem("cuts", "name a signal that does not exist"))
        return out

    def stats(self) -> dict[str, int]:
        """Counts for the report: nodes with two or more inputs are LUTs."""
        counts = self.fan_in_counts
        return {
            "luts": int((counts >= 2).sum()),
            "inverters": int((counts == 1).sum()),
            "constants": int((counts == 0).sum()),
            "depth": int(max((self.levels[s] for s in self.output_signals), default=0)),
        }

    def text(self) -> str:
        """Return the stable printed form."""
        return logic_text(self)
