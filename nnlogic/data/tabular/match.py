"""Columns of a table to the features of a model."""

from __future__ import annotations

import difflib
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.errors import InputError, Problem
from nnlogic.data.tabular.format import Wanted
from nnlogic.data.tabular.labels import NONE, find_labels, to_classes, to_quantities
from nnlogic.data.tabular.table import Table, listed, shortened

MISMATCH = "columns of the rows do not match the features of the model"


@dataclass(frozen=True, eq=False)
class MatchedRows:
    """Rows in the order of a model's features.

    Attributes
    ----------
    x : array of numbers, shape (rows, features)
    labels : int64 array, shape (rows,), or float64, shape (rows, quantities), or None
    matched : str
        How columns became features, in words.
    labelled : str
        Where labels come from, in words.
    notices : tuple of str
        What a reader should know.
    """

    x: NDArray
    labels: NDArray | None
    matched: str
    labelled: str
    notices: tuple[str, ...]


def match(
    table: Table, features: Sequence[str], wanted: Wanted, label: str | None,
    classes: Sequence[str], most: int | None, targets: Sequence[str] = (),
) -> MatchedRows:  # fmt: skip
    """Return the rows of a table as the features of a model.

    Parameters
    ----------
    table : Table
    features : sequence of str
        Names of the model's features, in order.
    wanted : Wanted
    label : str, optional
        Name of the labels.
    classes, most
        As in `nnlogic.data.tabular.labels.to_classes`.
    targets : sequence of str
        Names of the quantities that are wanted instead of classes.

    Raises
    ------
    InputError
        With all problems: columns that are missing or given twice, cells that are no numbers,
        labels that are no classes, lines of other lengths.
    """
    labels, column = NONE, None
    if targets:
        labels, taken, problems = to_quantities(table, wanted, label, targets)
    else:
        name, column, problems = find_labels(table, wanted, label)
        taken = [] if name is None else [name]
    order: list[int] | None = list(range(table.values.shape[1]))
    how, notices = "by position: the columns have no names", list[str]()
    if table.names is None:
        if table.values.shape[1] != len(features):
            problems += _wrong_width(table, features)
    else:
        order, how, notices, wrong = _by_name(table.names, features, taken)
        problems += wrong
    problems += table.problems
    if problems and order is None:
        raise InputError(MISMATCH, where=table.source, problems=shortened(problems))
    if column is not None:
        labels, wrong = to_classes(taken[0], column, table, classes, most)
        problems += wrong
    if order is not None and len(order) == len(features):
        problems += _cell_problems(table, order, features)
    if problems:
        raise InputError("cannot use the rows", where=table.source, problems=shortened(problems))
    straight = order == list(range(table.values.shape[1]))
    x = table.values if straight else table.values[:, order]
    return MatchedRows(
        x, labels.values, how, labels.how, (*table.notices, *notices, *labels.notices)
    )


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", name.strip())


def _by_name(
    found: Sequence[str], features: Sequence[str], labels: Sequence[str]
) -> tuple[list[int] | None, str, list[str], list[Problem]]:
    """Return the column of each feature (None: not all are there), and how it was found."""
    here, want = [_plain(n) for n in found], [_plain(n) for n in features]
    times, twice = Counter(here), Counter(want)
    if any(count > 1 for count in twice.values()) and [n for n in here if n in twice] == want:
        order = [i for i, n in enumerate(here) if n in twice]
        return order, "by name, in order; some names stand for several features", [], []
    missing = [n for n in want if n not in times]
    double = [n for n in dict.fromkeys(want) if times[n] > 1]
    unclear = [n for n, count in twice.items() if count > 1]
    mine = [_plain(n) for n in labels]
    extra = [n for n in here if n not in twice and n not in mine]
    if missing or double or unclear:
        return None, "", [], _mismatch(found, features, missing, double, unclear, extra)
    order = [here.index(n) for n in want]
    how = "by name, in order" if order == sorted(order) else "by name, reordered"
    notices = []
    if extra:
        shown = listed(n or "(no name)" for n in extra)
        hint = "" if labels else "; --label NAME if one holds labels"
        notices = [f"columns that are not used: {shown}{hint}"]
        how += f"; columns not used: {len(extra)}"
    return order, how, notices, []


def _mismatch(
    found: Sequence[str], features: Sequence[str], missing: list[str], double: list[str],
    unclear: list[str], extra: list[str],
) -> list[Problem]:  # fmt: skip
    out = []
    if missing:
        close = {n: _closest(n, extra) for n in missing[:8]}
        pairs = [f"{near} to {n}" for n, near in close.items() if near]
        fix = f"rename {', '.join(pairs)}" if pairs else ""
        out.append(Problem("missing", f"{len(missing)} of {len(features)}: {listed(missing)}", fix))
    if double:
        out.append(Problem("given twice", listed(double), "leave one column of each name"))
    if unclear:
        out.append(
            Problem("unclear", f"several features of the model are called {listed(unclear)}")
        )
    return [
        *out,
        Problem("the model", f"{len(features)} features: {listed(features)}"),
        Problem("the file", f"{len(found)} columns: {listed(found)}", _FIX if missing else ""),
    ]


def _closest(name: str, others: Sequence[str]) -> str:
    """Return the name that is the same but for case, or else nearly the same, or nothing."""
    by_case = {other.casefold(): other for other in others}
    near = difflib.get_close_matches(name.casefold(), by_case, 1, 0.7)
    return by_case[near[0]] if near else ""


_FIX = (
    "give the columns the names of the model, in any order; a matrix X in an .npz or .npy file is "
    "matched by position"
)


def _wrong_width(table: Table, features: Sequence[str]) -> list[Problem]:
    width = table.values.shape[1]
    fix = "labels stand apart: numpy.savez(path, X=rows, y=labels)" if width > len(features) else ""
    return [
        Problem("the model", f"{len(features)} features: {listed(features)}"),
        Problem(
            "the file",
            f"{width} columns without names: shape {table.values.shape}, "
            f"need (rows, {len(features)})",
            fix,
        ),
    ]


def _cell_problems(table: Table, order: Sequence[int], features: Sequence[str]) -> list[Problem]:
    """Return for each feature the first cell that is no finite number, in the order of rows."""
    out = []
    for column, name in zip(order, features, strict=True):
        values = table.values[:, column]
        if values.dtype.kind == "f":
            bad = np.flatnonzero(~np.isfinite(values))
        else:
            continue
        if bad.size:
            row = int(bad[0])
            text = table.texts.get(column, {}).get(row)
            odd = "NaN" if np.isnan(values[row]) else "infinite"
            what = odd if text is None else f"{text!r}, not a number"
            why = f"{name} is {'empty' if text == '' else what}"
            more = f" ({bad.size:,} rows in all)" if bad.size > 1 else ""
            fix = "" if text else "drop or impute these rows"
            out.append((row, Problem(table.place(row), why + more, fix)))
    return [problem for _, problem in sorted(out, key=lambda pair: pair[0])]
