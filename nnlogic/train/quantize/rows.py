"""Rows of a file for a float network, which has no names of its own: all columns but the label."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from numpy.typing import NDArray

from nnlogic.core.errors import InputError
from nnlogic.core.formats import IntArray
from nnlogic.data.tabular import read_rows
from nnlogic.data.tabular.format import LABELS, Wanted, read_table
from nnlogic.data.tabular.labels import cell_texts, find_labels
from nnlogic.data.tabular.table import shortened


@dataclass(frozen=True, eq=False)
class FileRows:
    """Rows as they stand in a file.

    Attributes
    ----------
    x : array, shape (rows, features)
    labels : int64 array, shape (rows,), or None
    features : tuple of str
    classes : tuple of str
        In the order of the scores; empty where labels are numbers.
    """

    x: NDArray
    labels: IntArray | None
    features: tuple[str, ...]
    classes: tuple[str, ...]


def file_rows(path: Path, label: str = "") -> FileRows:
    """Read rows, and labels where the file has them.

    Parameters
    ----------
    path : Path
    label : str
        Column of the labels; empty for one called ``y``, ``label``, ``class`` or ``target``.
        Numbers are places of scores, counted from 0; texts are classes in alphabetic order.

    Raises
    ------
    InputError, ToolNotFound
        See `nnlogic.data.tabular.read_rows`.
    """
    table = read_table(path, Wanted(None, (label,) if label else LABELS))
    name, column, problems = find_labels(table, Wanted(None), label or None)
    if problems:
        raise InputError("cannot use the rows", where=table.source, problems=shortened(problems))
    count = table.values.shape[1]
    names = table.names or tuple(f"x{i}" for i in range(count))
    features = tuple(n for n in names if n != name)
    classes: tuple[str, ...] = ()
    if column is not None and column.texts:
        classes = tuple(sorted(set(cell_texts(column))))
    found = read_rows(path, features, label=name, classes=classes)
    return FileRows(found.x, found.labels, features, classes)
