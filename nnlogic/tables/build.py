"""QuantNet -> TableNet: enumerate every neuron that is narrow enough."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from nnlogic.core import bits
from nnlogic.core.archive import frozen
from nnlogic.core.errors import Problem, TooWide, UsageError
from nnlogic.core.formats import IntArray, IntFormat
from nnlogic.core.progress import SILENT, Progress
from nnlogic.quant.ir import INPUT, QuantNet
from nnlogic.quant.layer import Largest, Layer, Sums
from nnlogic.tables.ir import (
    MAX_INPUTS,
    ArgmaxBlock,
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


def function_from_values(values: IntArray, fmt: IntFormat) -> Function:
    """Return the truth table of integer outputs; `values` has shape (2**n,)."""
    raw = fmt.to_raw(values)
    table = ((raw[None, :] >> np.arange(fmt.bits)[:, None]) & 1).astype(bool)
    return Function(len(values).bit_length() - 1, frozen(bits.pack(table), np.uint64))


def _refuse_wide(net: QuantNet, limit: int, arith: str) -> None:
    problems = []
    for layer in net.layers:
        how = layer.arithmetic
        if how is not None and (arith == "auto" or not layer.tabular):
            continue
        widths = layer.fan_in_bits(net.x_formats(layer))
        wide = [i for i, width in enumerate(widths) if width > limit]
        if wide:
            worst = max(widths)
            fix = "prune the fan-in, use fewer bits"
            if worst <= MAX_INPUTS:
                fix += f", or raise the limit (--table-limit {worst})"
            if how is not None:
                fix += ", or --arith auto (adders and comparators)"
            why = (
                f"{layer.kind}, {len(wide)} of {len(widths)} neurons too wide, up to {worst} "
                f"input bits: a table would need 2^{worst} rows (limit 2^{limit})"
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
        formats, how = self.net.x_formats(layer), layer.arithmetic
        out = []
        for i, fmt in enumerate(layer.formats):
            origin = f"{layer.name}/neuron{i}"
            result = self._new_word(fmt)
            out.append(result)
            wires = layer.wires(i, formats)
            words = tuple(x[w] for w in wires)
            if isinstance(how, Largest):
                self.blocks.append(ArgmaxBlock(words, result, layer.name, number))
                continue
            if how is not None and sum(len(word.signals) for word in words) > limit:
                self.blocks.append(_sum(how, i, wires, words, result, origin, number))
                continue
            values = layer.table(i, formats)
            inputs = tuple(s for word in words for s in word.signals)
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


def _sum(
    sums: Sums,
    neuron: int,
    wires: tuple[int, ...],
    words: tuple[Word, ...],
    result: Word,
    origin: str,
    number: int,
) -> Block:
    weights = tuple(int(sums.weights[neuron, w]) for w in wires)
    bias = int(sums.bias[neuron])
    if sums.thresholds is None:
        return Sum(words, weights, bias, result, origin, number)
    thresholds = tuple(int(t) for t in sums.thresholds[neuron])
    return Threshold(words, weights, bias, thresholds, result, origin, number)
