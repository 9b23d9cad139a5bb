"""Tables of a torchlogix file against QuantNet.

The importer is not trusted: weights are read again, and layers are evaluated by the formulas of
their parametrization on the bits themselves, never by tables, in float32 as the peer does it.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlogic.checks.inputs import of_source
from nnlogic.checks.raw_rows import compare_on_rows, edge_rows
from nnlogic.checks.verdict import Verdict
from nnlogic.core.formats import IntArray
from nnlogic.frontend.torch_file import as_array, read_arrays
from nnlogic.quant.ir import QuantNet

ROWS = 2048
PART = 256
Signals = NDArray[np.float32]


def check_torchlogix(net: QuantNet, source: Path) -> Verdict:
    """Compare QuantNet with the layers in the file, on rows around thresholds or random bits.

    Parameters
    ----------
    net : QuantNet
    source : Path
    """
    start = time.monotonic()
    state = {key: as_array(value) for key, value in read_arrays(source).items()}
    classes = len(net.info["class_names"])
    if net.quantizer is None:
        rng = np.random.default_rng(0)
        rows: NDArray[Any] = rng.random((ROWS, len(net.inputs))) < rng.random((ROWS, 1))
        rows = rows.astype(np.int64)
    else:
        rows = edge_rows(net.quantizer, ROWS)
    parts = (rows[at : at + PART] for at in range(0, len(rows), PART))
    expected = [_classes(state, part, classes, net.info["parametrization"]) for part in parts]
    return compare_on_rows(net, rows, np.concatenate(expected)[:, None], "torchlogix layers").timed(
        start
    )


def _classes(
    state: dict[str, NDArray[Any]], rows: NDArray[Any], classes: int, kind: str
) -> IntArray:
    x = rows.astype(np.float32)
    for key in state:
        if key.endswith(".thresholds"):
            x = (x[:, :, None] > state[key]).astype(np.float32).reshape(len(x), -1)
    names = [key.removesuffix(".weight") for key in state if key.endswith(".weight")]
    for name in sorted(names, key=lambda name: int(name.rpartition(".")[2])):
        wires, weights = state[f"{name}.connections.indices"], state[f"{name}.weight"]
        choice = state.get(f"{name}.connections.weights")
        if choice is not None:
            slot, gate = np.ogrid[: wires.shape[1], : wires.shape[2]]
            wires = wires[choice.argmax(axis=0), slot, gate]
        x = _layer(kind, np.moveaxis(x[:, wires], 1, 0), weights.astype(np.float32))
    votes = x.reshape(len(x), classes, -1).sum(axis=2)
    found: IntArray = votes.argmax(axis=1)
    return found


def _layer(kind: str, bits: Signals, weights: Signals) -> Signals:
    """Return the outputs of a layer for bits of shape (reads, rows, tables)."""
    index = np.zeros(bits.shape[1:], np.int64)
    for bit in bits:
        index = 2 * index + bit.astype(np.int64)
    if kind == "raw":
        return (weights.argmax(axis=1) >> (3 - index) & 1).astype(np.float32)
    if kind == "light":
        return (weights[np.arange(len(weights)), index] > 0).astype(np.float32)
    signs, total = 1 - 2 * bits, np.zeros(index.shape, np.float32)
    # Coefficient k is of the product of those signs whose bits are set in k, the last one lowest.
    for k, column in enumerate(weights.T):
        chosen = [s for i, s in enumerate(signs[::-1]) if k >> i & 1]
        total = total + column * np.prod(chosen, axis=0, dtype=np.float32)
    return (-total > 0).astype(np.float32)


RUNG = of_source("torchlogix layers = QuantNet", check_torchlogix, "the layers")
