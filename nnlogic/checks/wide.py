"""Arithmetic blocks too wide to enumerate, against the LUTs that should compute them.

Two adders that differ inside are out of reach of SAT. So the structures that `nnlogic.logic` would
build are built again, proved by their certificates (`nnlogic.checks.sums`), and the LUTs at hand
are compared with the structure most like them: LUT by LUT, and where they are not the same ones by
SAT, which is easy, as they share most signals.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from nnlogic.checks.gates import ONE, ZERO, Gates, add_cone
from nnlogic.checks.hashed import Hashed
from nnlogic.checks.reference import add_block
from nnlogic.checks.sums import certify, unpacked
from nnlogic.checks.sweep import look_up
from nnlogic.core.bits import Bools
from nnlogic.core.errors import ToolFailed
from nnlogic.logic.certificate import Structure
from nnlogic.logic.ir import LogicNet
from nnlogic.logic.structures import structures
from nnlogic.tables.evaluate import block_values
from nnlogic.tables.ir import ArgmaxBlock, Sum, Threshold, block_inputs
from nnlogic.tools.abc import prove_equal, sweep_equal

SAMPLES = 4096
SWEEP_SECONDS = 20
WIDEST = 22
"""Inputs up to which all values are tried when nothing else gives a proof."""
CHUNK = 16
ALIKE = 0.9
"""Part of its signals found in the LUTs from which a structure is tried before others are built."""


@dataclass(frozen=True)
class Outcome:
    """What a comparison came to.

    Attributes
    ----------
    how : str
        ``"certificate"``, ``"exhaustive"`` or ``"SAT"`` where it is a proof, else empty.
    difference : str
    unproved : str
        Why there is no proof, with the number of samples that agree.
    """

    how: str = ""
    difference: str = ""
    unproved: str = ""


@dataclass(frozen=True)
class WideCone:
    """A block and the LUTs that should compute it.

    Attributes
    ----------
    block : Sum, Threshold or ArgmaxBlock
    pins : sequence of int
        Per block input: the signal of `logic` that carries it. Where nothing does: -1 if it is
        fixed, else a negative number of its own; the LUTs must not depend on it.
    fixed : sequence of int
        Per block input: its value where it can only have one, else -1.
    roots : sequence of (output bit, signal)
    nodes : sequence of int
        Signals between the pins and the roots, in topological order.
    logic : LogicNet
    """

    block: Sum | Threshold | ArgmaxBlock
    pins: Sequence[int]
    fixed: Sequence[int]
    roots: Sequence[tuple[int, int]]
    nodes: Sequence[int]
    logic: LogicNet

    def prove(self, timeout: float) -> Outcome:
        """Compare; `timeout` bounds each call of a program, in seconds."""
        seconds = min(timeout, SWEEP_SECONDS)
        sample = _Sample(self, np.random.default_rng(0))
        wrong = sample.difference()
        if wrong:
            return Outcome(difference=wrong)
        gaps = []
        for name, structure in sample.alike():
            gap = certify(sample.block, structure)
            if gap:
                gaps.append(f"{name}: {gap}")
                continue
            if self._is(sample, structure):
                return Outcome(how="certificate")
            equal, said = sweep_equal(
                self._structure(sample, structure), self._actual(), timeout=seconds
            )
            if equal:
                return Outcome(how="certificate")
            if equal is False:
                return Outcome(difference=f"differs from a proved structure: {_last(said)}")
            gaps.append(f"{name}: no verdict in {seconds:g} s")
        if len(self.leaves) <= WIDEST:
            wrong = self._enumerated(sample)
            return Outcome(difference=wrong) if wrong else Outcome(how="exhaustive")
        try:
            equal, said = prove_equal(self._reference(), self._actual(), timeout=seconds)
        except ToolFailed as failure:
            gaps.append(failure.what)
            return Outcome(unproved=f"{'; '.join(gaps)}; sampled n={SAMPLES}")
        if equal:
            return Outcome(how="SAT")
        return Outcome(difference=f"differs from its reference circuit: {_last(said)}")

    @property
    def leaves(self) -> list[int]:
        """Distinct signals that may have either value."""
        free = [p for p, f in zip(self.pins, self.fixed, strict=True) if f < 0]
        return list(dict.fromkeys(free))

    def evaluate(self, rows: Bools) -> tuple[dict[int, int], dict[int, int]]:
        """Return, as bits of integers, the values of the block's inputs and of all signals.

        Parameters
        ----------
        rows : bool array, shape (leaves, samples)
        """
        size = rows.shape[1]
        full = (1 << size) - 1
        values = {s: packed(row) for s, row in zip(self.leaves, rows, strict=True)}
        inputs = {}
        for s, pin, fixed in zip(block_inputs(self.block), self.pins, self.fixed, strict=True):
            inputs[s] = values[pin] if fixed < 0 else full * fixed
            if fixed >= 0 and pin >= 0:
                values[pin] = full * fixed
        for signal in self.nodes:
            node = signal - self.logic.n_inputs
            row = self.logic.fanins[node][: self.logic.fan_in_counts[node]]
            values[signal] = look_up(
                int(self.logic.tables[node]), [values[int(s)] for s in row], full
            )
        return inputs, values

    def _names(self) -> dict[int, str]:
        """Nets of the pins, by signal."""
        return {
            pin: (ZERO, ONE)[fixed] if fixed >= 0 else _net(pin)
            for pin, fixed in zip(self.pins, self.fixed, strict=True)
        }

    def _nets(self) -> dict[int, str]:
        """Nets of the block's inputs, by the block's own numbers."""
        return {
            s: (ZERO, ONE)[fixed] if fixed >= 0 else _net(pin)
            for s, pin, fixed in zip(block_inputs(self.block), self.pins, self.fixed, strict=True)
        }

    def _is(self, sample: _Sample, structure: Structure) -> bool:
        """Whether the LUTs are those of a structure, but for constants and complements."""
        hashed = Hashed()
        held = {
            pin: fixed if fixed >= 0 else hashed.leaf(pin)
            for pin, fixed in zip(self.pins, self.fixed, strict=True)
        }
        for signal in self.nodes:
            node = signal - self.logic.n_inputs
            row = self.logic.fanins[node][: self.logic.fan_in_counts[node]]
            held[signal] = hashed.node(int(self.logic.tables[node]), [held[int(s)] for s in row])
        given = {
            s: fixed if fixed >= 0 else hashed.leaf(pin)
            for s, pin, fixed in zip(block_inputs(self.block), self.pins, self.fixed, strict=True)
        }
        made = [given[s] for s in sample.signals]
        for fanin, table in zip(structure.cone.fanins, structure.cone.tables, strict=True):
            made.append(hashed.node(table, [made[s] for s in fanin]))
        return all(held[signal] == made[structure.cone.outputs[b]] for b, signal in self.roots)

    def _actual(self) -> str:
        gates = Gates([_net(s) for s in self.leaves])
        nets = add_cone(gates, self.logic, self.nodes, self._names())
        for b, signal in self.roots:
            gates.output(f"o{b}", nets[signal])
        return gates.text()

    def _structure(self, sample: _Sample, structure: Structure) -> str:
        gates = Gates([_net(s) for s in self.leaves])
        nets = self._nets()
        names = [nets[s] for s in sample.signals]
        for fanin, table in zip(structure.cone.fanins, structure.cone.tables, strict=True):
            names.append(gates.table([names[s] for s in fanin], table))
        for b, _ in self.roots:
            gates.output(f"o{b}", names[structure.cone.outputs[b]])
        return gates.text()

    def _reference(self) -> str:
        gates = Gates([_net(s) for s in self.leaves])
        expected = add_block(gates, self.block, self._nets())
        for b, _ in self.roots:
            gates.output(f"o{b}", expected[b])
        return gates.text()

    def _enumerated(self, sample: _Sample) -> str:
        n = len(self.leaves)
        low = min(n, CHUNK)
        index = np.arange(1 << low)
        for high in range(1 << n - low):
            code = index | high << low
            rows = (code[None, :] >> np.arange(n)[:, None] & 1).astype(bool)
            wrong = sample.compared(rows)
            if wrong:
                return wrong
        return ""


class _Sample:
    """A block with its signals numbered from 0, and both sides on random rows."""

    def __init__(self, cone: WideCone, rng: np.random.Generator) -> None:
        self.cone = cone
        self.signals = tuple(dict.fromkeys(block_inputs(cone.block)))
        place = {s: i for i, s in enumerate(self.signals)}
        first = len(place)
        words = tuple(
            replace(w, signals=tuple(place[s] for s in w.signals)) for w in cone.block.words
        )
        result = replace(
            cone.block.result, signals=tuple(range(first, first + len(cone.block.outputs)))
        )
        self.block = replace(cone.block, words=words, result=result, origin="", layer=0)
        n = len(cone.leaves)
        self.rows = rng.random((n, SAMPLES)) < rng.random(SAMPLES)
        # Words nearly equal are what comparisons get wrong.
        self.rows[:, ::2] = rng.random((1, SAMPLES // 2)) < 0.5
        self.rows[:, ::2] ^= rng.random((n, SAMPLES // 2)) < 2 / max(2, n)

    def difference(self) -> str:
        """Compare on the sample rows."""
        return self.compared(self.rows)

    def compared(self, rows: Bools) -> str:
        """Compare on rows of leaf values; return what differs first."""
        inputs, values = self.cone.evaluate(rows)
        size = rows.shape[1]
        given = np.array([unpacked(inputs[s], size) for s in self.signals])
        raw = block_values(self.block, given)
        for b, signal in self.cone.roots:
            got = unpacked(values[signal], size)
            wrong = np.flatnonzero(got != (raw >> b & 1).astype(bool))
            if wrong.size:
                i = int(wrong[0])
                return f"output bit {b}: result {raw[i]}, got bit {int(got[i])}"
        return ""

    def alike(self) -> Iterator[tuple[str, Structure]]:
        """Yield structures of the block, the most similar to the LUTs first."""
        full = (1 << SAMPLES) - 1
        inputs, values = self.cone.evaluate(self.rows)
        there = {_either(v, full) for v in values.values()}
        leaves = [inputs[s] for s in self.signals]
        less: list[tuple[float, str, Structure]] = []
        for name, structure in structures(self.block, self.cone.logic.k):
            shared = _shared(structure, leaves, there, full)
            if shared >= ALIKE:
                yield name, structure
            else:
                less.append((shared, name, structure))
        for _, name, structure in sorted(less, key=lambda item: -item[0]):
            yield name, structure


def _shared(structure: Structure, leaves: Sequence[int], there: set[int], full: int) -> float:
    """Return which part of a structure's LUTs have values found among the others'."""
    values = list(leaves)
    for fanin, table in zip(structure.cone.fanins, structure.cone.tables, strict=True):
        values.append(look_up(table, [values[s] for s in fanin], full))
    own = {_either(v, full) for v in values[len(leaves) :]}
    return len(own & there) / max(1, len(own))


def _net(pin: int) -> str:
    return f"s{pin}" if pin >= 0 else f"free{-pin}"


def _either(value: int, full: int) -> int:
    return min(value, full ^ value)


def packed(row: Bools) -> int:
    """Return bools as the bits of an integer, the first in the lowest."""
    return int.from_bytes(np.packbits(row, bitorder="little").tobytes(), "little")


def _last(said: str) -> str:
    return (said.splitlines() or [""])[-1]
