"""The trained model against QuantNet, on the rows recorded in the checkpoint."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnlogic.checks.inputs import Check, FirstRung
from nnlogic.checks.raw_rows import compare_on_rows
from nnlogic.checks.verdict import Verdict
from nnlogic.core.errors import CheckpointError
from nnlogic.core.formats import IntArray
from nnlogic.quant.ir import QuantNet

Model = Callable[[NDArray[np.float32]], IntArray]


def check_golden(net: QuantNet, source: Path, *, model: Model | None = None) -> Verdict:
    """Compare QuantNet with what the trained model itself gave, bit for bit.

    Parameters
    ----------
    net : QuantNet
    source : Path
        Native checkpoint with golden rows.
    model : callable, optional
        The model itself, raw rows (samples, features) to outputs (samples, outputs): run on the
        recorded rows, in place of the recorded outputs.

    Raises
    ------
    CheckpointError
        The file cannot be read, or has no golden rows.
    """
    from nnlogic.frontend.native.checkpoint import read_golden

    start = time.monotonic()
    golden = read_golden(Path(source))
    if golden is None or not len(golden[0]):
        raise CheckpointError(
            "the checkpoint has no recorded outputs to compare with",
            where=str(source),
            fix="save it with golden rows: nnlogic.nn.save_checkpoint(..., golden_rows=rows)",
        )
    rows, expected = golden
    if net.quantizer is None:
        rows = rows.astype(np.int64)
    label = "torch model (recorded)"
    if model is not None:
        label, expected = "torch model", np.asarray(model(rows))
    return compare_on_rows(net, rows, expected, label).timed(start)


def _first(net: QuantNet, source: Path, timeout: float) -> Check | str:
    if net.info.get("golden_rows") and source.is_file():
        return lambda: check_golden(net, source)
    return f"{source.name} holds no recorded torch outputs"


RUNG = FirstRung("recorded torch outputs", _first)
