"""Data sets of users: a table of their own becomes rows for training, choosing and testing."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.archive import digest
from nnlogic.core.errors import InputError, Problem
from nnlogic.core.formats import IntArray
from nnlogic.data.dataset import SPLIT_SEED, Dataset
from nnlogic.data.maps import SHAPE, as_map, shape_problem
from nnlogic.data.own_columns import MISSING, features_of
from nnlogic.data.split import take
from nnlogic.data.tabular import read_rows
from nnlogic.data.tabular.format import LABELS, Wanted, read_table
from nnlogic.data.tabular.labels import cell_texts, find_labels
from nnlogic.data.tabular.table import Column, Table, listed, shortened

TEST_SHARE, VALIDATION_SHARE = 0.2, 0.2
LEAST_ROWS = 3
"""Of a class: one for training, one for choosing, one for the final figure."""
MOST_CLASSES = 256
LEAST_QUANTITIES = 10
"""Rows with quantities: for training, for choosing and for the final figure."""


@dataclass(frozen=True)
class Choices:
    """What a user says of a table.

    Attributes
    ----------
    label : str
        Column of the classes; empty for one called ``y``, ``label``, ``class`` or ``target``.
    test : Path, or None
        File with the test rows; without, a fifth of the rows of every class.
    drop : tuple of str
        Columns to leave out.
    missing : str
        Rows with empty cells: ``"refuse"``, or ``"drop"`` them.
    shape : tuple of int
        Where the columns are a map, its shape: see `nnlogic.data.maps.parse_shape`. Columns of one
        value stay then.
    quantities : bool
        Whether the labels are quantities, not classes.
    targets : tuple of str
        Their columns, where there are several; `label` is empty then.
    themselves : bool
        Whether the features are the quantities, as of an autoencoder; there are no labels then.
    """

    label: str = ""
    test: Path | None = None
    drop: tuple[str, ...] = ()
    missing: str = MISSING[0]
    quantities: bool = False
    targets: tuple[str, ...] = ()
    themselves: bool = False
    shape: tuple[int, ...] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        """Columns that are named as labels."""
        return self.targets or ((self.label,) if self.label else ())


@dataclass(frozen=True, eq=False)
class OwnRows:
    """Labelled rows of a table.

    Attributes
    ----------
    x : float32 array, shape (rows, features)
    y : int64 array, shape (rows,), or float64, shape (rows, quantities)
    features, classes : tuple of str
        No classes where labels are quantities.
    labels : tuple of str
        Names of the columns that hold classes, or quantities.
    notices : tuple of str
        What was left out, and why.
    rows : int64 array, shape (rows,)
        Their numbers in the file, from 0, and
    file_rows : int
        how many it has.
    """

    x: NDArray[np.float32]
    y: NDArray
    features: tuple[str, ...]
    classes: tuple[str, ...]
    labels: tuple[str, ...]
    notices: tuple[str, ...]
    rows: IntArray
    file_rows: int


def load_own(path: Path | str, choices: Choices = Choices()) -> Dataset:
    """Read a table of a user and split it: stratified, the same split always.

    Parameters
    ----------
    path : Path
        CSV, ``.npz``, ``.npy`` with names, or Parquet.
    choices : Choices

    Raises
    ------
    InputError
        With all that is wrong: no label, too few rows of a class, text, missing values.
    ToolNotFound
        The format needs a library that is not installed.
    """
    path = Path(path)
    rows = labelled_rows(path, choices)
    x, y, name = rows.x, rows.y, path.stem
    stratified = not choices.quantities
    if choices.test is None:
        rest, test = take(y, TEST_SHARE, SPLIT_SEED, stratified=stratified)
        x_test, y_test = x[test], y[test]
        split = f"{len(test):,} test rows split off" + ", stratified" * stratified
    else:
        rest = np.arange(len(y))
        x_test, y_test = _test_rows(choices.test, rows, choices)
        split = f"{len(y_test):,} test rows from {choices.test.name}"
    kept, val = take(y[rest], VALIDATION_SHARE, SPLIT_SEED, stratified=stratified)
    train, val = rest[kept], rest[val]
    sha = hashlib.sha256(path.read_bytes()).hexdigest()
    said = (
        f"own data: {path.name} (SHA-256 {sha}), label {', '.join(rows.labels)}, "
        f"{len(y):,} rows used, {split}"
    )
    made = Dataset(
        name=name, x_train=x[train], y_train=y[train], x_val=x[val], y_val=y[val],
        x_test=x_test, y_test=y_test, feature_names=rows.features, class_names=rows.classes,
        digest=digest(x, y, x_test, y_test), provenance="; ".join((said, *rows.notices)),
        notices=rows.notices, targets=rows.labels if choices.quantities else (),
        train_rows=rows.rows[train], file_rows=rows.file_rows,
    )  # fmt: skip
    return as_map(made, choices.shape) if choices.shape else made


def _test_rows(path: Path, rows: OwnRows, choices: Choices) -> tuple[NDArray[np.float32], NDArray]:
    if choices.quantities:
        found = read_rows(path, rows.features, targets=rows.labels)
        if found.labels is None:
            why = f"no column {listed(rows.labels)}"
            raise InputError("test rows have no quantities", where=str(path), why=why)
    else:
        found = read_rows(path, rows.features, label=rows.labels[0], classes=rows.classes)
    assert found.labels is not None  # a label that is named is there, or refused
    return found.x.astype(np.float32), found.labels


def labelled_rows(path: Path, choices: Choices) -> OwnRows:
    """Return all rows of a table with their classes, or quantities.

    Raises
    ------
    InputError, ToolNotFound
        See `load_own`.
    """
    table = read_table(path, Wanted(None, choices.labels or LABELS))
    problems, found = list[Problem](), list[tuple[str, Column]]()
    for label in () if choices.themselves else choices.labels or (None,):
        name, column, wrong = find_labels(table, Wanted(None), label)
        problems += wrong
        if name is not None and column is not None:
            found.append((name, column))
    if not found and not problems and not choices.themselves:
        why = f"no column is called {', '.join(LABELS)}; the file has {listed(table.names or ())}"
        problems = [Problem("labels", why, "--label NAME names the column of the labels")]
    problems = [*problems, *table.problems]
    names = tuple(name for name, _ in found)
    if not choices.themselves and (not found or len(names) < len(choices.labels)):
        raise InputError("cannot train on the file", where=str(path), problems=shortened(problems))
    constant = bool(choices.shape)
    columns = features_of(table, names, choices.drop, choices.missing, constant=constant)
    y: NDArray = np.zeros(0)
    classes: tuple[str, ...] = ()
    if choices.themselves:
        wrong = []
    elif choices.quantities:
        y, wrong = _quantities(found, table, columns.rows)
    else:
        y, classes, wrong = _classes(*found[0], table, columns.rows, choices)
    problems += [*columns.problems, *wrong, *_shape_problems(table, columns.names, choices.shape)]
    if problems:
        raise InputError("cannot train on the file", where=str(path), problems=shortened(problems))
    x = table.values[np.ix_(columns.rows, columns.numbers)].astype(np.float32)
    notices = (*table.notices, *columns.notices)
    if choices.themselves:
        y, names = x.astype(np.float64), columns.names
    return OwnRows(x, y, columns.names, classes, names, notices, columns.rows, len(table.values))


def _quantities(
    found: Sequence[tuple[str, Column]], table: Table, rows: IntArray
) -> tuple[NDArray[np.float64], list[Problem]]:
    """Return the quantities of `rows`, (rows, quantities), and what is wrong with them."""
    problems = []
    if len(rows) < LEAST_QUANTITIES:
        why = f"{len(rows)} rows, at least {LEAST_QUANTITIES} are needed"
        problems.append(Problem("rows", why, "add rows"))
    for name, column in found:
        bad = rows[~np.isfinite(column.values[rows].astype(np.float64))]
        if bad.size:
            text = column.texts.get(int(bad[0]))
            what = f"{text!r}, not a number," if text else "empty"
            why = f"{name} is {what} at {table.place(int(bad[0]))} ({bad.size:,} rows in all)"
            problems.append(Problem("labels", why, "delete these rows, or fill in a number"))
        elif len(rows) and np.ptp(column.values[rows]) == 0:
            why = f"{name} is {column.values[rows[0]]:g} in every row; there is nothing to learn"
            problems.append(Problem("labels", why, "name another column (--label)"))
    values = [column.values[rows].astype(np.float64) for _, column in found]
    return np.stack(values, axis=1), problems


def _shape_problems(
    table: Table, features: tuple[str, ...], shape: tuple[int, ...]
) -> list[Problem]:
    """Return why columns are no map of the shape that was asked for."""
    why = shape_problem(len(features), shape) if shape else ""
    if why:
        return [Problem("--shape", why, SHAPE)]
    if len(shape) == 3 and table.names is None:
        why = "channels are put side by side, and without names later rows cannot be matched"
        return [Problem("--shape", why, "give the columns names")]
    return []


def _classes(
    name: str, column: Column, table: Table, rows: IntArray, choices: Choices
) -> tuple[IntArray, tuple[str, ...], list[Problem]]:
    """Return the class of each of `rows`, the names of the classes, and what is wrong."""
    nothing = np.zeros(0, np.int64), ()
    cells = cell_texts(column)
    empty = [i for i in rows.tolist() if not cells[i].strip() or cells[i] == "nan"]
    if empty:
        why = f"{name} is empty at {table.place(empty[0])} ({len(empty):,} rows in all)"
        return *nothing, [Problem("labels", why, "delete these rows, or give them a class")]
    words = np.array([cells[i] for i in rows.tolist()], dtype=object)
    known = sorted(set(words), key=lambda w: _order(w, column))
    if len(known) > max(2, min(MOST_CLASSES, len(words) // LEAST_ROWS)):
        why = f"{name} has {len(known):,} different values in {len(words):,} rows"
        fix = (
            '--task regression learns quantities (in a recipe: task = "regression"); or cut it '
            f"into at most {MOST_CLASSES} classes, or name another column (--label)"
        )
        return *nothing, [Problem("labels", f"{why}: quantities, not classes", fix)]
    place = {word: i for i, word in enumerate(known)}
    y = np.array([place[word] for word in words], dtype=np.int64)
    problems = []
    if len(known) < 2:
        why = f"{name} is {listed(known)} in every row; there is nothing to tell apart"
        problems.append(Problem("labels", why, "name another column (--label)"))
    least = LEAST_ROWS - (choices.test is not None)
    counts = np.bincount(y, minlength=len(known))
    rare = [f"{word} has {n}" for word, n in zip(known, counts, strict=True) if n < least]
    if rare:
        why = f"a class needs at least {least} rows: {listed(rare)}"
        problems.append(Problem("labels", why, "add rows of it, or leave them out"))
    return y, _class_names(known, table), problems


def _order(word: str, column: Column) -> tuple[float, str]:
    """Return what classes are sorted by: numbers by value, before or without text."""
    return (0.0, word) if column.texts else (float(word), word)


def _class_names(known: Sequence[str], table: Table) -> tuple[str, ...]:
    """Return the names of the classes; those in the file, where all of its numbers have one."""
    if table.classes and list(known) == [str(i) for i in range(len(table.classes))]:
        return table.classes
    return tuple(known)
