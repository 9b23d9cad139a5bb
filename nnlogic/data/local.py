"""Arrays from the user's local copies of data sets."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.arrays import ArrayError, ArrayFile
from nnlogic.core.errors import InputError, Problem

ROWS, LABELS, TEXTS, NUMBER = "rows of numbers", "whole numbers", "texts", "a whole number"
"""Kinds of arrays: of two axes or more, of one, of one, and without."""


def read_local(path: Path, need: Mapping[str, str]) -> dict[str, NDArray]:
    """Return arrays of an ``.npz`` file.

    Parameters
    ----------
    path : Path
    need : mapping of str to str
        Names of the arrays, and their kinds: `ROWS`, `LABELS`, `TEXTS`, or `NUMBER`.

    Returns
    -------
    dict of str to array
        Rows as they are, whole numbers as int64, texts as str.

    Raises
    ------
    InputError
        The file is missing or damaged, lacks an array, or holds one of another kind.
    """
    try:
        file = ArrayFile(path)
        missing = [k for k in need if k not in file]
        if not missing:
            return _of_kinds(path, {k: file[k] for k in need}, need)
    except FileNotFoundError as error:
        raise InputError(
            "no local copy of the data set",
            where=str(path),
            fix="leave --data out to fetch the public original",
        ) from error
    except (OSError, ArrayError) as error:
        raise InputError("cannot read the data set", where=str(path), why=str(error)) from error
    raise InputError(
        "the local copy lacks arrays", where=str(path), why=f"missing: {', '.join(missing)}"
    )


def _of_kinds(
    path: Path, arrays: dict[str, NDArray], need: Mapping[str, str]
) -> dict[str, NDArray]:
    found = {name: _of_kind(array, need[name]) for name, array in arrays.items()}
    problems = [
        Problem(name, f"{arrays[name].dtype} of shape {arrays[name].shape}, need {need[name]}")
        for name, array in found.items()
        if array is None
    ]
    if problems:
        raise InputError("the local copy holds other arrays", where=str(path), problems=problems)
    return {name: array for name, array in found.items() if array is not None}


def _of_kind(array: NDArray, kind: str) -> NDArray | None:
    if kind == ROWS:
        return array if array.ndim >= 2 and array.dtype.kind in "buif" and array.size else None
    if array.ndim != (kind != NUMBER):
        return None
    if kind == TEXTS:
        return array.astype(str) if array.dtype.kind in "USbuif" else None
    if array.dtype.kind not in "buif" or not (abs(array.astype(np.float64)) < 1 << 53).all():
        return None
    whole = array.astype(np.int64)
    return whole if (whole == array).all() else None


def read_table(path: Path, names: tuple[str, ...] = ()) -> dict[str, NDArray]:
    """Return the columns of a comma-separated file, as strings without blanks around them.

    Parameters
    ----------
    path : Path
    names : tuple of str, optional
        Of the columns; without, the first line names them.

    Raises
    ------
    InputError
        The file is missing, is no text, or its lines differ in length.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = [line for line in csv.reader(file) if line]
    except FileNotFoundError as error:
        raise InputError("no local copy of the data set", where=str(path)) from error
    except (OSError, ValueError, csv.Error) as error:
        raise InputError("cannot read the data set", where=str(path), why=str(error)) from error
    if not names:
        names, lines = tuple(lines[0]) if lines else (), lines[1:]
    uneven = [i for i, line in enumerate(lines) if len(line) != len(names)]
    if uneven or not lines:
        why = f"row {uneven[0]} has {len(lines[uneven[0]])} columns" if uneven else "no rows"
        raise InputError(
            "cannot read the data set", where=str(path), why=f"{why}, expected {len(names)}"
        )
    columns = zip(*lines, strict=True)
    return {
        name.strip(): np.char.strip(np.array(cells))
        for name, cells in zip(names, columns, strict=True)
    }
