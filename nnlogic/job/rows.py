"""Rows a run is measured on: codes for the simulators, labels for accuracy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.bits import random_codes
from nnlogic.core.errors import InputError
from nnlogic.core.formats import IntArray
from nnlogic.quant.ir import QuantNet

RANDOM_ROWS = 4096


@dataclass(frozen=True, eq=False)
class Rows:
    """Input codes and, where known, labels.

    Attributes
    ----------
    codes : int64 array, shape (samples, inputs)
    labels : int64 array, shape (samples,), or None
    what : str
        Where they come from, for the report.
    """

    codes: IntArray
    labels: NDArray[np.int64] | None
    what: str


def load_rows(net: QuantNet, path: Path | None) -> Rows:
    """Read and quantize the user's rows, or draw uniform random codes when there are none."""
    if path is None:
        codes = random_codes(net.inputs, RANDOM_ROWS)
        return Rows(codes, None, f"{len(codes)} uniform random codes, seed 0")
    from nnlogic.data import read_rows

    x, y = read_rows(path)
    if net.quantizer is None and np.array_equal(x, np.rint(x)):
        x = x.astype(np.int64)  # codes already; files hold them as any number
    codes = net.encode(x)
    if not len(codes):
        raise InputError("no rows", where=str(path))
    labels = None if y is None else np.asarray(y).astype(np.int64)
    if labels is not None:
        classes = len(net.info.get("class_names", ())) or int(labels.max()) + 1
        bad = np.flatnonzero((labels < 0) | (labels >= classes))
        if bad.size:
            why = f"row {bad[0]} is {labels[bad[0]]}, outside 0..{classes - 1}"
            raise InputError("labels out of range", where=str(path), why=why)
    return Rows(codes, labels, f"{len(codes)} rows of {Path(path).name}")


def save_rows(rows: Rows, expected: IntArray, path: Path) -> None:
    """Write what the simulators replay."""
    arrays: dict[str, Any] = {"codes": rows.codes, "expected": expected, "what": rows.what}
    if rows.labels is not None:
        arrays["labels"] = rows.labels
    np.savez_compressed(path, **arrays)


def read_saved(path: Path) -> tuple[Rows, IntArray]:
    """Inverse of `save_rows`: the rows and the expected outputs."""
    with np.load(path, allow_pickle=False) as data:
        labels = data.get("labels")
        return Rows(data["codes"], labels, str(data["what"])), data["expected"]


def class_column(net_outputs: tuple[str, ...]) -> int | None:
    """Return the output column that holds the class, if there is one."""
    return net_outputs.index("class") if "class" in net_outputs else None


def accuracy(outputs: IntArray, labels: NDArray | None, column: int | None) -> float | None:
    """Return the percentage of rows classified right; None without labels or class output."""
    if labels is None or column is None:
        return None
    return float(100.0 * np.mean(outputs[:, column] == labels))
