"""``.npz`` files: a matrix ``X``, or an array for each column, and labels beside it."""

from __future__ import annotations

from pathlib import Path

from nnlogic.core.arrays import ArrayError, ArrayFile, Header
from nnlogic.core.errors import Problem
from nnlogic.data.tabular.format import TableFormat, Wanted
from nnlogic.data.tabular.formats.npy import matrix
from nnlogic.data.tabular.table import (
    Column,
    Table,
    column_of_array,
    listed,
    table_of_columns,
)

MATRIX = ("X", "x", "arr_0")  # the last is what numpy.savez calls an array without a name
FEATURES, CLASSES = "feature_names", "class_names"


class _Npz(TableFormat):
    name = ".npz"

    def sniff(self, head: bytes, path: Path) -> bool:
        return head.startswith(b"PK") and (b".npy" in head or path.suffix.lower() == ".npz")

    def read(self, source: Path, wanted: Wanted) -> Table:
        file = ArrayFile(source)
        if not file:
            inside = listed(file.others)
            raise ArrayError(
                f"no arrays in it, only {inside}", "numpy.savez(path, X=rows, y=labels)"
            )
        headers = {name: file.header(name) for name in file}
        name = _matrix_of(headers)
        if name is None:
            return _columns(source, file, headers, wanted)
        values = matrix(file[name], name)
        names = _names(file, FEATURES) or None
        if names is not None and len(names) != values.shape[1]:
            raise ArrayError(
                f"{FEATURES} has {len(names)} names, {name} has {values.shape[1]} columns"
            )
        apart, problems = {}, []
        for other in (n for n in file if n != name and wanted.is_label(n, apart=True)):
            column, why = _label(file, other, headers[other], len(values))
            problems += [Problem(other, *why)] if why else []
            if column is not None:
                apart[other] = column
        return Table(
            str(source), names, values, apart=apart, classes=_names(file, CLASSES),
            problems=tuple(problems),
        )  # fmt: skip


def _matrix_of(headers: dict[str, Header]) -> str | None:
    """Return the array that holds the rows; one of a single index may be a column called x."""
    return next((n for n in MATRIX if n in headers and len(headers[n].shape) != 1), None)


def _names(file: ArrayFile, key: str) -> tuple[str, ...]:
    if key not in file:
        return ()
    array = file[key]
    if array.dtype.kind not in "SU" or array.ndim != 1:
        raise ArrayError(f"{key} must be a list of names", "numpy.array(names, dtype=str)")
    return tuple(str(n, "utf-8", "replace") if isinstance(n, bytes) else str(n) for n in array)


def _label(
    file: ArrayFile, name: str, header: Header, rows: int
) -> tuple[Column | None, tuple[str, ...]]:
    """Return an array of labels, or why it is none and what helps."""
    shape = header.shape
    if shape not in ((rows,), (rows, 1)):
        one_hot = len(shape) == 2 and shape[0] == rows
        fix = f"{name}.argmax(axis=1), if these are one-hot" if one_hot else ""
        return None, (f"{name} has shape {shape} for {rows:,} rows", fix)
    array = file[name].reshape(-1)
    if array.dtype.names is not None:
        return None, ("it holds records, not labels",)
    return column_of_array(array), ()


def _columns(source: Path, file: ArrayFile, headers: dict[str, Header], wanted: Wanted) -> Table:
    flat = {n: h.shape[0] for n, h in headers.items() if len(h.shape) == 1 and n != CLASSES}
    known = [n for n in flat if wanted.features is None or n in wanted.features]
    if not known:
        raise ArrayError(
            f"need an array X of shape (rows, features), or one array for each feature; "
            f"found {listed(headers)}",
            "numpy.savez(path, X=rows, y=labels)",
        )
    lengths = {flat[n] for n in known}
    if len(lengths) > 1 or not min(lengths):
        raise ArrayError(f"columns of {listed(sorted(lengths))} rows")
    mine = [n for n, count in flat.items() if count in lengths]
    table = table_of_columns(str(source), [(n, column_of_array(file[n])) for n in mine])
    return Table(str(source), table.names, table.values, table.texts, classes=_names(file, CLASSES))


FORMAT = _Npz()
