"""Rows as a file holds them: named columns of numbers, with the cells that are none as text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.errors import InputError, Problem

Texts = Mapping[int, str]
"""By row, the text of a cell that is not a number."""
SHOWN, MOST_PROBLEMS = 24, 10
_NUMBER = re.compile(r"\s*[+-]?(((\d+\.?\d*|\.\d+)(e[+-]?\d+)?)|nan|inf|infinity)\s*", re.I)
NO_TEXT: Texts = {}


@dataclass(frozen=True, eq=False)
class Column:
    """A column.

    Attributes
    ----------
    values : array of numbers, shape (rows,)
        NaN where a cell is not a number.
    texts : mapping of int to str
        By row, the text of those cells; empty for a cell that is empty.
    """

    values: NDArray
    texts: Texts = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Table:
    """Rows as a file, or an object of Python, holds them.

    Attributes
    ----------
    source : str
        Path, or what the object is.
    names : tuple of str, or None
        Of the columns; None where they have only places.
    values : array of numbers, shape (rows, columns)
        NaN where a cell is not a number.
    texts : mapping of int to texts
        By column, then by row, the cells that are not numbers.
    apart : mapping of str to Column
        What may be labels and stands beside the columns.
    classes : tuple of str
        Names of the classes that numbers among the labels stand for, where the file has them.
    lines : int array, shape (rows,), or None
        Line of each row in a file of text.
    problems : tuple of Problem
        What is wrong with lines; such rows are left out.
    notices : tuple of str
        What a reader should know.
    """

    source: str
    names: tuple[str, ...] | None
    values: NDArray
    texts: Mapping[int, Texts] = field(default_factory=dict)
    apart: Mapping[str, Column] = field(default_factory=dict)
    classes: tuple[str, ...] = ()
    lines: NDArray[np.int64] | None = None
    problems: tuple[Problem, ...] = ()
    notices: tuple[str, ...] = ()

    def column(self, number: int) -> Column:
        """Return a column."""
        return Column(self.values[:, number], self.texts.get(number, NO_TEXT))

    def place(self, row: int) -> str:
        """Return the name of a row, for messages."""
        return f"row {row}" if self.lines is None else f"line {self.lines[row]}"


def is_number(text: str) -> bool:
    """Whether a cell is a plain number; digits are those of ASCII, without ``_``."""
    return text.isascii() and _NUMBER.fullmatch(text) is not None


def column_of(cells: Sequence[str]) -> Column:
    """Return a column of cells of text."""
    values = np.full(len(cells), np.nan)
    texts = {}
    for row, cell in enumerate(cells):
        if is_number(cell):
            values[row] = float(cell)
        else:
            texts[row] = cell.strip()
    return Column(values, texts)


def column_of_array(array: NDArray) -> Column:
    """Return a column of an array, shape (rows,), of numbers, text or Python objects."""
    if array.dtype.kind in "iuf":
        return Column(array)
    if array.dtype.kind == "b":
        return Column(array.astype(np.uint8))
    if array.dtype.kind == "S":
        array = np.char.decode(array, "utf-8", "replace")
    return column_of(["" if v is None else str(v) for v in array.tolist()])


def table_of_columns(source: str, columns: Iterable[tuple[str, Column]]) -> Table:
    """Return a table of named columns of the same length."""
    items = list(columns)
    values = np.column_stack([c.values for _, c in items]) if items else np.zeros((0, 0))
    texts = {i: c.texts for i, (_, c) in enumerate(items) if c.texts}
    return Table(source, tuple(name for name, _ in items), values, texts)


def listed(names: Iterable[object]) -> str:
    """Return names as a list for messages; of many only the first."""
    words = [str(n) for n in names]
    text = ", ".join(n if n and "," not in n and n == n.strip() else repr(n) for n in words[:SHOWN])
    return f"{text}, ... ({len(words)} in all)" if len(words) > SHOWN else text or "none"


def shortened(problems: Sequence[Problem]) -> list[Problem]:
    """Return the first problems, and how many more there are."""
    left = len(problems) - MOST_PROBLEMS
    more = [Problem("", f"and {left:,} more")] if left > 0 else []
    return [*problems[:MOST_PROBLEMS], *more]


def unreadable(source: object, why: str, fix: str = "") -> InputError:
    """Return the error for a file that cannot be read at all."""
    return InputError("cannot read the rows", where=str(source), why=why, fix=fix)
