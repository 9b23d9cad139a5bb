"""Rows a run is measured on: codes for the simulators, labels for accuracy."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.arrays import ArrayError, ArrayFile
from nnlogic.core.bits import check_codes, random_codes, sample_count
from nnlogic.core.errors import CheckpointError, InputError, Problem
from nnlogic.core.formats import IntArray, Port
from nnlogic.core.inert import visible
from nnlogic.job.given import Held, source_name, source_of
from nnlogic.quant.encoder import words_near_cuts
from nnlogic.quant.ir import QuantNet
from nnlogic.report.rows import DataRow

RANDOM_ROWS = 4096
FAR = float(1 << 62)
"""No port holds a number as large."""

log = logging.getLogger("nnlogic.rows")


@dataclass(frozen=True, eq=False)
class Rows:
    """Input codes and, where known, labels.

    Attributes
    ----------
    codes : int64 array, shape (samples, inputs)
    labels : int64 array, shape (samples,), or float64, shape (samples, quantities), or None
    what : str
        Where they come from, for the report.
    data : tuple of DataRow
        How the files were read, for the report.
    """

    codes: IntArray
    labels: NDArray | None
    what: str
    data: tuple[DataRow, ...] = ()


def load_rows(net: QuantNet, given: Any, label: str | None = None, part: str = "rows") -> Rows:
    """Read and quantize the user's rows, or draw uniform random codes when there are none.

    Parameters
    ----------
    net : QuantNet
    given : path, array or frame, or None
        See `nnlogic.data.read_rows`.
    label : str, optional
        Name of the labels.
    part : str
        What the rows are for, for the report.

    Raises
    ------
    InputError
        They cannot be read, or do not fit the network.
    """
    source = source_of(given)
    if source is None and net.raw:
        codes = words_near_cuts(net, sample_count(len(net.inputs), RANDOM_ROWS))
        return Rows(codes, None, f"{len(codes)} random words at and between thresholds, seed 0")
    if source is None:
        codes = random_codes(net.inputs, sample_count(len(net.inputs), RANDOM_ROWS))
        return Rows(codes, None, f"{len(codes)} uniform random codes, seed 0")
    from nnlogic.data import read_rows

    place = net.class_output
    port = None if place is None else net.outputs[place].name
    found = read_rows(
        source.rows if isinstance(source, Held) else source,
        [p.name for p in net.inputs],
        label=label,
        classes=net.info.get("class_names", ()),
        port=port,
        most=None if place is None else net.outputs[place].format.hi + 1,
        targets=[q.name for q in net.quantities],
    )
    name = source_name(source)
    for notice in found.notices:
        log.warning("%s: %s", visible(name), visible(notice))
    codes = _codes(net, found.x, str(source))
    row = DataRow(part, name, len(codes), found.matched, found.labelled, found.notices)
    return Rows(codes, found.labels, f"{len(codes)} rows of {name}", (row,))


def _codes(net: QuantNet, x: NDArray, where: str) -> IntArray:
    """Return rows as input codes; numbers that are whole may be codes already."""
    if (
        net.quantizer is None
        and not net.raw
        and x.dtype.kind == "f"
        and np.array_equal(x, np.rint(x))
    ):
        x = np.clip(x, -FAR, FAR).astype(np.int64)
    try:
        return net.encode(x)
    except InputError as error:
        raise InputError(
            error.what, where=where, why=error.why, fix=error.fix, problems=error.problems
        ) from error


def save_rows(rows: Rows, expected: IntArray, path: Path) -> None:
    """Write what the simulators replay."""
    arrays: dict[str, Any] = {"codes": rows.codes, "expected": expected, "what": rows.what}
    if rows.labels is not None:
        arrays["labels"] = rows.labels
    np.savez_compressed(path, **arrays)


def read_saved(path: Path, inputs: Sequence[Port] = ()) -> tuple[Rows, IntArray]:
    """Inverse of `save_rows`: the rows and the expected outputs.

    Raises
    ------
    CheckpointError
        The file of the run is damaged, or its codes are none of `inputs` where those are given.
    """
    try:
        file = ArrayFile(path)
        data = {name: file[name] for name in ("codes", "expected", "what")}
        labels = file.get("labels")
    except (ArrayError, OSError, KeyError) as error:
        raise _damaged(path, f"{error}") from error
    codes, expected = data["codes"], data["expected"]
    arrays = (codes, expected) if labels is None else (codes, expected, labels)
    whole = all(array.dtype.kind in "iu" for array in (codes, expected))
    whole &= labels is None or (labels.dtype.kind in "iu") or (labels.dtype == np.float64)
    long = {array.shape[0] for array in arrays if array.ndim}
    if not whole or codes.ndim != 2 or expected.ndim != 2 or len(long) != 1:
        raise _damaged(path, f"arrays that do not fit: {[array.shape for array in arrays]}")
    try:
        codes = check_codes(codes, inputs) if inputs else codes.astype(np.int64)
    except InputError as error:
        raise _damaged(path, error.why, error.problems) from error
    return Rows(codes, labels, str(data["what"])), expected.astype(np.int64)


def _damaged(path: Path, why: str, problems: Sequence[Problem] = ()) -> CheckpointError:
    return CheckpointError(
        "cannot read the rows of the run", where=str(path), why=why, problems=problems,
        fix="compile again",
    )  # fmt: skip


def accuracy(outputs: IntArray, labels: NDArray | None, column: int | None) -> float | None:
    """Return the percentage of rows classified right; None without labels or class output."""
    if labels is None or column is None:
        return None
    return float(100.0 * np.mean(outputs[:, column] == labels))
