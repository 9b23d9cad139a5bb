"""QuantNet -> TableNet: enumerate every neuron that is narrow enough."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from nnlogic.core import bits
from nnlogic.core.archive import frozen
from nnlogic.core.errors import Problem, TooWide, UsageError
from nnlogic.core.formats import IntArray, IntFormat
from nnlogic.core.progress import SILENT, Progress
from nnlogic.quant.ir import INPUT, Enumerated, Layer, Linear, QuantNet
from nnlogic.quant.ir import Argmax as QuantArgmax
from nnlogic.tables.ir import (
    MAX_INPUTS,
    Argmax,
    Block,
    Function,
    Instance,
    Sum,
    TableNet,
    Threshold,
    Word,
)
from nnlogic.tables.passes.mark_unreachable_codes import mark_unreachable_codes


def tabulate(
    net: QuantNet, *, limit: int = 14, arith: str = "never", progress: Progress = SILENT
) -> TableNet:
    """Enumerate the neurons of a network into truth tables.

    Parameters
    ----------
    net : QuantNet
    limit : int
        Most input bits of a table, at most 16.
    arith : {"never", "auto"}
        ``"auto"`` turns linear neurons wider than `limit` into adders and comparators;
        ``"never"`` refuses them. Plain sums and argmax are always arithmetic blocks when wide.

    Returns
    -------
    TableNet
        Codes that no producer can emit are don't-cares of the consumers (exact SDC).

    Raises
    ------
    TooWide
        With every neuron that exceeds the limit.
    """
    if not 1 <= limit <= MAX_INPUTS:
        raise UsageError("table limit out of range", why=f"{limit}, allowed 1 to {MAX_INPUTS}")
    if arith not in ("never", "auto"):
        raise UsageError("unknown arith mode", why=repr(arith), fix="never or auto")
    _refuse_wide(net, limit, arith)
    state = _State(net)
    with progress.step("tabulate", total=sum(len(layer.formats) for layer in net.layers)) as step:
        for number, layer in enumerate(net.layers):
            state.add_layer(number, layer, limit)
            step.advance(len(layer.formats), layer.name)
    tables = mark_unreachable_codes(state.finish())
    tables.verify()
    return tables


def neuron_wires(layer: Layer, neuron: int) -> tuple[int, ...]:
    """Return the wires a neuron reads, in table input order."""
    if isinstance(layer, Linear):
        return tuple(int(w) for w in layer.fan_in(neuron))
    if isinstance(layer, Enumerated):
        return layer.inputs[neuron]
    raise TypeError(f"{layer.name} has no tables")


def enumerate_linear(
    layer: Linear, neuron: int, wires: tuple[int, ...], formats: tuple[IntFormat, ...]
) -> IntArray:
    """Return output values of a linear neuron for all ``2**n`` input codes, wire 0 in low bits."""
    acc = np.array([layer.bias[neuron]], dtype=np.int64)
    for wire in wires:
        fmt = formats[wire]
        values = fmt.from_raw(np.arange(1 << fmt.bits))
        acc = (layer.weights[neuron, wire] * values[:, None] + acc[None, :]).ravel()
    if layer.thresholds is None:
        return acc
    return np.searchsorted(layer.thresholds[neuron], acc, side="right").astype(np.int64)


def function_from_values(values: IntArray, fmt: IntFormat) -> Function:
    """Return the truth table of integer outputs; `values` has shape (2**n,)."""
    raw = fmt.to_raw(values)
    table = ((raw[None, :] >> np.arange(fmt.bits)[:, None]) & 1).astype(bool)
    return Function(len(values).bit_length() - 1, frozen(bits.pack(table), np.uint64))


def _refuse_wide(net: QuantNet, limit: int, arith: str) -> None:
    problems = []
    for layer in net.layers:
        if isinstance(layer, QuantArgmax) or (isinstance(layer, Linear) and arith == "auto"):
            continue
        if isinstance(layer, Linear) and layer.thresholds is None:
            continue
        formats = net.x_formats(layer)
        widths = [
            sum(formats[w].bits for w in neuron_wires(layer, i)) for i in range(len(layer.formats))
        ]
        wide = [i for i, width in enumerate(widths) if width > limit]
        if wide:
            worst = max(widths)
            kind = type(layer).__name__
            fix = "prune the fan-in, use fewer bits"
            if worst <= MAX_INPUTS:
                fix += f", or raise the limit (--table-limit {worst})"
            if isinstance(layer, Linear):
                fix += ", or --arith auto (adders and comparators)"
            why = (
                f"{kind}, {len(wide)} of {len(widths)} neurons too wide, up to {worst} input bits: "
                f"a table would need 2^{worst} rows (limit 2^{limit})"
            )
            problems.append(Problem(layer.name, why, fix))
    if problems:
        raise TooWide("neurons are too wide to enumerate", where=net.name, problems=problems)


@dataclass
class _State:
    net: QuantNet
    functions: list[Function] = field(default_factory=list)
    index: dict[str, int] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)
    words: dict[str, list[Word]] = field(default_factory=dict)
    free: int = 0

    def __post_init__(self) -> None:
        self.words[INPUT] = [self._new_word(p.format) for p in self.net.inputs]

    def _new_word(self, fmt: IntFormat) -> Word:
        signals = tuple(range(self.free, self.free + fmt.bits))
        self.free += fmt.bits
        return Word(signals, fmt.signed)

    def add_layer(self, number: int, layer: Layer, limit: int) -> None:
        """Append the blocks of one layer."""
        x = [word for source in layer.sources for word in self.words[source]]
        formats = self.net.x_formats(layer)
        out = []
        for i, fmt in enumerate(layer.formats):
            origin = f"{layer.name}/neuron{i}"
            result = self._new_word(fmt)
            out.append(result)
            if isinstance(layer, QuantArgmax):
                self.blocks.append(Argmax(tuple(x), result, layer.name, number))
                continue
            wires = neuron_wires(layer, i)
            if isinstance(layer, Linear) and sum(formats[w].bits for w in wires) > limit:
                self.blocks.append(_arithmetic(layer, i, wires, x, result, origin, number))
                continue
            values = (
                enumerate_linear(layer, i, wires, formats)
                if isinstance(layer, Linear)
                else layer.tables[i]
            )
            inputs = tuple(s for w in wires for s in x[w].signals)
            function = self._share(function_from_values(values, fmt))
            self.blocks.append(Instance(function, inputs, result.signals, origin, number))
        self.words[layer.name] = out

    def _share(self, function: Function) -> int:
        if function.digest not in self.index:
            self.index[function.digest] = len(self.functions)
            self.functions.append(function)
        return self.index[function.digest]

    def finish(self) -> TableNet:
        """Return the TableNet."""
        net = self.net
        wires = [self.words[layer][wire] for _, layer, wire in net.output_wires]
        return TableNet(
            name=net.name,
            inputs=net.inputs,
            outputs=net.outputs,
            functions=tuple(self.functions),
            blocks=tuple(self.blocks),
            output_signals=tuple(s for word in wires for s in word.signals),
            layers=net.layer_infos,
        )


def _arithmetic(
    layer: Linear,
    neuron: int,
    wires: tuple[int, ...],
    x: list[Word],
    result: Word,
    origin: str,
    number: int,
) -> Block:
    words = tuple(x[w] for w in wires)
    weights = tuple(int(layer.weights[neuron, w]) for w in wires)
    bias = int(layer.bias[neuron])
    if layer.thresholds is None:
        return Sum(words, weights, bias, result, origin, number)
    thresholds = tuple(int(t) for t in layer.thresholds[neuron])
    return Threshold(words, weights, bias, thresholds, result, origin, number)
