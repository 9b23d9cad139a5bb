"""Which columns of a user's table become features, and which rows are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nnlogic.core.errors import Problem
from nnlogic.core.formats import IntArray
from nnlogic.data.tabular.table import Table, listed

MISSING = ("refuse", "drop")
TEXT_SHARE = 0.5
"""Share of cells that are text in a column of text; fewer are faults in a column of numbers."""
FEWEST_RISING = 20
"""Rows from which on a column does not rise throughout by chance."""


@dataclass(frozen=True, eq=False)
class Features:
    """Columns that become features.

    Attributes
    ----------
    names : tuple of str
    numbers : int64 array
        Of the columns in the table.
    rows : int64 array
        Of the table that are kept.
    notices : tuple of str
        What was left out, and why.
    problems : tuple of Problem
    """

    names: tuple[str, ...]
    numbers: IntArray
    rows: IntArray
    notices: tuple[str, ...]
    problems: tuple[Problem, ...]


def features_of(
    table: Table,
    labels: Sequence[str],
    drop: Sequence[str],
    missing: str,
    *,
    constant: bool = False,
) -> Features:
    """Return the columns of a table that a network can read.

    Columns of one value, and row numbers without a name, are left out and told of; text, names
    given twice and missing values are problems.

    Parameters
    ----------
    table : Table
    labels : sequence of str
        Columns of the classes, or quantities.
    drop : sequence of str
        Columns to leave out.
    missing : {"refuse", "drop"}
        What to do with rows that lack a value.
    constant : bool
        Whether columns of one value stay.
    """
    count = table.values.shape[1]
    names = table.names or tuple(f"f{i}" for i in range(count))
    candidates = [i for i in range(count) if names[i] not in (*labels, *drop)]
    problems = _name_problems(names, candidates, labels, drop)
    notices = [f"columns left out as asked: {listed(drop)}"] if drop else []
    numbered = [i for i in candidates if not names[i].strip() and _is_row_number(table, i)]
    text = [i for i in candidates if _is_text(table, i)]
    candidates = [i for i in candidates if i not in numbered and i not in text]
    problems += [_text_problem(table, i, names[i]) for i in text]
    rows = np.arange(len(table.values))
    finite = np.isfinite(table.values[:, candidates].astype(np.float32))
    if not finite.all():
        if missing == "drop" and finite.all(1).any():
            rows = np.flatnonzero(finite.all(1))
            lost = len(finite) - len(rows)
            notices.append(f"{lost:,} of {len(finite):,} rows left out for missing values")
        else:
            problems += _missing_problems(table, candidates, names, finite)
    same = [i for i in candidates if len(np.unique(table.values[rows, i].astype(np.float32))) < 2]
    if not constant and (finite.all() or missing == "drop"):
        candidates = [i for i in candidates if i not in same]
        if same:
            words = listed(names[i] for i in same)
            notices.append(f"columns left out that have one value (as float32): {words}")
    if numbered:
        notices.append("a column without a name left out: it numbers the rows")
    for name in (names[i] for i in candidates if _rises(table.values[:, i])):
        how = "rises from row to row, as numbers and times of rows do"
        notices.append(f"{name} {how}; it is a feature all the same: --drop {name} leaves it out")
    blank = [i for i in candidates if not names[i].strip()]
    if blank:
        why = f"column {blank[0] + 1} has no name ({len(blank)} in all)"
        problems.append(Problem("columns", why, "give it one in the first line"))
    if not candidates and not problems:
        why = f"no column is left beside the label {listed(labels)}"
        problems.append(Problem("columns", why, "give at least one column of numbers"))
    kept = tuple(names[i] for i in candidates)
    return Features(
        kept, np.array(candidates, np.int64), rows, tuple(notices), tuple(problems)
    )  # fmt: skip


def _name_problems(
    names: Sequence[str], candidates: Sequence[int], labels: Sequence[str], drop: Sequence[str]
) -> list[Problem]:
    out = []
    unknown = [n for n in drop if n not in names]
    if unknown:
        why = f"no such column: {listed(unknown)}; the file has {listed(names)}"
        out.append(Problem("--drop", why))
    for label in labels:
        if label in drop:
            out.append(Problem("--drop", f"{label} is the label", "name another column"))
    mine = [names[i] for i in candidates]
    twice = sorted({n for n in mine if n.strip() and mine.count(n) > 1})
    if twice:
        fix = "rename one, or leave both out (--drop)"
        out.append(Problem("columns", f"given twice: {listed(twice)}", fix))
    return out


def _is_row_number(table: Table, column: int) -> bool:
    values = table.values[:, column]
    return bool(len(values) > 1 and np.array_equal(np.diff(values), np.ones(len(values) - 1)))


def _rises(values: np.ndarray) -> bool:
    return len(values) >= FEWEST_RISING and bool(np.all(np.diff(values) > 0))


def _is_text(table: Table, column: int) -> bool:
    words = [w for w in table.texts.get(column, {}).values() if w]
    return len(words) > TEXT_SHARE * len(table.values)


def _text_problem(table: Table, column: int, name: str) -> Problem:
    words = sorted(set(table.texts[column].values()))
    why = f"{name} is text with {len(words):,} different values: {listed(words[:4])}"
    return Problem("columns", why, "write it as numbers (one column of 0 and 1 a value), or --drop")


def _missing_problems(
    table: Table, candidates: Sequence[int], names: Sequence[str], finite: np.ndarray
) -> list[Problem]:
    out = []
    for k, column in enumerate(candidates):
        bad = np.flatnonzero(~finite[:, k])
        if not bad.size:
            continue
        row = int(bad[0])
        word = table.texts.get(column, {}).get(row)
        odd = "missing" if np.isnan(table.values[row, column]) else "infinite in float32"
        what = f"{word!r}, not a number," if word else odd
        why = f"{names[column]} is {what} at {table.place(row)} ({bad.size:,} rows in all)"
        out.append((bad.size, Problem("columns", why)))
    left = int(finite.all(1).sum())
    fix = f"--missing drop leaves {left:,} of {len(finite):,} rows; or fill in the values"
    worst = [p for _, p in sorted(out, key=lambda pair: -pair[0])]
    return [*worst[:4], Problem("missing", f"{len(worst)} columns lack values", fix)]
