"""Raw input rows from the user's files."""

from __future__ import annotations

import csv
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.errors import InputError, Problem
from nnlogic.core.formats import IntArray

MOST_PROBLEMS = 10


def read_rows(path: Path | str) -> tuple[NDArray[np.float32], IntArray | None]:
    """Read feature rows, and labels when the file has them.

    Parameters
    ----------
    path : Path
        ``.npz`` with key ``X`` and optional ``y``; or ``.csv`` with a header line, one column per
        feature, and optionally labels in a column named ``y``, ``label`` or ``class``.

    Returns
    -------
    rows : float32 array, shape (rows, features)
    labels : int64 array, shape (rows,), or None

    Raises
    ------
    InputError
        The file is missing, damaged, or does not hold numbers.
    """
    path = Path(path)
    readers = {".npz": _read_npz, ".csv": _read_csv}
    if path.suffix not in readers:
        raise InputError(
            "input rows of an unknown kind",
            where=str(path),
            why=f"{path.suffix or 'no suffix'}, known are {', '.join(readers)}",
        )
    try:
        x, y = readers[path.suffix](path)
    except FileNotFoundError as error:
        raise InputError("no such file", where=str(path)) from error
    except (OSError, EOFError, ValueError, zipfile.BadZipFile, csv.Error) as error:
        raise InputError("cannot read the rows", where=str(path), why=str(error)) from error
    if x.ndim != 2 or not len(x):
        raise InputError(
            "input rows have the wrong shape",
            where=str(path),
            why=f"X has shape {x.shape}, need (rows, features) with at least one row",
        )
    if y is not None and y.shape != (len(x),):
        raise InputError(
            "labels do not match the rows",
            where=str(path),
            why=f"y has shape {y.shape} for {len(x)} rows",
        )
    return x, y


def _read_npz(path: Path) -> tuple[NDArray[np.float32], IntArray | None]:
    with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
        if "X" not in file:
            found = ", ".join(file.files) or "none"
            raise InputError(
                "no rows in the file",
                where=str(path),
                why=f"need an array X, found {found}",
                fix="numpy.savez(path, X=rows, y=labels)",
            )
        x, y = file["X"], file.get("y")
    if x.dtype.kind not in "fiub" or (y is not None and y.dtype.kind not in "iub"):
        raise InputError(
            "rows must be numbers and labels integers",
            where=str(path),
            why=f"X is {x.dtype}" + (f", y is {y.dtype}" if y is not None else ""),
        )
    return _to_float32(x), None if y is None else y.astype(np.int64)


def _read_csv(path: Path) -> tuple[NDArray[np.float32], IntArray | None]:
    with path.open(newline="", encoding="utf-8") as file:
        lines = list(csv.reader(file))
    lines = [line for line in lines if line]
    if len(lines) < 2:
        raise InputError("no rows in the file", where=str(path), why="need a header and rows")
    header, body = lines[0], lines[1:]
    label = next((i for i, n in enumerate(header) if n.strip() in ("y", "label", "class")), None)
    problems: list[Problem] = []
    values = np.zeros((len(body), len(header)))
    for i, line in enumerate(body):
        if len(line) != len(header):
            problems.append(
                Problem(f"line {i + 2}", f"{len(line)} columns, the header has {len(header)}")
            )
            continue
        for j, text in enumerate(line):
            try:
                values[i, j] = float(text)
            except ValueError:
                problems.append(Problem(f"line {i + 2}", f"{header[j]} is {text!r}, not a number"))
    if problems:
        left = len(problems) - MOST_PROBLEMS
        shown = problems[:MOST_PROBLEMS]
        raise InputError(
            "cannot read the rows",
            where=str(path),
            problems=[*shown, Problem("", f"and {left} more")] if left > 0 else shown,
        )
    if label is None:
        return _to_float32(values), None
    y = values[:, label]
    if not np.array_equal(y, np.rint(y)):
        raise InputError("labels must be integers", where=str(path), why=f"column {header[label]}")
    return _to_float32(np.delete(values, label, axis=1)), y.astype(np.int64)


def _to_float32(x: NDArray) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):
        return x.astype(np.float32)
