"""Rows of users, from files of any known format, matched by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nnlogic.core.arrays import ArrayError
from nnlogic.data.tabular.format import TableFormat, Wanted, read_table
from nnlogic.data.tabular.labels import label_names
from nnlogic.data.tabular.match import MatchedRows, match
from nnlogic.data.tabular.table import Column, Table

__all__ = [
    "ArrayError", "Column", "MatchedRows", "Table", "TableFormat", "Wanted", "read_rows",
    "read_table",
]  # fmt: skip


def read_rows(
    source: Any,
    features: Sequence[str],
    *,
    label: str | None = None,
    classes: Sequence[str] = (),
    port: str | None = None,
    most: int | None = None,
    targets: Sequence[str] = (),
) -> MatchedRows:
    """Read rows of a model's features, and labels where the file has them.

    Columns are matched by name, in any order; a matrix without names by position.

    Parameters
    ----------
    source : path, array or frame
        CSV (commas, semicolons or tabs), ``.npz``, ``.npy``, Parquet; an array of numpy, a frame
        of pandas.
    features : sequence of str
        Names of the model's features, in order.
    label : str, optional
        Column that holds the labels; without, one called ``y``, ``label``, ``class``, ``target``
        or as `port`. A feature of the model is never taken for it.
    classes : sequence of str
        Names of the model's classes; labels may be these, or their numbers.
    port : str, optional
        Name of the output that gives the class.
    most : int, optional
        Classes that this output can name.
    targets : sequence of str
        Names of the quantities that labels are, for a model that gives quantities.

    Raises
    ------
    InputError
        All that is wrong with the file.
    ToolNotFound
        Its format needs a library that is not installed.
    """
    names = label_names(port) if label is None else (label,)
    if targets and label is None:
        names = (*names, *targets)
    wanted = Wanted(tuple(features), names)
    return match(read_table(source, wanted), features, wanted, label, classes, most, targets)
