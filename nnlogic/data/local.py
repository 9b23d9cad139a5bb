"""Arrays from the user's local copies of data sets."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.arrays import ArrayError, ArrayFile
from nnlogic.core.errors import InputError


def read_local(path: Path, need: tuple[str, ...]) -> dict[str, NDArray]:
    """Return arrays of an ``.npz`` file.

    Parameters
    ----------
    path : Path
    need : tuple of str
        Names of the arrays.

    Raises
    ------
    InputError
        The file is missing or damaged, or lacks an array.
    """
    try:
        file = ArrayFile(path)
        missing = [k for k in need if k not in file]
        if not missing:
            return {k: file[k] for k in need}
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
