"""``.npy`` files and arrays of numpy: a matrix, or records with names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.arrays import MAGIC, ArrayError, read_npy
from nnlogic.data.tabular.format import TableFormat, Wanted
from nnlogic.data.tabular.table import Table, column_of_array, table_of_columns


def matrix(array: NDArray, what: str) -> NDArray:
    """Return an array of shape (rows, columns) of numbers, or raise ArrayError."""
    if array.dtype.kind not in "fiub":
        raise ArrayError(f"{what} must be numbers, not {array.dtype}")
    if array.ndim != 2 or not array.size:
        shape = f"{what} has shape {array.shape}, need (rows, features) with at least one of each"
        raise ArrayError(shape, f"{what}.reshape(len({what}), -1)" if array.ndim > 2 else "")
    return array.astype(np.uint8) if array.dtype.kind == "b" else array


class _Npy(TableFormat):
    name = ".npy"

    def sniff(self, head: bytes, path: Path) -> bool:
        return head.startswith(MAGIC)

    def accepts(self, source: Any) -> bool:
        return isinstance(source, np.ndarray)

    def read(self, source: Any, wanted: Wanted) -> Table:
        array = source if isinstance(source, np.ndarray) else read_npy(source)
        what = "an array" if isinstance(source, np.ndarray) else str(source)
        if array.dtype.names is None:
            return Table(what, None, matrix(array, "the array"))
        if array.ndim != 1 or not len(array):
            raise ArrayError(f"records of shape {array.shape}, need (rows,) with at least one")
        names = array.dtype.names
        return table_of_columns(what, [(name, column_of_array(array[name])) for name in names])


FORMAT = _Npy()
