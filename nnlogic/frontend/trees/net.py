"""Boosted trees as a QuantNet: comparators, trees as small tables, integer class sums.

Exact: the network gives the integer scores of the trees with rounded leaves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.archive import frozen
from nnlogic.core.errors import UnsupportedModel, UsageError
from nnlogic.core.formats import IntArray, IntFormat, Port
from nnlogic.frontend.trees.ensemble import Leaves, TreeEnsemble, quantize_leaves
from nnlogic.frontend.trees.tables import Forest, Root
from nnlogic.quant.ir import INPUT, Argmax, Enumerated, InputQuantizer, Layer, Linear, QuantNet

LEAF_BITS, TABLE_BITS, MOST_TABLE_BITS = 4, 8, 12
WIDE = 12
"""Bits of a score whose sign is a table."""
MOST_ENTRIES = 1 << 25
"""Of the tables of all comparators together, at 8 bytes each."""
COMPARE, SCORE, CLASS = "compare", "score", "class"

_Outputs = tuple[tuple[Port, str, int], ...]


def tree_net(
    ensemble: TreeEnsemble,
    *,
    leaves: Leaves | int = LEAF_BITS,
    table_bits: int = TABLE_BITS,
    codes: tuple[InputQuantizer, Sequence[int]] | None = None,
    info: Mapping[str, Any] | None = None,
) -> QuantNet:
    """Return boosted trees as a QuantNet.

    Parameters
    ----------
    ensemble : TreeEnsemble
    leaves : Leaves or int
        Rounded leaves, or the bits to round them to.
    table_bits : int
        Most comparators in one table, 3 to 12; larger trees become tables that select.
    codes : (quantizer, bits per feature), optional
        For trees grown on input codes: how raw rows become these codes, and their widths.
        Without, every bound of the trees becomes a threshold of the input quantizer: exact, and
        as few code bits as the bounds of a feature need.
    info : mapping, optional
        JSON data for the network's ``info``.

    Returns
    -------
    QuantNet
        Outputs: a score per class and ``class``; only ``class`` where one score decides.

    Raises
    ------
    UnsupportedModel, UsageError
    """
    ensemble.verify()
    if not 3 <= table_bits <= MOST_TABLE_BITS:
        raise UsageError(
            "table bits out of range", why=f"{table_bits}, allowed 3 to {MOST_TABLE_BITS}"
        )
    if isinstance(leaves, int):
        leaves = quantize_leaves(ensemble, leaves)
    leaf_bits = max(int(v.max()).bit_length() for v in leaves.values)
    if codes is None:
        quantizer = bounds_quantizer(ensemble)
        formats = tuple(IntFormat.holding(0, max(1, len(t))) for t in quantizer.thresholds)
    else:
        quantizer, formats = codes[0], tuple(IntFormat(bits) for bits in codes[1])

    def first_right(feature: int, bound: np.float32) -> int:
        if codes is not None:
            return int(np.ceil(bound))
        return int(np.searchsorted(quantizer.thresholds[feature], bound)) + 1

    forest = Forest(formats, first_right, table_bits)
    roots = [
        forest.grow(tree, values)
        for tree, values in zip(ensemble.trees, leaves.values, strict=True)
    ]
    if not forest.levels:
        raise UnsupportedModel(
            "trees that decide nothing",
            where=ensemble.name,
            why=f"no tree has leaves that differ in {leaf_bits} bits",
        )
    _require_small(ensemble.name, forest)
    layers = _tree_layers(forest, formats)
    final, outputs = _output_layers(ensemble, leaves, roots, layers[1:])
    net = QuantNet(
        name=ensemble.name,
        inputs=tuple(Port(n, f) for n, f in zip(ensemble.features, formats, strict=True)),
        layers=(*layers, *final),
        output_wires=outputs,
        quantizer=quantizer,
        info={
            "class_names": list(ensemble.classes),
            "trees": len(ensemble.trees),
            "leaf_bits": leaf_bits,
            **({} if ensemble.rounds is None else {"rounds": str(ensemble.rounds)}),
            **(info or {}),
        },
    )
    net.verify()
    return net


def bounds_quantizer(ensemble: TreeEnsemble) -> InputQuantizer:
    """Return the quantizer whose thresholds are the distinct bounds of the trees."""
    found: list[list[np.float32]] = [[] for _ in ensemble.features]
    for tree in ensemble.trees:
        for node in np.flatnonzero(~tree.leaves):
            found[tree.feature[node]].append(tree.bound[node])
    return InputQuantizer(
        tuple(frozen(np.unique(np.array(t, dtype=np.float32)), np.float32) for t in found)
    )


def _require_small(name: str, forest: Forest) -> None:
    entries = sum(1 << forest.formats[feature].bits for feature, _ in forest.comparators)
    if entries > MOST_ENTRIES:
        count, widest = len(forest.comparators), max(f.bits for f in forest.formats)
        raise UnsupportedModel(
            "trees with too many bounds",
            where=name,
            why=f"{count:,} comparators of features with up to {widest} bits of bounds make tables "
            f"of {entries:,} entries, at most {MOST_ENTRIES:,} are made",
            fix="fewer bounds per feature: tree_method hist with max_bin of 256 or less",
        )


def rows_of(quantizer: InputQuantizer, codes: IntArray) -> NDArray[np.float32]:
    """Return float32 rows that have the given codes, shape (samples, features).

    Each value is the lowest of its code, or just below the first threshold; codes beyond the last
    threshold, which no row has, count as the last.
    """
    rows = np.zeros(codes.shape, dtype=np.float32)
    for i, bounds in enumerate(quantizer.thresholds):
        if len(bounds):
            lowest = np.nextafter(bounds[:1], np.float32(-np.inf))
            rows[:, i] = np.concatenate([lowest, bounds])[np.minimum(codes[:, i], len(bounds))]
    return rows


def _tree_layers(forest: Forest, formats: tuple[IntFormat, ...]) -> list[Enumerated]:
    bit = IntFormat(1)
    splits = list(forest.comparators)
    layers = [
        Enumerated(
            COMPARE,
            (INPUT,),
            tuple((feature,) for feature, _ in splits),
            tuple(frozen(np.arange(formats[f].hi + 1) >= k, np.int64) for f, k in splits),
            (bit,) * len(splits),
            formats,
            "encoder",
        )
    ]
    for level, parts in enumerate(forest.levels):
        wires = tuple(f for layer in layers for f in layer.formats)
        starts = np.cumsum([0, *(len(layer.formats) for layer in layers)])
        layers.append(
            Enumerated(
                f"trees_{level}",
                tuple(layer.name for layer in layers),
                tuple(tuple(int(starts[w.level + 1]) + w.index for w in ws) for ws, _ in parts),
                tuple(frozen(table, np.int64) for _, table in parts),
                tuple(IntFormat.holding(0, int(table.max())) for _, table in parts),
                wires,
            )
        )
    return layers


def _output_layers(
    ensemble: TreeEnsemble, leaves: Leaves, roots: list[Root], layers: list[Enumerated]
) -> tuple[tuple[Layer, ...], _Outputs]:
    starts = np.cumsum([0, *(len(layer.formats) for layer in layers)])
    tops = np.array([f.hi for layer in layers for f in layer.formats], dtype=np.int64)
    weights = np.zeros((len(ensemble.base), int(starts[-1])), dtype=np.int64)
    bias: IntArray = leaves.bias.copy()
    for tree, root in zip(ensemble.trees, roots, strict=True):
        bias[tree.output] += root.offset
        if root.wire is not None:
            weights[tree.output, int(starts[root.wire.level]) + root.wire.index] += root.gain
    strict = int(ensemble.cut.strict)
    chosen = IntFormat.holding(0, len(ensemble.classes) - 1)
    port = (Port(CLASS, chosen), CLASS, 0)
    one = len(bias) == 1
    wide = one and IntFormat.holding(int(bias[0]), int((weights @ tops + bias)[0])).bits > WIDE
    if wide:
        # Too many values for a table of signs: compared with a second score, which is constant.
        weights = np.concatenate([np.zeros_like(weights), weights])
        bias = np.array([0, bias[0] + 1 - strict])
    if wide or not one:
        # Scores are compared with each other only: a common offset keeps them small, unsigned.
        bias -= bias.min()
    high = weights @ tops + bias
    formats = tuple(
        IntFormat.holding(int(lo), max(1, int(hi))) for lo, hi in zip(bias, high, strict=True)
    )
    sources = tuple(layer.name for layer in layers)
    score = Linear(
        SCORE, sources, frozen(weights, np.int64), frozen(bias, np.int64), None, formats, "output"
    )
    if wide or not one:
        named = [(Port(f"score_{i}", f), SCORE, i) for i, f in enumerate(formats) if not one]
        return (score, Argmax(CLASS, (SCORE,), (chosen,))), (*named, port)
    values = formats[0].from_raw(np.arange(1 << formats[0].bits))
    sign = frozen(values >= strict, np.int64)
    decision = Enumerated(CLASS, (SCORE,), ((0,),), (sign,), (chosen,), formats, "output")
    return (score, decision), (port,)
