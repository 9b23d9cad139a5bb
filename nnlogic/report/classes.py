"""Which rows of which class a network takes for what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOST = 24
"""Classes beyond which the whole matrix is not shown, and not kept."""


@dataclass(frozen=True)
class ClassRow:
    """Rows of one class.

    Attributes
    ----------
    label : str
    n, right : int
        Rows of the class, and those taken for it.
    said : int
        Rows of any class taken for it.
    taken : tuple of int
        Rows of the class by what they are taken for, in the order of the classes; empty where
        these are very many.
    """

    label: str
    n: int
    right: int
    said: int
    taken: tuple[int, ...] = ()


def class_rows(
    found: NDArray[np.integer], wanted: NDArray[np.integer], names: Sequence[str]
) -> list[ClassRow]:
    """Return the confusion of numbers of classes, shape (rows,), one row for each class."""
    count = max(len(names), int(max(found.max(initial=-1), wanted.max(initial=-1))) + 1)
    labels = [*names, *(f"class {i}" for i in range(len(names), count))]
    matrix = np.zeros((count, count), np.int64)
    np.add.at(matrix, (np.asarray(wanted), np.asarray(found)), 1)
    small = count <= MOST
    return [
        ClassRow(
            label,
            int(matrix[i].sum()),
            int(matrix[i, i]),
            int(matrix[:, i].sum()),
            tuple(matrix[i].tolist()) if small else (),
        )
        for i, label in enumerate(labels)
    ]


CLASS_COLUMNS = ("class", ">rows", ">recall", ">precision")


def class_cells(row: ClassRow) -> list[str]:
    """Print a class: rows, share of them that is found, share that is right of what is said."""
    return [row.label, f"{row.n:,}", _share(row.right, row.n), _share(row.right, row.said)]


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "-"
