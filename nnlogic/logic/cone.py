"""Cone: a K-LUT network without names, the common currency of engines and passes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nnlogic.core import bits
from nnlogic.core.bits import Bools
from nnlogic.tables.ir import Function


@dataclass(frozen=True)
class Cone:
    """LUT nodes over `n_inputs` input signals.

    Attributes
    ----------
    n_inputs : int
        Signals ``0 .. n_inputs - 1``; node ``i`` defines signal ``n_inputs + i``.
    fanins : tuple of tuple of int
        Signals each node reads, all smaller than its own; empty for a constant.
    tables : tuple of int
        Truth table of each node, see `nnlogic.logic.truth`.
    outputs : tuple of int
        Signals.
    """

    n_inputs: int
    fanins: tuple[tuple[int, ...], ...]
    tables: tuple[int, ...]
    outputs: tuple[int, ...]

    @property
    def n_nodes(self) -> int:
        """Number of nodes."""
        return len(self.tables)

    @property
    def luts(self) -> int:
        """Nodes with two or more inputs."""
        return sum(len(f) >= 2 for f in self.fanins)

    @property
    def edges(self) -> int:
        """Connections into nodes."""
        return sum(map(len, self.fanins))

    @property
    def widest(self) -> int:
        """Most inputs of any node."""
        return max(map(len, self.fanins), default=0)

    @cached_property
    def depth(self) -> int:
        """Levels on the longest path to an output."""
        level = [0] * (self.n_inputs + self.n_nodes)
        for i, fanin in enumerate(self.fanins, self.n_inputs):
            if fanin:
                level[i] = 1 + max(level[s] for s in fanin)
        return max((level[s] for s in self.outputs), default=0)

    def evaluate(self, values: Bools) -> Bools:
        """Evaluate by table lookup, independently of the compiled kernel.

        Parameters
        ----------
        values : bool array, shape (n_inputs, samples)

        Returns
        -------
        bool array, shape (outputs, samples)
        """
        samples = values.shape[1]
        rows = list(values.astype(np.uint8))
        for fanin, table in zip(self.fanins, self.tables, strict=True):
            kind = np.uint8 if len(fanin) <= 8 else np.uint32
            index = np.zeros(samples, kind)
            for b, s in enumerate(fanin):
                index = index | (rows[s].astype(kind, copy=False) << b)
            lookup = table_bits(table, len(fanin))
            rows.append(lookup[index])
        out = np.zeros((len(self.outputs), samples), dtype=bool)
        for i, s in enumerate(self.outputs):
            out[i] = rows[s]
        return out

    def problems(self, k: int) -> list[str]:
        """Return what breaks the rules of a Cone of `k`-input LUTs."""
        if len(self.fanins) != len(self.tables):
            return [f"{len(self.fanins)} fan-ins for {len(self.tables)} tables"]
        out = []
        for i, (fanin, table) in enumerate(zip(self.fanins, self.tables, strict=True)):
            if len(fanin) > k:
                out.append(f"node {i} has {len(fanin)} inputs, limit {k}")
            elif any(not 0 <= s < self.n_inputs + i for s in fanin):
                out.append(f"node {i} reads a signal that is not defined before it")
            elif not 0 <= table < 1 << (1 << len(fanin)):
                out.append(f"node {i} has bits beyond its table")
        if any(not 0 <= s < self.n_inputs + self.n_nodes for s in self.outputs):
            out.append("an output reads a signal that does not exist")
        return out


def table_bits(table: int, n: int) -> np.ndarray:
    """Return a LUT's table as uint8, shape (2**n,)."""
    size = 1 << n
    raw = np.frombuffer(table.to_bytes(max(1, size // 8), "little"), np.uint8)
    return np.unpackbits(raw, count=size, bitorder="little")


def input_patterns(n: int) -> Bools:
    """Return all input combinations, bool, shape (n, 2**n); row ``b`` is bit ``b`` of the index."""
    index = np.arange(1 << n, dtype=np.uint32)
    return ((index >> np.arange(n, dtype=np.uint32)[:, None]) & 1).astype(bool)


def mismatches(cone: Cone, function: Function) -> int:
    """Count inputs of the care set on which `cone` differs from `function`; exhaustive."""
    if cone.n_inputs != function.n_inputs or len(cone.outputs) != function.n_outputs:
        return 1 << function.n_inputs
    got = cone.evaluate(input_patterns(function.n_inputs))
    wrong = (got != function.table()).any(axis=0) & function.care_bools()
    return int(wrong.sum())


def function_of(table: Bools, care: Bools | None, justification: str = "") -> Function:
    """Build a Function from bool arrays, masking the table by the care set.

    Parameters
    ----------
    table : bool array, shape (outputs, 2**n)
    care : bool array, shape (2**n,), or None
    """
    n = table.shape[1].bit_length() - 1
    if care is None or care.all():
        return Function(n, bits.pack(table))
    return Function(n, bits.pack(table & care), bits.pack(care), justification)


class ConeBuilder:
    """Collects nodes, sharing equal ones and simplifying as it goes."""

    def __init__(self, n_inputs: int) -> None:
        self.n_inputs = n_inputs
        self.fanins: list[tuple[int, ...]] = []
        self.tables: list[int] = []
        self._known: dict[tuple[tuple[int, ...], int], int] = {}

    def lut(self, fanins: Sequence[int], table: int) -> int:
        """Add a node, or find the signal that already computes it."""
        from nnlogic.logic.truth import BUFFER, simplified

        table, inputs = simplified(table, fanins)
        if len(inputs) == 1 and table == BUFFER:
            return inputs[0]
        key = (inputs, table)
        if key not in self._known:
            self._known[key] = self.n_inputs + len(self.tables)
            self.fanins.append(inputs)
            self.tables.append(table)
        return self._known[key]

    def constant(self, value: bool) -> int:
        """Return a signal that is constant."""
        return self.lut((), int(value))

    def constant_of(self, signal: int) -> bool | None:
        """Return the value of a signal made by `constant`, None for others."""
        node = signal - self.n_inputs
        return bool(self.tables[node]) if node >= 0 and not self.fanins[node] else None

    def reads(self, signal: int) -> int:
        """Return how many signals the node of a signal reads; none for an input."""
        return len(self.fanins[signal - self.n_inputs]) if signal >= self.n_inputs else 0

    def add(self, cone: Cone, inputs: Sequence[int]) -> tuple[int, ...]:
        """Add all nodes of `cone` on the given signals and return its outputs."""
        signals = list(inputs)
        for fanin, table in zip(cone.fanins, cone.tables, strict=True):
            signals.append(self.lut([signals[s] for s in fanin], table))
        return tuple(signals[s] for s in cone.outputs)

    def cone(self, outputs: Sequence[int]) -> Cone:
        """Return the finished network."""
        return Cone(self.n_inputs, tuple(self.fanins), tuple(self.tables), tuple(outputs))
