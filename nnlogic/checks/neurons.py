"""QuantNet against TableNet: every neuron on every combination of its input codes.

Expected values come from the checkers of `nnlogic.checks.layers`, not from the code that made the
tables. Care sets are checked too: a code that some producer emits must be cared
for by its consumers.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnlogic.checks.layer import WIDEST, Checker, Copy
from nnlogic.checks.layers import checker_of
from nnlogic.core.bits import Bools
from nnlogic.core.formats import IntArray, IntFormat
from nnlogic.core.progress import SILENT, Progress
from nnlogic.quant.ir import INPUT, QuantNet
from nnlogic.quant.layer import Largest, Sums
from nnlogic.tables import ir as tables_ir
from nnlogic.tables.ir import Block, Function, Instance, TableNet

Arithmetic = tables_ir.Sum | tables_ir.Threshold | tables_ir.ArgmaxBlock


@dataclass(frozen=True)
class Difference:
    """A neuron that differs: where, and the input codes with expected and actual values."""

    where: str
    detail: str


@dataclass(frozen=True)
class Matched:
    """All neurons agree: how many were enumerated, over how many combinations in all.

    `direct` are the kinds of layers that are only known by evaluating them.
    """

    neurons: int
    combinations: int
    arithmetic: int
    direct: tuple[str, ...] = ()


class Unmatched(Exception):
    """The blocks do not correspond to neurons one to one; the argument says where."""


@dataclass(frozen=True)
class _Wire:
    signals: tuple[int, ...]
    format: IntFormat
    reach: IntArray  # raw codes that can occur, or a superset of them
    constant: int | None = None


class _Found(Exception):
    """A difference: the argument."""


def compare_neurons(
    net: QuantNet, tables: TableNet, progress: Progress = SILENT
) -> Matched | Difference:
    """Compare neuron by neuron.

    Raises
    ------
    Unmatched
        Blocks and neurons cannot be paired by `origin`; nothing is known then.
    """
    run = _Comparison(tables)
    wires = {INPUT: run.inputs(net)}
    with progress.step("check neurons", total=sum(len(x.formats) for x in net.layers)) as step:
        for layer in net.layers:
            x = [wire for source in layer.sources for wire in wires[source]]
            try:
                wires[layer.name] = run.layer(checker_of(net, layer), x)
            except _Found as found:
                return found.args[0]
            step.advance(len(layer.formats), layer.name)
    signals = tuple(s for _, name, w in net.output_wires for s in wires[name][w].signals)
    if signals != tables.output_signals:
        pairs = enumerate(zip(signals, tables.output_signals, strict=False))
        at = next((i for i, (a, b) in pairs if a != b), len(signals))
        return Difference(f"output bit {at}", "is wired to another signal")
    direct = {layer.kind: None for layer in net.layers if checker_of(net, layer).direct}
    return Matched(run.neurons, run.combinations, run.arithmetic, tuple(direct))


class _Comparison:
    """Neurons compared so far. Copies that read alike are compared once."""

    def __init__(self, tables: TableNet) -> None:
        self.tables = tables
        self.blocks = {block.origin: block for block in tables.blocks}
        self.neurons = self.combinations = self.arithmetic = 0
        self.codes: dict[int, IntArray] = {}
        self.known: dict[Any, IntArray] = {}

    def _all_codes(self, bits: int) -> IntArray:
        return self.codes.setdefault(bits, np.arange(1 << min(bits, WIDEST)))

    def inputs(self, net: QuantNet) -> list[_Wire]:
        """Return the wires of the input ports."""
        out, at = [], 0
        for port in net.inputs:
            bits = port.format.bits
            signals = tuple(range(at, at + bits))
            out.append(_Wire(signals, port.format, self._all_codes(bits)))
            at += bits
        return out

    def layer(self, checker: Checker, x: list[_Wire]) -> list[_Wire]:
        """Compare a layer that reads some wires; return those it gives."""
        copies, layer = checker.copies(), checker.layer
        if copies is not None:
            return self._copies(*copies, layer.name, x)
        if layer.copies(checker.formats) is not None:
            raise Unmatched(f"{layer.name}: made of copies, and {layer.kind} has no checker")
        out = []
        for i in range(len(layer.formats)):
            origin = f"{layer.name}/neuron{i}"
            if origin not in self.blocks and len(layer.formats) == 1:
                origin = layer.name
            out.append(self._neuron(checker, i, x, origin))
        return out

    def _copies(self, copies: list[Copy], constant: int, name: str, x: list[_Wire]) -> list[_Wire]:
        """Compare the blocks of every copy, by the layers of its kernel."""
        padding = self._padding(constant, name, copies)
        out: list[_Wire] = []
        counts: Counter[str] = Counter()
        for copy in copies:
            formats = copy.formats
            known = {
                INPUT: [
                    padding[fmt] if w is None else x[w]
                    for w, fmt in zip(copy.window, formats, strict=True)
                ]
            }
            for inner in copy.kernel:
                layer, last = inner.layer, inner is copy.kernel[-1]
                place = name if last else f"{name}/{layer.name}"
                read = [wire for source in layer.sources for wire in known[source]]
                known[layer.name] = [
                    self._neuron(inner, i, read, f"{place}/neuron{counts[place] + i}")
                    for i in range(len(layer.formats))
                ]
                counts[place] += len(layer.formats)
            out += known[copy.kernel[-1].layer.name]
        return out

    def _padding(self, code: int, name: str, copies: list[Copy]) -> dict[IntFormat, _Wire]:
        """Check the blocks of the constant in every format."""
        out = {}
        for copy in copies:
            for w, fmt in zip(copy.window, copy.formats, strict=True):
                if w is None and fmt not in out:
                    block = self._block(f"{name}/padding/{fmt}")
                    raw = np.array([code & ((1 << fmt.bits) - 1)])
                    if not isinstance(block, Instance) or block.inputs:
                        raise _Found(Difference(block.origin, "is no constant"))
                    got = _codes(self.tables.functions[block.function])
                    if len(block.outputs) != fmt.bits or got.tolist() != raw.tolist():
                        why = f"padding: expected {code}, got {int(fmt.from_raw(got)[0])}"
                        raise _Found(Difference(block.origin, why))
                    out[fmt] = _Wire(tuple(block.outputs), fmt, raw, code)
        return out

    def _block(self, origin: str) -> Block:
        if origin not in self.blocks:
            raise Unmatched(f"no block has the origin {origin}")
        return self.blocks[origin]

    def _neuron(self, checker: Checker, neuron: int, x: list[_Wire], origin: str) -> _Wire:
        block, fmt = self._block(origin), checker.layer.formats[neuron]
        if len(block.outputs) != fmt.bits:
            raise Unmatched(f"{block.origin}: {len(block.outputs)} bits for {fmt}")
        if not isinstance(block, Instance):
            difference = _check_arithmetic(checker, neuron, x, block)
            if difference:
                raise _Found(difference)
            self.arithmetic += 1
            return _Wire(tuple(block.outputs), fmt, self._all_codes(fmt.bits))
        self.neurons += 1
        read = [x[w] for w in checker.fan_in(neuron)]
        key = (id(checker), neuron, block.function, _pattern(read, block))
        if key not in self.known:
            function = self.tables.functions[block.function]
            count, reach = _check_table(checker, neuron, x, block, function)
            self.combinations += count
            self.known[key] = reach
        return _Wire(tuple(block.outputs), fmt, self.known[key])


def _codes(function: Function) -> IntArray:
    rows = function.table().astype(np.int64)
    return (rows << np.arange(len(rows))[:, None]).sum(axis=0)


def _pattern(read: list[_Wire], block: Instance) -> tuple[object, ...]:
    """Return what makes two uses of a table alike: what can be read, and where it goes."""
    number: dict[int, int] = {}
    wires = tuple(
        (wire.constant, id(wire.reach), *(number.setdefault(s, len(number)) for s in wire.signals))
        for wire in read
    )
    return wires, tuple(number.get(s, -1) for s in block.inputs)


def _check_table(
    checker: Checker, neuron: int, x: list[_Wire], block: Instance, function: Function
) -> tuple[int, IntArray]:
    """Compare one table; return combinations compared and the raw codes the neuron can emit."""
    fan_in = checker.fan_in(neuron)
    width = sum(x[w].format.bits for w in fan_in if x[w].constant is None)
    if width > WIDEST:
        raise Unmatched(f"{block.origin}: {width} input bits are too many to enumerate")
    index = np.arange(1 << width)
    values: dict[int, IntArray] = {}
    bit_of: dict[int, IntArray] = {}
    occurs: Bools = np.ones(len(index), bool)
    alike: Bools = np.ones(len(index), bool)
    at = 0
    for w in fan_in:
        fmt, constant = x[w].format, x[w].constant
        if constant is None:
            raw = (index >> at) & ((1 << fmt.bits) - 1)
            at += fmt.bits
            if len(x[w].reach) < 1 << fmt.bits:
                occurs &= np.isin(raw, x[w].reach)
        else:
            raw = np.broadcast_to(x[w].reach, index.shape)
        values[w] = fmt.from_raw(raw)
        for b, signal in enumerate(x[w].signals):
            # A layer may read a source twice: two wires are then the same signals.
            alike &= bit_of.setdefault(signal, raw >> b & 1) == (raw >> b & 1)
    occurs &= alike
    strangers = [s for s in block.inputs if s not in bit_of]
    if strangers:
        why = f"reads signals {strangers}, not inputs of this neuron"
        raise _Found(Difference(block.origin, why))
    row = np.zeros(len(index), np.int64)
    for pin, signal in enumerate(block.inputs):
        row |= bit_of[signal] << pin
    got = _codes(function)[row]
    fmt = checker.layer.formats[neuron]
    expected = checker.values(neuron, values, len(index))
    raw = expected & ((1 << fmt.bits) - 1)
    care = function.care_bools()[row] & alike

    def at_index(i: int) -> str:
        return "inputs " + ", ".join(f"{w}={int(values[w][i])}" for w in fan_in)

    uncared = np.flatnonzero(occurs & ~care)
    if uncared.size:
        why = f"{at_index(int(uncared[0]))} can occur, but the care set excludes it"
        raise _Found(Difference(block.origin, why))
    wrong = np.flatnonzero((got != raw) & care)
    if wrong.size:
        i = int(wrong[0])
        why = (
            f"{at_index(i)}: expected {int(expected[i])}, table gives {int(fmt.from_raw(got[i]))} "
            f"({wrong.size} of {int(care.sum())} entries differ)"
        )
        raise _Found(Difference(block.origin, why))
    return int(care.sum()), np.unique(raw[occurs])


def _check_arithmetic(
    checker: Checker, neuron: int, x: list[_Wire], block: Arithmetic
) -> Difference | None:
    """Compare operands, weights, bias, thresholds and result format of an arithmetic block."""
    layer = checker.layer
    if checker.direct and not checker.narrow():
        raise Unmatched(f"{layer.name}: too wide to enumerate, and {layer.kind} has no checker")
    how, fmt = checker.arithmetic(), layer.formats[neuron]
    every = checker.fan_in(neuron)
    # Constants go into the bias of a sum.
    fixed = [w for w in every if x[w].constant is not None and isinstance(how, Sums)]
    fan_in = [w for w in every if w not in fixed]
    words = [(tuple(w.signals), w.signed) for w in block.words]
    need = [(x[w].signals, x[w].format.signed) for w in fan_in]
    facts: list[tuple[str, object, object]] = [("result format", fmt, block.result.format)]
    if isinstance(how, Largest) and isinstance(block, tables_ir.ArgmaxBlock):
        facts.append(("operands", need, words))
    elif isinstance(how, Sums) and not isinstance(block, tables_ir.ArgmaxBlock):
        weights = [int(how.weights[neuron, w]) for w in fan_in]
        terms = sorted(zip(need, weights, strict=True))
        facts.append(("terms", terms, sorted(zip(words, block.weights, strict=True))))
        bias = int(how.bias[neuron])
        bias += sum(int(how.weights[neuron, w]) * (x[w].constant or 0) for w in fixed)
        facts.append(("bias", bias, block.bias))
        thresholds = (
            None if how.thresholds is None else tuple(int(t) for t in how.thresholds[neuron])
        )
        got = block.thresholds if isinstance(block, tables_ir.Threshold) else None
        facts.append(("thresholds", thresholds, got))
    else:
        return Difference(
            block.origin,
            f"block {type(block).__name__.removesuffix('Block')} stands for layer kind "
            f"{layer.kind}",
        )
    for what, expected, actual in facts:
        if expected != actual:
            return Difference(block.origin, f"{what}: expected {expected}, got {actual}")
    return None
