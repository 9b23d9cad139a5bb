"""Labels: finding their column, and turning its cells into numbers of classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.errors import Problem
from nnlogic.core.formats import IntArray
from nnlogic.data.tabular.format import LABELS, Wanted
from nnlogic.data.tabular.table import Column, Table, listed


@dataclass(frozen=True, eq=False)
class Labels:
    """Classes of rows, or quantities.

    Attributes
    ----------
    values : int64 array, shape (rows,), or float64, shape (rows, quantities), or None
        None where there are none, or something is wrong with them.
    how : str
        In words: the column, and how its cells were read.
    notices : tuple of str
    """

    values: NDArray | None
    how: str
    notices: tuple[str, ...] = ()


NONE = Labels(None, "no labels")


def find_labels(
    table: Table, wanted: Wanted, label: str | None
) -> tuple[str | None, Column | None, list[Problem]]:
    """Return name and cells of the labels, and what is wrong with the choice.

    Parameters
    ----------
    table : Table
    wanted : Wanted
        A feature is never a label.
    label : str, optional
        The one that the user names.
    """
    names = table.names or ()
    apart = [n for n in table.apart if n not in names]
    there = [*names, *apart]
    if label is not None and label in (wanted.features or ()) and label not in table.apart:
        why = "it is a feature of the model, which is never the label"
        return label, None, [Problem(f"--label {label}", why, "name another column")]
    if label is not None:
        found = [n for n in there if n == label]
    else:
        found = [n for n in names if wanted.is_label(n)]
        found += [n for n in apart if wanted.is_label(n, apart=True)]
    if label is not None and not found:
        why = f"no such column; the file has {listed(there)}"
        fix = "name one of these" if there else f"numpy.savez(path, X=rows, {LABELS[0]}=labels)"
        return label, None, [Problem(f"--label {label}", why, fix)]
    if len(found) > 1:
        why = f"{listed(found)} could each be the label" if label is None else "given twice"
        return None, None, [Problem("labels", why, "--label NAME names the one that is")]
    if not found:
        return None, None, []
    name = found[0]
    return name, table.apart.get(name) or table.column(names.index(name)), []


def to_quantities(
    table: Table, wanted: Wanted, label: str | None, targets: Sequence[str]
) -> tuple[Labels, list[str], list[Problem]]:
    """Return the quantities of rows, the columns they are in, and what is wrong with them.

    Columns have the names of the quantities, which may be features, too; a single quantity may
    stand under a name for labels. Rows without any of them are not labelled.

    Parameters
    ----------
    table : Table
    wanted : Wanted
    label : str, optional
        Column of the only quantity.
    targets : sequence of str
        Names of the quantities.
    """
    names = table.names or ()
    there = [*table.apart, *(n for n in names if n not in table.apart)]
    columns: list[tuple[str, Column]] = []
    if len(targets) == 1 and (label is not None or targets[0] not in there):
        name, column, problems = find_labels(table, wanted, label)
        if column is None or name is None:
            return NONE, [], problems
        columns = [(name, column)]
    else:
        missing = [t for t in targets if t not in there]
        if len(missing) == len(targets):
            return NONE, [], []
        if missing:
            why = f"no column {listed(missing)}, of the quantities {listed(targets)}"
            return NONE, [], [Problem("labels", why, "give all of them, or none")]
        for t in targets:
            columns.append((t, table.apart.get(t) or table.column(names.index(t))))
    problems = []
    for name, column in columns:
        bad = np.flatnonzero(~np.isfinite(column.values))
        if bad.size:
            text = column.texts.get(int(bad[0]))
            what = f"{text!r}, not a number" if text else "missing or not finite"
            why = f"{name} is {what} ({bad.size:,} rows in all)"
            problems.append(Problem(table.place(int(bad[0])), why, "drop these rows"))
    if problems:
        return NONE, [n for n, _ in columns], problems
    values = np.stack([c.values.astype(np.float64) for _, c in columns], axis=1)
    used = [n for n, _ in columns]
    return Labels(values, f"{listed(used)}, quantities"), used, []


def to_classes(
    name: str, column: Column, table: Table, classes: Sequence[str], most: int | None
) -> tuple[Labels, list[Problem]]:
    """Return cells as numbers of classes, and what is wrong with them.

    Parameters
    ----------
    name : str
    column : Column
    table : Table
        Names the rows in messages; its class names say what numbers stand for.
    classes : sequence of str
        Names of the model's classes, in order; empty where it has none.
    most : int or None
        Classes the model's output can name, where it has no names for them.
    """
    place = {str(c): i for i, c in enumerate(classes)}
    whole = whole_numbers(column)
    if table.classes and whole is not None and set(table.classes) == set(place):
        inside = (whole >= 0) & (whole < len(table.classes))
        if inside.all():
            order = np.array([place[c] for c in table.classes], dtype=np.int64)
            how = f"{name}, numbers of the {len(order)} class names in the file"
            return Labels(order[whole], how), []
    cells = cell_texts(column)
    if place and (column.texts or _only_names(whole, cells, place)):
        return _by_name(name, cells, table, place)
    if whole is None:
        return NONE, _not_whole(name, column, table, len(place))
    count = len(place) or most or int(whole.max(initial=0)) + 1
    bad = np.flatnonzero((whole < 0) | (whole >= count))
    if bad.size:
        known = f"; classes are {listed(place)}" if place else ""
        why = f"{name} is {whole[bad[0]]}, outside 0..{count - 1} ({bad.size} rows in all){known}"
        return NONE, [Problem(table.place(int(bad[0])), why)]
    notices: tuple[str, ...] = ()
    if table.classes and place and list(table.classes) != list(place):
        notices = (
            f"class names of the file ({listed(table.classes)}) are not those of the model "
            f"({listed(place)}): labels are taken as numbers of the model's classes",
        )
    return Labels(whole, f"{name}, numbers of classes", notices), []


def whole_numbers(column: Column) -> IntArray | None:
    """Return the cells as integers, or None where one is something else."""
    values = column.values
    if column.texts:
        return None
    if values.dtype.kind in "iu":
        return values.astype(np.int64)
    values = values.astype(np.float64)  # 2**31 is beyond half precision
    small = np.isfinite(values) & (np.abs(values) < 2**31)
    if not small.all() or not np.array_equal(values, np.rint(values)):
        return None
    return values.astype(np.int64)


def cell_texts(column: Column) -> list[str]:
    """Return the cells as text; whole numbers without a point."""
    texts = column.texts
    return [texts.get(i, f"{v:.17g}") for i, v in enumerate(column.values.tolist())]


def _only_names(whole: IntArray | None, cells: Sequence[str], place: dict[str, int]) -> bool:
    """Whether numbers are names of classes, and not their places."""
    if not set(cells) <= set(place):
        return False
    return whole is None or any(place[c] != v for c, v in zip(cells, whole.tolist(), strict=True))


def _by_name(
    name: str, cells: Sequence[str], table: Table, place: dict[str, int]
) -> tuple[Labels, list[Problem]]:
    unknown = [i for i, cell in enumerate(cells) if cell not in place]
    if not unknown:
        values = np.array([place[cell] for cell in cells], dtype=np.int64)
        return Labels(values, f"{name}, by {len(place)} class names"), []
    strange = list(dict.fromkeys(cells[i] or "an empty cell" for i in unknown))
    why = f"{name} holds {listed(strange)}, first at {table.place(unknown[0])}"
    return NONE, [Problem("labels", why, f"classes of the model are {listed(place)}")]


def _not_whole(name: str, column: Column, table: Table, classes: int) -> list[Problem]:
    if column.texts:
        row, text = next(iter(column.texts.items()))
        why = f"{name} is {text!r}" if text else f"{name} is empty"
        fix = "number the classes from 0" if text and not classes else ""
        if not classes and text:
            why += "; the model has no class names that text could stand for"
    else:
        row = int(np.flatnonzero(~(column.values == np.rint(column.values)))[:1].sum())
        why, fix = f"{name} is {column.values[row]:g}, labels must be integers or class names", ""
    count = len(column.texts)
    return [
        Problem(table.place(row), why + (f" ({count:,} rows in all)" if count > 1 else ""), fix)
    ]


def label_names(port: str | None) -> tuple[str, ...]:
    """Return names under which labels are looked for; `port` is the output that names a class."""
    return (*LABELS, port) if port else LABELS
