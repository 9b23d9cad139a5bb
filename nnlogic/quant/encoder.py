"""The input quantizer as layers of the network, which then reads raw words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from nnlogic.core.archive import frozen
from nnlogic.core.errors import UsageError
from nnlogic.core.formats import IntArray, IntFormat, Port
from nnlogic.quant.ir import INPUT, QuantNet
from nnlogic.quant.kernel import WINDOW
from nnlogic.quant.layer import Layer, Sums
from nnlogic.quant.layers.enumerated import Enumerated
from nnlogic.quant.layers.linear import Linear
from nnlogic.quant.word import WordFormat

CODES, COMPARATORS = "codes", "comparators"
ENCODER = "encoder"


@dataclass(frozen=True)
class Steps:
    """A function of one raw word that is constant between cuts.

    Attributes
    ----------
    feature : int
    cuts : tuple of int
        Increasing words; the value changes at each.
    values : tuple of int
        One more than `cuts`.
    """

    feature: int
    cuts: tuple[int, ...]
    values: tuple[int, ...]


def with_encoder(net: QuantNet, words: Sequence[WordFormat]) -> QuantNet:
    """Return a network that reads raw words and compares them with the thresholds itself.

    A layer whose neurons read a feature each, as those of thermometers do, compares directly; for
    all others a layer gives the codes. Of the thresholds only those stay at which something changes
    that is read.

    Parameters
    ----------
    net : QuantNet
        With an input quantizer.
    words : sequence of WordFormat
        One per feature.

    Raises
    ------
    UsageError
        The network reads codes, not raw features.
    """
    if net.quantizer is None:
        raise UsageError(
            "the network has no input quantizer to make part of the core", where=net.name,
            why="its inputs are integer codes already", fix="leave out --raw",
        )  # fmt: skip
    steps = [
        Steps(i, tuple(cuts[1:]), tuple(codes))
        for i, (word, t) in enumerate(zip(words, net.quantizer.thresholds, strict=True))
        for cuts, codes in [word.steps(t)]
    ]
    state = _State(net, words)
    direct = {la.name: la for la in net.layers if isinstance(la, Enumerated) and _single(la)}
    read = _read_codes(net, set(direct))
    if read:
        codes = [_only(s) if s.feature in read else Steps(s.feature, (), (0,)) for s in steps]
        state.want(state.codes, codes, [p.format for p in net.inputs])
    kept: list[Layer] = []
    for layer in net.layers:
        if layer.name in direct:
            own = direct[layer.name]
            composed = [_composed(own, i, steps, net) for i in range(len(layer.formats))]
            state.want(layer.name, composed, layer.formats, layer.role)
        else:
            sources = tuple(state.codes if s == INPUT else s for s in layer.sources)
            kept.append(replace(layer, sources=sources))  # type: ignore[type-var]
    out = replace(
        net,
        inputs=tuple(Port(p.name, w.format) for p, w in zip(net.inputs, words, strict=True)),
        layers=(*state.layers(), *kept),
        output_wires=tuple(
            (port, state.codes if name == INPUT else name, wire)
            for port, name, wire in net.output_wires
        ),
        quantizer=None,
        info={**net.info, "raw": [str(word) for word in words]},
    )
    out.verify()
    return out


def lost_thresholds(net: QuantNet, words: Sequence[WordFormat]) -> list[str]:
    """Say of each feature which thresholds its words do not reach, or cannot tell apart."""
    out = []
    thresholds = net.quantizer.thresholds if net.quantizer is not None else ()
    for port, word, t in zip(net.inputs, words, thresholds, strict=True):
        if word.floating or not len(t):
            continue
        low, high = (float(v) for v in word.decode([word.format.lo, word.format.hi]))
        beyond = int(((t <= low) | (t > high)).sum())
        inside = np.unique(t[(t > low) & (t <= high)])
        same = len(inside) - len(np.unique(np.ceil(np.ldexp(inside.astype(float), word.fraction))))
        said = [f"{beyond} of {len(t)} thresholds lie beyond {low:g} to {high:g}"] * (beyond > 0)
        said += [f"{same} fall on the word of another"] * (same > 0)
        if said:
            out.append(f"raw feature {port.name} as {word}: {'; '.join(said)}")
    return out


def comparisons(net: QuantNet) -> list[list[int]]:
    """Return, per feature, the constants that its raw word is compared with, in order."""
    out: list[list[int]] = [[] for _ in net.inputs]
    for layer in net.layers:
        if layer.sources != (INPUT,):
            continue
        for one, wires in _places(layer, net.x_formats(layer)):
            how = one.arithmetic
            if isinstance(how, Sums) and how.thresholds is not None:
                for row, feature in zip(*np.nonzero(how.weights), strict=True):
                    for wire in wires[:, feature]:
                        out[wire] += how.thresholds[row].tolist()
    return [sorted(set(cuts)) for cuts in out]


def _places(layer: Layer, formats: Sequence[IntFormat]) -> list[tuple[Layer, IntArray]]:
    """Return the layers that read features themselves, and which they read, a row per place."""
    copies = layer.copies(tuple(formats))
    if copies is None:
        return [(layer, np.arange(len(formats))[None])]
    return [
        (one, copies.wires[copies.numbers == number])
        for number, kernel in enumerate(copies.kernels)
        for one in kernel.layers
        if one.sources == (WINDOW,)
    ]


def words_near_cuts(net: QuantNet, count: int, seed: int = 0) -> IntArray:
    """Return random raw words: half of them at a constant or one below, half between two.

    Parameters
    ----------
    net : QuantNet
        Made by `with_encoder`.
    count, seed : int

    Returns
    -------
    int64 array, shape (count, features)
    """
    rng = np.random.default_rng(seed)
    columns = []
    for port, cuts in zip(net.inputs, comparisons(net), strict=True):
        ends = np.unique([port.format.lo, *cuts, port.format.hi + 1])
        place = rng.integers(0, len(ends) - 1, count)
        inside = rng.integers(ends[place], ends[place + 1])
        edge = np.where(rng.random(count) < 0.5, ends[place], ends[place + 1] - 1)
        columns.append(np.where(rng.random(count) < 0.5, inside, edge))
    return np.stack(columns, axis=1)


def _read_codes(net: QuantNet, direct: set[str]) -> set[int]:
    """Return the features whose codes are read by other layers than those that compare directly."""
    out = {wire for _, name, wire in net.output_wires if name == INPUT}
    for layer in net.layers:
        if layer.name in direct or INPUT not in layer.sources:
            continue
        formats = net.x_formats(layer)
        sizes = {INPUT: len(net.inputs), **{la.name: len(la.formats) for la in net.layers}}
        wires = [(s, i) for s in layer.sources for i in range(sizes[s])]
        read = {w for i in range(len(layer.formats)) for w in layer.wires(i, formats)}
        out |= {wires[w][1] for w in read if wires[w][0] == INPUT}
    return out


def _single(layer: Enumerated) -> bool:
    """Whether a layer reads nothing but features, one for each neuron."""
    return layer.sources == (INPUT,) and all(len(wires) <= 1 for wires in layer.inputs)


def _only(steps: Steps) -> Steps:
    """Return a function without the cuts at which nothing changes."""
    keep = [i for i, (a, b) in enumerate(pairwise(steps.values)) if a != b]
    values = (steps.values[0], *(steps.values[i + 1] for i in keep))
    return Steps(steps.feature, tuple(steps.cuts[i] for i in keep), values)


def _composed(layer: Enumerated, neuron: int, steps: Sequence[Steps], net: QuantNet) -> Steps:
    """Return what a neuron gives for the raw word of the feature it reads."""
    if not layer.inputs[neuron]:
        return Steps(0, (), (int(layer.tables[neuron][0]),))
    wire = layer.inputs[neuron][0]
    raw = net.inputs[wire].format.to_raw(np.array(steps[wire].values))
    return _only(replace(steps[wire], values=tuple(layer.tables[neuron][raw].tolist())))


class _State:
    """Comparators that are wanted, and the layers of tables that read them."""

    def __init__(self, net: QuantNet, words: Sequence[WordFormat]) -> None:
        self.taken = {la.name for la in net.layers}
        self.words = words
        self.codes = self.free(CODES)
        self.wanted: list[tuple[str, list[Steps], Sequence[IntFormat], str]] = []

    def free(self, name: str) -> str:
        """Return a name that no layer of the network has."""
        while name in self.taken:
            name += "_"
        return name

    def want(
        self, name: str, functions: list[Steps], formats: Sequence[IntFormat], role: str = ENCODER
    ) -> None:
        """Add a layer of functions of single words."""
        self.wanted.append((name, functions, formats, role))

    def layers(self) -> list[Layer]:
        """Return comparators, those with equally many cuts in a layer, and what reads them."""
        ranks: dict[int, dict[tuple[int, tuple[int, ...]], int]] = defaultdict(dict)
        for _, functions, _, _ in self.wanted:
            for one in functions:
                if one.cuts:
                    known = ranks[len(one.cuts)]
                    known.setdefault((one.feature, one.cuts), len(known))
        groups = {count: self.free(f"{COMPARATORS}_{count}") for count in sorted(ranks)}
        if not groups:
            raise UsageError(
                "no feature is read",
                why="at no raw word does anything change that the network reads",
                fix="leave out --raw, or give a format whose words reach the thresholds",
            )  # fmt: skip
        x_formats = [IntFormat(c.bit_length()) for c in groups for _ in ranks[c]]
        first = dict(zip(groups, np.cumsum([0, *(len(ranks[c]) for c in groups)]), strict=False))
        out: list[Layer] = [self._ranks(groups[c], c, list(ranks[c])) for c in groups]
        for name, functions, formats, role in self.wanted:
            inputs, tables = [], []
            for one in functions:
                count = len(one.cuts)
                key = (one.feature, one.cuts)
                inputs.append((int(first[count]) + ranks[count][key],) if count else ())
                tables.append(_table(one.values))
            out.append(
                Enumerated(
                    name, tuple(groups.values()), tuple(inputs), tuple(tables), tuple(formats),
                    tuple(x_formats), role,
                )
            )  # fmt: skip
        return out

    def _ranks(self, name: str, count: int, keys: list[tuple[int, tuple[int, ...]]]) -> Linear:
        weights = np.zeros((len(keys), len(self.words)), np.int64)
        weights[np.arange(len(keys)), [feature for feature, _ in keys]] = 1
        return Linear(
            name,
            (INPUT,),
            frozen(weights, np.int64),
            frozen(np.zeros(len(keys)), np.int64),
            frozen(np.array([cuts for _, cuts in keys]), np.int64),
            (IntFormat(count.bit_length()),) * len(keys),
            ENCODER,
        )


def _table(values: Sequence[int]) -> IntArray:
    """Return values by rank; ranks there are not repeat the last."""
    size = 1 << (len(values) - 1).bit_length()
    return frozen(np.array([*values, *[values[-1]] * (size - len(values))]), np.int64)
