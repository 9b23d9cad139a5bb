"""QuantNet -> TableNet: enumerate every neuron that is narrow enough."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from nnlogic.core import bits
from nnlogic.core.archive import frozen
from nnlogic.core.errors import UsageError
from nnlogic.core.formats import IntArray, IntFormat
from nnlogic.core.progress import SILENT, Progress
from nnlogic.core.stages import refused
from nnlogic.quant.ir import INPUT, QuantNet
from nnlogic.quant.kernel import WINDOW, Copies
from nnlogic.quant.layer import Formats, Largest, Layer, Sums
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
from nnlogic.tables.limits import refuse_large, refuse_wide
from nnlogic.tables.passes.mark_unreachable_codes import mark_unreachable_codes


def tabulate(
    net: QuantNet,
    *,
    limit: int = 14,
    arith: str = "never",
    unroll: int | None = None,
    progress: Progress = SILENT,
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
    unroll : int, optional
        Most tables and arithmetic blocks of layers made of copies, such as windows.

    Returns
    -------
    TableNet
        Codes that no producer can emit are don't-cares of the consumers (exact SDC).

    Raises
    ------
    TooWide
        With every neuron that exceeds the limit.
    UnsupportedModel
        More copies than `unroll`.
    UsageError
        No QuantNet, or an option out of range.
    """
    if not isinstance(net, QuantNet):
        raise refused("nnlogic.tabulate", net, QuantNet.kind)
    if not 1 <= limit <= MAX_INPUTS:
        raise UsageError("table limit out of range", why=f"{limit}, allowed 1 to {MAX_INPUTS}")
    if arith not in ("never", "auto"):
        raise UsageError("unknown arith mode", why=repr(arith), fix="never or auto")
    refuse_wide(net, limit, arith)
    if unroll is not None:
        refuse_large(net, unroll)
    state = _State(net, limit)
    with progress.step("tabulate", total=sum(len(layer.formats) for layer in net.layers)) as step:
        for number, layer in enumerate(net.layers):
            state.add_layer(number, layer)
            step.advance(len(layer.formats), layer.name)
    tables = mark_unreachable_codes(state.finish())
    tables.verify()
    return tables


def function_from_values(values: IntArray, fmt: IntFormat) -> Function:
    """Return the truth table of integer outputs; `values` has shape (2**n,)."""
    raw = fmt.to_raw(values)
    table = ((raw[None, :] >> np.arange(fmt.bits)[:, None]) & 1).astype(bool)
    return Function(len(values).bit_length() - 1, frozen(bits.pack(table), np.uint64))


@dataclass(frozen=True)
class _Neuron:
    """What a neuron becomes, wherever it stands: a table by its number, or arithmetic."""

    place: int
    format: IntFormat
    wires: tuple[int, ...]
    function: int | None
    how: Sums | Largest | None


@dataclass
class _State:
    net: QuantNet
    limit: int
    functions: list[Function] = field(default_factory=list)
    index: dict[str, int] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)
    words: dict[str, list[Word]] = field(default_factory=dict)
    constants: dict[tuple[int, ...], int] = field(default_factory=dict)
    shared: list[int] = field(default_factory=list)
    free: int = 0

    def __post_init__(self) -> None:
        self.words[INPUT] = [self._new_word(p.format) for p in self.net.inputs]

    def _new_word(self, fmt: IntFormat) -> Word:
        signals = tuple(range(self.free, self.free + fmt.bits))
        self.free += fmt.bits
        return Word(signals, fmt.signed)

    def add_layer(self, number: int, layer: Layer) -> None:
        """Append the blocks of one layer."""
        x = [word for source in layer.sources for word in self.words[source]]
        formats = self.net.x_formats(layer)
        copies = layer.copies(formats)
        if copies is not None:
            self.shared.append(number)
            self.words[layer.name] = self._copied(copies, x, number, layer.name)
            return
        neurons = self._neurons(layer, formats)
        whole = layer.name if isinstance(layer.arithmetic, Largest) else ""
        self.words[layer.name] = [
            self._placed(neuron, x, whole or f"{layer.name}/neuron{neuron.place}", number)
            for neuron in neurons
        ]

    def _copied(self, copies: Copies, x: list[Word], number: int, name: str) -> list[Word]:
        """Append the blocks of all copies, layer by layer of the kernels."""
        fixed = self._constants(copies, number, name)
        values: list[dict[str, list[Word]]] = []
        for kernel, wires in zip(copies.numbers.tolist(), copies.wires.tolist(), strict=True):
            of = copies.formats[kernel]
            window = [x[w] if w >= 0 else fixed[fmt] for w, fmt in zip(wires, of, strict=True)]
            values.append({WINDOW: window})
        counts: Counter[str] = Counter()
        for depth in range(max(len(kernel.layers) for kernel in copies.kernels)):
            plans = {
                i: self._neurons(kernel.layers[depth], kernel.x_formats(kernel.layers[depth], of))
                for i, (kernel, of) in enumerate(zip(copies.kernels, copies.formats, strict=True))
                if depth < len(kernel.layers)
            }
            for kernel, known in zip(copies.numbers.tolist(), values, strict=True):
                if kernel not in plans:
                    continue
                layers = copies.kernels[kernel].layers
                layer = layers[depth]
                place = name if layer is layers[-1] else f"{name}/{layer.name}"
                read = [word for source in layer.sources for word in known[source]]
                known[layer.name] = [
                    self._placed(n, read, f"{place}/neuron{counts[place] + n.place}", number)
                    for n in plans[kernel]
                ]
                counts[place] += len(plans[kernel])
        last = [copies.kernels[kernel].layers[-1].name for kernel in copies.numbers.tolist()]
        return [word for known, at in zip(values, last, strict=True) for word in known[at]]

    def _constants(self, copies: Copies, number: int, name: str) -> dict[IntFormat, Word]:
        """Append a block for the constant, in every format in which it is read."""
        out: dict[IntFormat, Word] = {}
        if (copies.wires >= 0).all():
            return out
        for fmt in dict.fromkeys(fmt for window in copies.formats for fmt in window):
            out[fmt] = self._constant(copies.constant, fmt, f"{name}/padding/{fmt}", number)
        return out

    def _constant(self, value: int, fmt: IntFormat, origin: str, number: int) -> Word:
        word = self._new_word(fmt)
        function = self._share(function_from_values(np.array([value]), fmt))
        self.blocks.append(Instance(function, (), word.signals, origin, number))
        self.constants[word.signals] = value
        return word

    def _neurons(self, layer: Layer, formats: Formats) -> list[_Neuron]:
        """Return what each neuron of a layer becomes."""
        out, how = [], layer.arithmetic
        for i, fmt in enumerate(layer.formats):
            wires = layer.wires(i, formats)
            wide = sum(formats[w].bits for w in wires) > self.limit
            if isinstance(how, Largest) or (how is not None and wide):
                out.append(_Neuron(i, fmt, wires, None, how))
            else:
                function = self._share(function_from_values(layer.table(i, formats), fmt))
                out.append(_Neuron(i, fmt, wires, function, None))
        return out

    def _placed(self, neuron: _Neuron, x: list[Word], origin: str, number: int) -> Word:
        """Append the block of a neuron on the words it reads."""
        words, how = tuple(x[w] for w in neuron.wires), neuron.how
        if isinstance(how, Sums):
            return self._sum(neuron, how, words, origin, number)
        result = self._new_word(neuron.format)
        if neuron.function is None:
            self.blocks.append(ArgmaxBlock(words, result, origin, number))
        else:
            inputs = tuple(s for word in words for s in word.signals)
            self.blocks.append(Instance(neuron.function, inputs, result.signals, origin, number))
        return result

    def _sum(
        self, neuron: _Neuron, sums: Sums, words: tuple[Word, ...], origin: str, number: int
    ) -> Word:
        """Append a weighted sum; constants go into its bias."""
        weights = sums.weights[neuron.place][list(neuron.wires)].tolist()
        bias, terms = int(sums.bias[neuron.place]), []
        for word, weight in zip(words, weights, strict=True):
            if word.signals in self.constants:
                bias += weight * self.constants[word.signals]
            else:
                terms.append((word, weight))
        thresholds = None if sums.thresholds is None else sums.thresholds[neuron.place].tolist()
        if not terms:
            value = bias if thresholds is None else int(np.sum(bias >= np.array(thresholds)))
            return self._constant(value, neuron.format, origin, number)
        result = self._new_word(neuron.format)
        read, factors = (tuple(part) for part in zip(*terms, strict=True))
        block: Block = Sum(read, factors, bias, result, origin, number)
        if thresholds is not None:
            block = Threshold(read, factors, bias, tuple(thresholds), result, origin, number)
        self.blocks.append(block)
        return result

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
            shared=tuple(self.shared),
        )
