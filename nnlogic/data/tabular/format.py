"""The contract of formats that rows come in, and finding the one that reads a file."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from nnlogic.core.arrays import ArrayError
from nnlogic.core.errors import InputError
from nnlogic.core.plugins import discover
from nnlogic.data.tabular.table import Table, unreadable

HEAD = 4096
LABELS = ("y", "label", "class", "target")
"""Names of columns that are taken for labels unless a feature has that name."""
# How files begin that are no rows, and what they are.
_STRANGERS = {
    b"\x1f\x8b": ("packed with gzip", "unpack it: gunzip FILE"),
    b"BZh": ("packed with bzip2", "unpack it: bunzip2 FILE"),
    b"\xfd7zXZ": ("packed with xz", "unpack it: unxz FILE"),
    b"\x89HDF": ("HDF5", "save its arrays with numpy.savez(path, X=rows, y=labels)"),
    b"SQLite": ("an SQLite data base", "export the table as CSV"),
    b"ARROW1": ("an Arrow or Feather file", "save it as Parquet or CSV"),
    b"\xd0\xcf\x11\xe0": ("an old Excel workbook", "save the sheet as CSV"),
    b"%PDF": ("a PDF", "give rows as CSV or .npz"),
    b"\x80": ("a Python pickle, which could run code", "save it with numpy.savez or as CSV"),
    b"PK": ("a zip archive, perhaps an Excel workbook", "save the sheet as CSV, or use .npz"),
}


@dataclass(frozen=True)
class Wanted:
    """What is looked for in a file.

    Attributes
    ----------
    features : tuple of str, or None
        Names of the columns that are needed; None for any.
    labels : tuple of str
        Names under which labels are looked for.
    """

    features: tuple[str, ...] | None = None
    labels: tuple[str, ...] = LABELS

    def is_label(self, name: str, *, apart: bool = False) -> bool:
        """Whether a column of that name holds labels; one that stands apart is no feature."""
        taken = not apart and self.features is not None and name in self.features
        return not taken and name.casefold() in {n.casefold() for n in self.labels}


class TableFormat(ABC):
    """A form that rows come in: of files, or of objects of Python.

    Attributes
    ----------
    name : str
        What users call it.
    order : int
        Formats are asked in this order; one that takes any text comes last.
    """

    name: str
    order: int = 0

    def sniff(self, head: bytes, path: Path) -> bool:
        """Whether a file that begins with `head`, up to 4,096 bytes, is of this format."""
        return False

    def accepts(self, source: Any) -> bool:
        """Whether an object of Python is of this format."""
        return False

    @abstractmethod
    def read(self, source: Any, wanted: Wanted) -> Table:
        """Return the table of a path, or object.

        Raises
        ------
        InputError, ArrayError, ToolNotFound
        """


@cache
def formats() -> Sequence[TableFormat]:
    """Return all formats, in the order in which they are asked."""
    found = discover("nnlogic.data.tabular.formats", "FORMAT", "nnlogic.tables")
    return sorted(found, key=lambda f: f.order)


def read_table(source: Any, wanted: Wanted = Wanted()) -> Table:
    """Read rows from a file, or from an object of Python.

    Parameters
    ----------
    source : Path, str, array or frame
    wanted : Wanted

    Raises
    ------
    InputError
        The file is missing, damaged, or of no known format.
    ToolNotFound
        Its format needs a library that is not installed.
    """
    if not isinstance(source, str | Path):
        return _of_object(source, wanted)
    path = Path(source)
    try:
        if not path.exists():
            raise InputError("no such file", where=str(path), why="rows were to be read from it")
        if not path.is_file():
            raise unreadable(path, "not a regular file")
        with path.open("rb") as file:
            head = file.read(HEAD)
        if not head:
            raise unreadable(path, "the file is empty")
        return _format_of(head, path).read(path, wanted)
    except ArrayError as error:
        raise unreadable(path, str(error), error.fix) from error
    except OSError as error:
        raise unreadable(path, error.strerror or str(error)) from error


def _of_object(source: Any, wanted: Wanted) -> Table:
    kind = type(source).__name__
    fmt = next((f for f in formats() if f.accepts(source)), None)
    if fmt is None:
        raise unreadable("rows", f"{kind} is neither a path, an array nor a frame")
    try:
        return fmt.read(source, wanted)
    except ArrayError as error:
        raise unreadable(kind, str(error), error.fix) from error


def _format_of(head: bytes, path: Path) -> TableFormat:
    fmt = next((f for f in formats() if f.sniff(head, path)), None)
    if fmt is not None:
        return fmt
    known = ", ".join(f.name for f in formats())
    for magic, (what, fix) in _STRANGERS.items():
        if head.startswith(magic):
            raise unreadable(path, f"the file is {what}; rows are read from {known}", fix)
    raise unreadable(path, f"binary, and none of {known}", "save the rows as CSV or .npz")
