"""Comparators of raw words against the quantizer they stand for.

Numbers are read from words, and thresholds counted, in a way of its own: nothing here is shared
with `nnlogic.quant.word`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from nnlogic.checks.layers import checker_of
from nnlogic.checks.verdict import Verdict
from nnlogic.core.fields import Arrays, write_fields
from nnlogic.core.formats import IntArray
from nnlogic.core.windows import Window
from nnlogic.quant.ir import INPUT, QuantNet
from nnlogic.quant.layer import Layer, Sums
from nnlogic.quant.layers.windowed import Windowed
from nnlogic.quant.quantizer import InputQuantizer

WIDEST = 16
"""Bits of words that are all tried; of wider ones those at which either side changes."""
INFINITY, SIGN = 0x7F800000, 0x80000000
LEFT, RIGHT = "input quantizer", "encoder"


class _Found(Exception):
    """A difference: where, and what."""


@dataclass
class _Feature:
    """Words of a feature that are tried, and the codes the quantizer gives for them."""

    words: IntArray
    codes: IntArray
    every: bool
    ranks: dict[tuple[str, int], IntArray] = field(default_factory=dict)


def check_encoder(coded: QuantNet, raw: QuantNet) -> Verdict:
    """Compare a network on raw words with the quantizer and the network on codes it came from.

    Every neuron that reads raw words, through comparators, is compared on all words where they
    have at most `WIDEST` bits. On wider ones both sides are constant between cuts: a comparator
    between its constants, and a count of thresholds, in the order of the numbers, between the
    thresholds. Comparing at every cut, one below it and at the ends is then comparing on all words.
    What follows must be the same layers.

    Parameters
    ----------
    coded, raw : QuantNet
        With an input quantizer; reading words.
    """
    start = time.monotonic()
    try:
        detail = _compared(coded, raw)
    except _Found as found:
        where, what = found.args
        return Verdict(LEFT, RIGHT, False, "exhaustive", what, where).timed(start)
    return Verdict(LEFT, RIGHT, True, "exhaustive", detail).timed(start)


def _compared(coded: QuantNet, raw: QuantNet) -> str:
    if coded.quantizer is None or len(raw.raw) != len(coded.inputs):
        raise _Found("inputs", f"{len(raw.raw)} raw features for {len(coded.inputs)} thresholds")
    first = raw.layers[0]
    if isinstance(first, Windowed) and first.name not in {la.name for la in coded.layers}:
        return _shared(coded, raw, first)
    features = [_feature(coded, raw, i) for i in range(len(raw.inputs))]
    missing = [la.name for la in coded.layers if la.name not in {r.name for r in raw.layers}]
    if missing:
        raise _Found(missing[0], "is missing")
    names = {la.name for la in coded.layers}
    comparators = {la.name for la in raw.layers if INPUT in la.sources}
    front = [la for la in raw.layers if la.name not in names and la.name not in comparators]
    if len(front) > 1:
        raise _Found(front[1].name, "a second layer that is not of the network")
    neurons, mine = 0, {la.name: la for la in raw.layers}
    if front:
        for i in sorted(_read_codes(coded, mine, comparators)):
            _neuron(raw, front[0], i, comparators, features, (i, features[i].codes))
            neurons += 1
    codes = front[0].name if front else ""
    for layer in coded.layers:
        other = mine[layer.name]
        if not comparators & set(other.sources):
            _same(layer, other, codes)
            continue
        checker = checker_of(coded, layer)
        if len(other.formats) != len(layer.formats) or set(layer.sources) != {INPUT}:
            raise _Found(layer.name, "does not read what it read")
        for i in range(len(layer.formats)):
            read = checker.fan_in(i)
            if len(read) > 1:
                raise _Found(f"{layer.name}/neuron{i}", f"reads {len(read)} features")
            feature = read[0] if read else -1
            values = {feature: features[feature].codes} if read else {}
            size = len(features[feature].codes) if read else 1
            _neuron(
                raw, other, i, comparators, features, (feature, checker.values(i, values, size))
            )
        neurons += len(layer.formats)
    wires = [(name if name != INPUT else codes, wire) for _, name, wire in coded.output_wires]
    if [(name, wire) for _, name, wire in raw.output_wires] != wires:
        raise _Found("outputs", "come from other wires")
    whole = [f for f in features if f.every]
    text = f"{neurons} neurons behind comparators; all {sum(len(f.words) for f in whole)} words"
    text += f" of {len(whole)} features"
    if len(whole) < len(features):
        tried = sum(len(f.words) for f in features if not f.every)
        text += f", and for {len(features) - len(whole)} all {tried} at which a side can change"
    return f"{text}; the layers behind are the same"


def _shared(coded: QuantNet, raw: QuantNet, encoder: Windowed) -> str:
    """Compare comparators that all positions of a map share, as those of one position.

    The windows have one position each, every position has one, and thresholds and words are
    everywhere those of the first: then what holds there holds at all.
    """
    size, thresholds = encoder.frame.channels, coded.quantizer.thresholds  # type: ignore[union-attr]
    geometry = (encoder.window, encoder.groups, len(encoder.kernels), encoder.shared)
    if geometry != (Window((1, 1)), 1, 1, True) or encoder.sources != (INPUT,):
        raise _Found(encoder.name, f"is not one kernel at each position, but {encoder.label()}")
    if encoder.frame.positions * size != len(coded.inputs) or len(encoder.formats) != len(
        coded.inputs
    ):
        raise _Found(encoder.name, f"{encoder.frame} for {len(coded.inputs)} features")
    for i, (mine, port) in enumerate(zip(thresholds, coded.inputs, strict=True)):
        word, first = raw.raw[i], raw.raw[i % size]
        if word != first or raw.inputs[i].format != raw.inputs[i % size].format:
            raise _Found(port.name, f"is {word}, {coded.inputs[i % size].name} {first}")
        if not np.array_equal(mine, thresholds[i % size]):
            raise _Found(port.name, f"has other thresholds than {coded.inputs[i % size].name}")
    behind = raw.layers[1:]
    if [la.name for la in behind] != [la.name for la in coded.layers]:
        raise _Found("layers", "are not those of the network")
    for layer, other in zip(coded.layers, behind, strict=True):
        _same(layer, other, encoder.name)
    wires = [(encoder.name if n == INPUT else n, wire) for _, n, wire in coded.output_wires]
    if [(name, wire) for _, name, wire in raw.output_wires] != wires:
        raise _Found("outputs", "come from other wires")
    ports, layers = coded.inputs[:size], encoder.kernels[0].layers
    alone = InputQuantizer(thresholds[:size])
    codes = QuantNet("codes", ports, (), tuple((p, INPUT, c) for c, p in enumerate(ports)), alone)
    words = QuantNet(
        "words", raw.inputs[:size], layers,
        tuple((p, layers[-1].name, c) for c, p in enumerate(ports)),
        info={"raw": [str(word) for word in raw.raw[:size]]},
    )  # fmt: skip
    if layers[-1].formats != tuple(p.format for p in ports):
        raise _Found(layers[-1].name, "does not give codes of the formats that are read")
    return f"{_compared(codes, words)}; one encoder for all {encoder.frame.positions} positions"


def _read_codes(coded: QuantNet, mine: dict[str, Layer], comparators: set[str]) -> set[int]:
    """Return the features whose codes are read by anything but comparisons."""
    out = {wire for _, name, wire in coded.output_wires if name == INPUT}
    for layer in coded.layers:
        if INPUT in layer.sources and not comparators & set(mine[layer.name].sources):
            places = [(s, i) for s in layer.sources for i in range(_width(coded, s))]
            checker = checker_of(coded, layer)
            read = {places[w] for n in range(len(layer.formats)) for w in checker.fan_in(n)}
            out |= {i for name, i in read if name == INPUT}
    return out


def _width(net: QuantNet, source: str) -> int:
    return len(net.inputs) if source == INPUT else len(_layer(net, source).formats)


def _feature(coded: QuantNet, raw: QuantNet, i: int) -> _Feature:
    word, fmt = raw.raw[i], raw.inputs[i].format
    thresholds = coded.quantizer.thresholds[i].astype(np.float64)  # type: ignore[union-attr]
    every = fmt.bits <= WIDEST
    words = np.arange(fmt.lo, fmt.hi + 1) if every else _changes(raw, i, thresholds)
    numbers = _floats(words) if word.floating else words / 2.0**word.fraction
    codes = np.zeros(len(words), np.int64)
    for threshold in thresholds:
        codes += numbers >= threshold
    return _Feature(words, codes, every)


def _floats(words: IntArray) -> NDArray[np.float64]:
    """Return binary32 numbers from sign, exponent and fraction; NaN as infinity of its sign."""
    exponent, fraction = words >> 23 & 0xFF, words & 0x7FFFFF
    size = np.where(
        exponent == 0,
        np.ldexp(fraction.astype(np.float64), -149),
        np.ldexp((fraction | 1 << 23).astype(np.float64), exponent - 150),
    )
    size = np.where(exponent == 0xFF, np.inf, size)
    return np.where(words >> 31 & 1, -size, size)


def _changes(raw: QuantNet, feature: int, thresholds: NDArray[np.float64]) -> IntArray:
    """Return all words at which either side can change, those beside them, and the ends."""
    word, fmt = raw.raw[feature], raw.inputs[feature].format
    if word.floating:
        near = thresholds.astype(np.float32).view(np.uint32).astype(np.int64).tolist()
        near += [0, SIGN, INFINITY, SIGN + INFINITY, INFINITY + 1, SIGN + INFINITY + 1]
    else:
        near = np.floor(thresholds * 2.0**word.fraction).astype(np.int64).tolist()
    near += _constants(raw, feature)
    return np.unique(np.clip([w + d for w in near for d in (-1, 0, 1)], fmt.lo, fmt.hi))


def _constants(raw: QuantNet, feature: int) -> list[int]:
    """Return the constants that a feature is compared with, and the ends of its words."""
    out = [raw.inputs[feature].format.lo, raw.inputs[feature].format.hi]
    for layer in raw.layers:
        how = checker_of(raw, layer).arithmetic() if layer.sources == (INPUT,) else None
        if isinstance(how, Sums) and how.thresholds is not None:
            for row in np.flatnonzero(how.weights[:, feature]):
                out += how.thresholds[row].tolist()
    return out


def _neuron(
    raw: QuantNet,
    layer: Layer,
    neuron: int,
    comparators: set[str],
    features: list[_Feature],
    expected: tuple[int, IntArray],
) -> None:
    """Compare a neuron that reads comparators on all words of its feature."""
    where = f"{layer.name}/neuron{neuron}"
    places = [(s, i) for s in layer.sources for i in range(len(_layer(raw, s).formats))]
    checker = checker_of(raw, layer)
    values, read = {}, {expected[0]} - {-1}
    for wire in checker.fan_in(neuron):
        name, i = places[wire]
        if name not in comparators:
            raise _Found(where, f"reads {name}, which compares nothing")
        feature, values[wire] = _rank(raw, _layer(raw, name), i, features)
        read.add(feature)
    if len(read) > 1:
        named = ", ".join(raw.inputs[i].name for i in sorted(read))
        raise _Found(where, f"depends on {named}, and on one of them in the network on codes")
    feature = read.pop() if read else 0
    size = len(features[feature].words)
    got = checker.values(neuron, values, size)
    need = np.broadcast_to(expected[1], (size,))
    wrong = np.flatnonzero(got != need)
    if wrong.size:
        at = int(wrong[0])
        name, word = raw.inputs[feature].name, features[feature].words[at]
        raise _Found(
            where,
            f"{name} as {raw.raw[feature]}, word {word}: the quantizer gives {need[at]}, "
            f"comparators {got[at]}; {wrong.size} words differ",
        )


def _rank(
    raw: QuantNet, layer: Layer, neuron: int, features: list[_Feature]
) -> tuple[int, IntArray]:
    checker = checker_of(raw, layer)
    how, read = checker.arithmetic(), checker.fan_in(neuron)
    where = f"{layer.name}/neuron{neuron}"
    if layer.sources != (INPUT,) or not isinstance(how, Sums) or how.thresholds is None:
        raise _Found(where, "is no comparator of a word")
    if len(read) != 1 or how.weights[neuron, read[0]] != 1 or how.bias[neuron] != 0:
        raise _Found(where, "does not compare a word as it stands")
    feature = features[read[0]]
    if (layer.name, neuron) not in feature.ranks:
        values = checker.values(neuron, {read[0]: feature.words}, len(feature.words))
        feature.ranks[layer.name, neuron] = values
    return read[0], feature.ranks[layer.name, neuron]


def _layer(net: QuantNet, name: str) -> Layer:
    return next(la for la in net.layers if la.name == name)


def _same(layer: Layer, other: Layer, codes: str) -> None:
    """Raise where a layer is not what it was, but for codes in place of the inputs."""
    sources = tuple(codes if s == INPUT else s for s in layer.sources)
    written = []
    for one in (layer, other):
        arrays: Arrays = {}
        fields = {k: v for k, v in write_fields(one, "", arrays).items() if k != "sources"}
        written.append((one.kind, fields, arrays))
    (kind, fields, arrays), (kind2, fields2, arrays2) = written
    same = (kind, fields) == (kind2, fields2) and arrays.keys() == arrays2.keys()
    if not same or other.sources != sources or any(
        not np.array_equal(arrays[k], arrays2[k]) for k in arrays
    ):  # fmt: skip
        raise _Found(layer.name, "is not the layer it was")
