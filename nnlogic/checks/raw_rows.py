"""QuantNet on raw rows against what another model gives for them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nnlogic.checks.verdict import Verdict
from nnlogic.core.bits import sample_count
from nnlogic.core.formats import IntArray
from nnlogic.quant.ir import InputQuantizer, QuantNet

LARGEST = float(np.finfo(np.float32).max)


def edge_rows(quantizer: InputQuantizer, rows: int, seed: int = 0) -> NDArray[np.float32]:
    """Return random rows whose values are thresholds or their neighbours among the float32.

    Parameters
    ----------
    quantizer : InputQuantizer
    rows, seed : int

    Returns
    -------
    float32 array, shape (rows, features)
        Of fewer rows where features are very many (`nnlogic.core.bits.sample_count`).
    """
    rows = sample_count(len(quantizer.thresholds), rows)
    rng = np.random.default_rng(seed)
    columns = []
    for thresholds in quantizer.thresholds:
        t = thresholds if len(thresholds) else np.zeros(1, np.float32)
        wide = t.astype(np.float64)
        far = 1 + np.abs(wide).max()
        ends = [wide[0] - far, wide[-1] + far]
        # Where a threshold is the largest number, there is nothing finite behind it.
        with np.errstate(over="ignore"):
            around = [np.nextafter(t, np.float32(way)) for way in (-np.inf, np.inf)]
        values = np.clip(np.concatenate([t, *around, ends]), -LARGEST, LARGEST)
        columns.append(rng.choice(values.astype(np.float32), rows))
    return np.stack(columns, axis=1)


def compare_on_rows(net: QuantNet, rows: NDArray, expected: IntArray, label: str) -> Verdict:
    """Compare QuantNet on raw rows with outputs of shape (samples, outputs)."""
    return compare_outputs(net, net.evaluate(net.encode(rows)), expected, label)


def compare_outputs(net: QuantNet, got: IntArray, expected: NDArray, label: str) -> Verdict:
    """Compare what QuantNet gives with what `label` gives, both of shape (samples, outputs)."""
    how = f"sampled n={len(got)}"
    if expected.shape != got.shape:
        detail = f"outputs of shape {expected.shape}, need {got.shape}"
        return Verdict(label, net.kind, False, how, detail, "outputs")
    wrong = np.argwhere(expected != got)
    if not wrong.size:
        return Verdict(label, net.kind, True, how, "every output bit for bit")
    row, port = (int(v) for v in wrong[0])
    detail = (
        f"model gives {expected[row, port]}, {net.kind} {got[row, port]}; "
        f"{len(np.unique(wrong[:, 0]))} of {len(got)} rows differ"
    )
    where = f"row {row}, output {net.outputs[port].name}"
    return Verdict(label, net.kind, False, how, detail, where)
