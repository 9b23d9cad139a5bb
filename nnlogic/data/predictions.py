"""Predictions of a teacher in a file: a row for each row of a table, a column for each output."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.errors import InputError, Problem
from nnlogic.data.tabular.format import Wanted, read_table
from nnlogic.data.tabular.table import Table, listed, shortened

BEFORE = ("", "p_", "prob_", "proba_", "score_", "value_")
"""What may stand before the name of an output in that of its column."""


def read_predictions(path: Path, outputs: Sequence[str], rows: int) -> NDArray[np.float64]:
    """Return what a file says of each output, for each row of a table in the order of the table.

    Columns are matched by name, in any order; those of other names are not used. A matrix without
    names is taken by position.

    Parameters
    ----------
    path : Path
        CSV, ``.npz``, ``.npy`` or Parquet.
    outputs : sequence of str
        Classes, or quantities.
    rows : int
        Of the table.

    Returns
    -------
    float64 array, shape (rows, outputs)

    Raises
    ------
    InputError
        With all that is wrong: other rows, columns that are not there or given twice, cells that
        are no finite numbers.
    ToolNotFound
        The format needs a library that is not installed.
    """
    table = read_table(path, Wanted(None, ()))
    problems = list(table.problems)
    if len(table.values) != rows:
        why = f"{len(table.values):,} rows of predictions for {rows:,} rows of the table"
        problems.append(Problem("rows", why, "give one for each row, in the same order"))
    places = _places(table, outputs, problems)
    values = table.values[:, places].astype(np.float64)
    for place, output, column in zip(places, outputs, values.T, strict=False):
        bad = np.flatnonzero(~np.isfinite(column))
        if bad.size:
            text = table.texts.get(place, {}).get(int(bad[0]))
            what = f"{text!r}, not a number" if text else "missing or not finite"
            why = f"{output} is {what} ({bad.size:,} rows in all)"
            problems.append(Problem(table.place(int(bad[0])), why))
    if problems:
        what = "cannot learn from the predictions"
        raise InputError(what, where=str(path), problems=shortened(problems))
    return values


def _places(table: Table, outputs: Sequence[str], problems: list[Problem]) -> list[int]:
    """Return the column of each output; adds to the problems where there is not one."""
    if table.names is None:
        if table.values.shape[1] != len(outputs):
            why = f"{table.values.shape[1]} without names for {listed(outputs)}"
            problems.append(Problem("columns", why, "one for each, in this order"))
            return []
        return list(range(len(outputs)))
    places = []
    for output in outputs:
        names = {before + output for before in BEFORE}
        found = [i for i, name in enumerate(table.names) if name.strip() in names]
        if len(found) != 1:
            why = f"{output}: " + (
                f"given {len(found)} times" if found else f"none of {listed(sorted(names))}"
            )
            fix = f"the file has {listed(table.names)}"
            problems.append(Problem("columns", why, fix))
        places += found[:1]
    return places if len(places) == len(outputs) else []
