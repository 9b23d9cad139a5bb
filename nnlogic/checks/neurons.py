"""QuantNet against TableNet: every neuron on every combination of its input codes.

Expected values come from the checkers of `nnlogic.checks.layers`, not from the code that made the
tables. Care sets are checked too: a code that some producer emits must be cared
for by its consumers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nnlogic.checks.layer import WIDEST, Checker
from nnlogic.checks.layers import checker_of
from nnlogic.core.bits import Bools
from nnlogic.core.formats import IntArray, IntFormat
from nnlogic.core.progress import SILENT, Progress
from nnlogic.quant.ir import INPUT, QuantNet
from nnlogic.quant.layer import Largest, Layer, Sums
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


def compare_neurons(
    net: QuantNet, tables: TableNet, progress: Progress = SILENT
) -> Matched | Difference:
    """Compare neuron by neuron.

    Raises
    ------
    Unmatched
        Blocks and neurons cannot be paired by `origin`; nothing is known then.
    """
    blocks = {block.origin: block for block in tables.blocks}
    wires = {INPUT: _input_wires(net)}
    neurons = combinations = arithmetic = 0
    with progress.step("check neurons", total=sum(len(x.formats) for x in net.layers)) as step:
        for layer in net.layers:
            x = [wire for source in layer.sources for wire in wires[source]]
            checker = checker_of(net, layer)
            out = []
            for i, fmt in enumerate(layer.formats):
                block = _block_of(blocks, layer, i)
                if len(block.outputs) != fmt.bits:
                    raise Unmatched(f"{block.origin}: {len(block.outputs)} bits for {fmt}")
                if isinstance(block, Instance):
                    found = _check_table(checker, i, x, block, tables.functions[block.function])
                    if isinstance(found, Difference):
                        return found
                    neurons += 1
                    combinations += found[0]
                    reach = found[1]
                else:
                    difference = _check_arithmetic(checker, i, x, block)
                    if difference:
                        return difference
                    arithmetic += 1
                    reach = np.arange(1 << min(fmt.bits, WIDEST))
                out.append(_Wire(tuple(block.outputs), fmt, reach))
            wires[layer.name] = out
            step.advance(len(layer.formats), layer.name)
    signals = tuple(s for _, name, w in net.output_wires for s in wires[name][w].signals)
    if signals != tables.output_signals:
        pairs = enumerate(zip(signals, tables.output_signals, strict=False))
        at = next((i for i, (a, b) in pairs if a != b), len(signals))
        return Difference(f"output bit {at}", "is wired to another signal")
    direct = {layer.kind: None for layer in net.layers if checker_of(net, layer).direct}
    return Matched(neurons, combinations, arithmetic, tuple(direct))


def _input_wires(net: QuantNet) -> list[_Wire]:
    out, at = [], 0
    for port in net.inputs:
        bits = port.format.bits
        reach = np.arange(1 << min(bits, WIDEST))
        out.append(_Wire(tuple(range(at, at + bits)), port.format, reach))
        at += bits
    return out


def _block_of(blocks: dict[str, Block], layer: Layer, neuron: int) -> Block:
    origin = f"{layer.name}/neuron{neuron}"
    block = blocks.get(origin)
    if block is None and len(layer.formats) == 1:
        block = blocks.get(layer.name)
    if block is None:
        raise Unmatched(f"no block has the origin {origin}")
    return block


def _check_table(
    checker: Checker, neuron: int, x: list[_Wire], block: Instance, function: Function
) -> tuple[int, IntArray] | Difference:
    """Compare one table; return combinations compared and the raw codes the neuron can emit."""
    fan_in = checker.fan_in(neuron)
    width = sum(x[w].format.bits for w in fan_in)
    if width > WIDEST:
        raise Unmatched(f"{block.origin}: {width} input bits are too many to enumerate")
    index = np.arange(1 << width)
    values: dict[int, IntArray] = {}
    place: dict[int, int] = {}
    occurs: Bools = np.ones(len(index), bool)
    alike: Bools = np.ones(len(index), bool)
    at = 0
    for w in fan_in:
        fmt = x[w].format
        raw = (index >> at) & ((1 << fmt.bits) - 1)
        values[w] = fmt.from_raw(raw)
        if len(x[w].reach) < 1 << fmt.bits:
            occurs &= np.isin(raw, x[w].reach)
        for b, signal in enumerate(x[w].signals):
            # A layer may read a source twice: two wires are then the same signals.
            before = place.setdefault(signal, at + b)
            alike &= (index >> before & 1) == (index >> (at + b) & 1)
        at += fmt.bits
    occurs &= alike
    strangers = [s for s in block.inputs if s not in place]
    if strangers:
        return Difference(block.origin, f"reads signals {strangers}, not inputs of this neuron")
    row = np.zeros(len(index), np.int64)
    for pin, signal in enumerate(block.inputs):
        row |= ((index >> place[signal]) & 1) << pin
    got = np.zeros(len(index), np.int64)
    for b, bits in enumerate(function.table()):
        got |= bits[row].astype(np.int64) << b
    fmt = checker.layer.formats[neuron]
    expected = checker.values(neuron, values, len(index))
    raw = expected & ((1 << fmt.bits) - 1)
    care = function.care_bools()[row] & alike

    def at_index(i: int) -> str:
        return "inputs " + ", ".join(f"{w}={int(values[w][i])}" for w in fan_in)

    uncared = np.flatnonzero(occurs & ~care)
    if uncared.size:
        return Difference(
            block.origin, f"{at_index(int(uncared[0]))} can occur, but the care set excludes it"
        )
    wrong = np.flatnonzero((got != raw) & care)
    if wrong.size:
        i = int(wrong[0])
        return Difference(
            block.origin,
            f"{at_index(i)}: expected {int(expected[i])}, table gives {int(fmt.from_raw(got[i]))} "
            f"({wrong.size} of {int(care.sum())} entries differ)",
        )
    return int(care.sum()), np.unique(raw[occurs])


def _check_arithmetic(
    checker: Checker, neuron: int, x: list[_Wire], block: Arithmetic
) -> Difference | None:
    """Compare operands, weights, bias, thresholds and result format of an arithmetic block."""
    layer = checker.layer
    if checker.direct and not checker.narrow():
        raise Unmatched(f"{layer.name}: too wide to enumerate, and {layer.kind} has no checker")
    how, fmt = checker.arithmetic(), layer.formats[neuron]
    fan_in = checker.fan_in(neuron)
    words = [(tuple(w.signals), w.signed) for w in block.words]
    need = [(x[w].signals, x[w].format.signed) for w in fan_in]
    facts: list[tuple[str, object, object]] = [("result format", fmt, block.result.format)]
    if isinstance(how, Largest) and isinstance(block, tables_ir.ArgmaxBlock):
        facts.append(("operands", need, words))
    elif isinstance(how, Sums) and not isinstance(block, tables_ir.ArgmaxBlock):
        weights = [int(how.weights[neuron, w]) for w in fan_in]
        terms = sorted(zip(need, weights, strict=True))
        facts.append(("terms", terms, sorted(zip(words, block.weights, strict=True))))
        facts.append(("bias", int(how.bias[neuron]), block.bias))
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
