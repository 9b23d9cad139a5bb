"""Checkpoints of differentiable weightless networks against QuantNet.

The importer is not trusted: tensors are read again, and the network is evaluated as its trainer
does it, in float32, on rows around the thresholds.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnlogic.checks.inputs import of_source
from nnlogic.checks.raw_rows import compare_on_rows, edge_rows
from nnlogic.checks.verdict import Verdict
from nnlogic.core.formats import IntArray
from nnlogic.frontend.torch_file import read_arrays
from nnlogic.quant.ir import QuantNet

ROWS = 4096
PART = 256


def check_dwn(net: QuantNet, source: Path) -> Verdict:
    """Compare QuantNet with the model in the file, on rows around its thresholds.

    Parameters
    ----------
    net : QuantNet
    source : Path
    """
    start = time.monotonic()
    if net.quantizer is None:
        raise ValueError("a DWN has an input quantizer")
    rows = edge_rows(net.quantizer, ROWS)
    standardized = net.info["rows"] == "standardized"
    expected = [
        _classes(source, rows[at : at + PART], standardized) for at in range(0, len(rows), PART)
    ]
    return compare_on_rows(net, rows, np.concatenate(expected)[:, None], "DWN in torch").timed(
        start
    )


def _classes(source: Path, rows: NDArray[np.float32], standardized: bool) -> IntArray:
    file = read_arrays(source)
    x = rows
    if not standardized:
        mean, scale = (file["scaler"][name] for name in ("mean", "scale"))
        with np.errstate(over="ignore"):
            x = (x - mean) / scale
    above = x[:, :, None] > file["thermometer"]["thresholds"]
    bits = above.reshape(len(rows), -1)
    state = file["state_dict"]
    numbers = sorted(int(key.split(".")[0]) for key in state if key.endswith(".luts"))
    for number in numbers:
        luts = state[f"{number}.luts"]
        n = luts.shape[1].bit_length() - 1
        logits = state.get(f"{number}.mapping.weights")
        if logits is None:
            wires = state[f"{number}.mapping"]
        else:
            wires = logits.argmax(axis=0).reshape(len(luts), n)
        index = (bits[:, wires].astype(np.int64) << np.arange(n)).sum(axis=2)
        bits = luts[np.arange(len(luts)), index] > 0
    classes = file["config"]["num_classes"]
    each = -(-bits.shape[1] // classes)
    votes = np.zeros((len(rows), classes * each), np.int64)
    votes[:, : bits.shape[1]] = bits
    found: IntArray = votes.reshape(len(rows), classes, each).sum(axis=2).argmax(axis=1)
    return found


RUNG = of_source("DWN in torch = QuantNet", check_dwn, "the model")
