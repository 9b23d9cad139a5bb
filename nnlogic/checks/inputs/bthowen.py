"""Bloom filters of a BTHOWeN file against QuantNet.

The importer is not trusted: the pickle is read again, and rows are hashed, looked up and counted
as the peer's own program does it.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnlogic.checks.inputs import of_source
from nnlogic.checks.raw_rows import edge_rows
from nnlogic.checks.verdict import Verdict
from nnlogic.core.formats import IntArray
from nnlogic.frontend.bthowen.model import Wisard, read_wisard
from nnlogic.quant.ir import QuantNet

ROWS = 2048
DRAWN = 64
"""Inputs of every filter that rows are put together of."""


def check_bthowen(net: QuantNet, source: Path) -> Verdict:
    """Compare QuantNet with the filters in the file, the counts of all classes and the class.

    Rows lie around the input thresholds; where inputs are bits, they are random, and every second
    one is put together of inputs that filters of one class have seen.

    Parameters
    ----------
    net : QuantNet
    source : Path
    """
    start = time.monotonic()
    bleach = net.info["bleach"]
    wisard = read_wisard(source, int(bleach) if bleach else None)
    if net.quantizer is None:
        codes = _random_bits(wisard)
        bits = codes
    else:
        rows = edge_rows(net.quantizer, ROWS)
        codes, bits = net.encode(rows), _bits(rows, net, wisard.levels)
    expected = np.stack([_responses(wisard, row) for row in bits])
    # Of several largest counts the first class is chosen.
    expected = np.column_stack([expected, expected.argmax(axis=1)])
    got = np.column_stack([net.trace(codes)["score"], net.evaluate(codes)])
    how, label = f"sampled n={ROWS}", "Bloom filters"
    wrong = np.argwhere(got != expected)
    if not wrong.size:
        detail = "counts and class of every row"
        return Verdict(label, net.kind, True, how, detail).timed(start)
    row, at = (int(v) for v in wrong[0])
    name = "class" if at == expected.shape[1] - 1 else f"filters of class {at}"
    detail = f"row {row}: the file gives {expected[row, at]}, {net.kind} {got[row, at]}"
    return Verdict(label, net.kind, False, how, detail, name).timed(start)


def _random_bits(wisard: Wisard) -> IntArray:
    rng = np.random.default_rng(0)
    classes, filters, _, reads = wisard.masks.shape
    parts = (rng.random((filters, DRAWN, reads)) < rng.random((filters, DRAWN, 1))).astype(int)
    seen = np.stack([_seen(wisard, parts[:, i]) for i in range(DRAWN)], axis=2)
    every = np.arange(filters)
    rows = np.empty((ROWS, filters, reads), np.int64)
    for number, row in enumerate(rows):
        # Draws that the filters of a class have seen come first.
        order = np.argsort(rng.random((filters, DRAWN)) - (seen[number % classes] & (number & 1)))
        row[:] = parts[every, order[:, 0]]
    bits = np.zeros((ROWS, len(wisard.order)), np.int64)
    bits[:, wisard.order] = rows.reshape(ROWS, -1)
    return bits[:, : wisard.features * wisard.levels]


def _bits(rows: NDArray[np.float32], net: QuantNet, levels: int) -> IntArray:
    from scipy.special import ndtri

    mean, std = (np.array(net.info[name], np.float64) for name in ("mean", "std"))
    x = rows.astype(np.float64)
    skews = [ndtri((k + 1) / (levels + 1)) for k in range(levels)]
    return np.concatenate([x >= mean + skew * std for skew in skews], axis=1).astype(np.int64)


def _responses(wisard: Wisard, bits: IntArray) -> IntArray:
    padded = np.pad(bits, (0, len(wisard.order) - len(bits)))
    parts = padded[wisard.order].reshape(wisard.masks.shape[1], -1)
    return _seen(wisard, parts).sum(axis=1)


def _seen(wisard: Wisard, parts: IntArray) -> NDArray[np.bool_]:
    """Return, per class and filter, whether it has seen its inputs, shape (filters, reads)."""
    hashes = np.bitwise_xor.reduce(parts[None, :, None, :] * wisard.masks, axis=3)
    entries = np.take_along_axis(wisard.seen, hashes, axis=2)
    found: NDArray[np.bool_] = np.asarray(entries.all(axis=2))
    return found


RUNG = of_source("Bloom filters = QuantNet", check_bthowen, "the filters")
