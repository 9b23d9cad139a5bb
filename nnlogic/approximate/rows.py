"""Rows of an approximate run: some to observe, some to choose by, some that take no part."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.errors import InputError, Problem
from nnlogic.core.formats import IntArray
from nnlogic.job.given import Held
from nnlogic.job.rows import Rows, load_rows
from nnlogic.quant.ir import QuantNet
from nnlogic.report.rows import DataRow

SPLIT_SEED = 0
VALIDATION, TEST = "validation rows", "test rows"
LEAST_ROWS = 100


@dataclass(frozen=True, eq=False)
class Split:
    """Three disjoint sets of rows.

    Attributes
    ----------
    observation : Rows
        Decide which table entries are rare, and are what sampled functions are known on.
    validation : Rows
        Decide what the accuracy budget allows.
    test : Rows
        Take no part; the report measures on them.
    column : int or None
        Output of the network that labels belong to, if there is one.
    """

    observation: Rows
    validation: Rows
    test: Rows
    column: int | None = None

    @property
    def data(self) -> tuple[DataRow, ...]:
        """How the files were read, each once."""
        rows = (row for part in (self.observation, self.validation, self.test) for row in part.data)
        return tuple(dict.fromkeys(rows))

    def parts(self) -> tuple[tuple[str, Rows], ...]:
        """Return names and rows."""
        return (
            ("observation", self.observation),
            ("validation", self.validation),
            ("test", self.test),
        )


def split_rows(
    net: QuantNet, rows: Path | Held, validation: Path | Held | None = None,
    test: Path | Held | None = None,
    label: str | None = None,
) -> Split:  # fmt: skip
    """Read the rows of an approximate run.

    One file is split in three equal parts. With a validation file, all of `rows` is observed
    and the validation file is split in two, unless there is a test file as well. With a test
    file alone, `rows` is split in two parts of observation to one of validation. Splits
    are random with a fixed seed, and keep the share of every class where rows have labels.

    Raises
    ------
    InputError
        A file is missing, damaged or does not fit the network, or fewer than `LEAST_ROWS` rows
        are left for a part.
    """

    def read(source: Path | Held | None, part: str) -> Rows:
        return load_rows(net, source, label, part)

    column, first = net.class_output, read(rows, "rows")
    if validation is None and test is None:
        one, two, three = _dealt(first, (1, 1, 1))
        split = Split(one, two, three, column)
    elif validation is None:
        one, two = _dealt(first, (2, 1))
        split = Split(one, two, read(test, TEST), column)
    elif test is None:
        two, three = _dealt(read(validation, VALIDATION), (1, 1))
        split = Split(first, two, three, column)
    else:
        split = Split(first, read(validation, VALIDATION), read(test, TEST), column)
    short = [
        Problem(name, f"{len(part.codes)} rows of {part.what}, at least {LEAST_ROWS} are needed")
        for name, part in split.parts()
        if len(part.codes) < LEAST_ROWS
    ]
    if short:
        raise InputError(
            "too few rows for approximate mode",
            where=str(rows),
            problems=[*short, Problem("", "rows never seen become don't-cares", "give more rows")],
        )
    return split


def _dealt(rows: Rows, shares: tuple[int, ...]) -> list[Rows]:
    """Deal rows out in the ratio of `shares`, every class alike."""
    place = np.repeat(np.arange(len(shares)), shares)
    classes = np.zeros(len(rows.codes), np.int64)
    if rows.labels is not None and rows.labels.ndim == 1:
        classes = rows.labels
    part = place[_turns(classes) % len(place)]
    out = []
    for number in range(len(shares)):
        mine = np.flatnonzero(part == number)
        labels = None if rows.labels is None else rows.labels[mine]
        what = f"{len(mine)} of the {rows.what}"
        out.append(Rows(rows.codes[mine], labels, what, rows.data))
    return out


def _turns(classes: NDArray[np.int64]) -> IntArray:
    """Return the turn at which each row is dealt, rows of one class one after the other."""
    order = np.random.default_rng(SPLIT_SEED).permutation(len(classes))
    order = order[np.argsort(classes[order], kind="stable")]
    turns = np.empty(len(order), dtype=np.int64)
    turns[order] = np.arange(len(order))
    return turns
