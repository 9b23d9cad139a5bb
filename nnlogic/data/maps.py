"""Rows that are maps: what shape their columns have."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from nnlogic.core.errors import UsageError
from nnlogic.data.dataset import Dataset

SHAPE = "--shape ROWSxCOLUMNS, or CHANNELSxROWSxCOLUMNS"


def parse_shape(text: str) -> tuple[int, ...]:
    """Return rows and columns of a map, with channels before them where there are several.

    A map of one column is one of one row.

    Raises
    ------
    UsageError
        The text is no shape.
    """
    found = re.fullmatch(r"([1-9]\d{0,6})x([1-9]\d{0,6})(?:x([1-9]\d{0,6}))?", text.strip().lower())
    if not found:
        raise UsageError("no shape of a map", where="--shape", why=f"{text[:40]!r}", fix=SHAPE)
    *channels, rows, columns = (int(n) for n in found.groups() if n)
    if columns == 1:
        rows, columns = 1, rows
    return (*channels, rows, columns) if channels != [1] else (rows, columns)


def shape_text(shape: Sequence[int]) -> str:
    """Return a shape as users write it."""
    return "x".join(map(str, shape))


def shape_problem(features: int, shape: Sequence[int]) -> str:
    """Return why columns are no map of a shape, with shapes that fit; empty if they are one."""
    if math.prod(shape) == features:
        return ""
    fit = [f"{n}x{features // n}" for n in range(1, math.isqrt(features) + 1) if not features % n]
    return (
        f"{shape_text(shape)} = {math.prod(shape):,} places, but there are {features:,} columns "
        f"beside the label, {abs(math.prod(shape) - features):,} "
        f"{'fewer' if features < math.prod(shape) else 'more'}; "
        f"shapes of {features:,} are {', '.join(fit[::-1][:3])}"
    )


def as_map(data: Dataset, shape: Sequence[int], fix: str = SHAPE) -> Dataset:
    """Return rows whose columns are channel after channel with the channels of a place together.

    That is the order of the wires of a map, see `nnlogic.core.windows`. Rows of one channel are in
    it already.

    Parameters
    ----------
    data : Dataset
        Its columns are a map, row by row, one channel after another.
    shape : sequence of int
        Of `parse_shape`.
    fix : str
        Where a user says the shape.

    Raises
    ------
    UsageError
        It is no shape of so many columns.
    """
    why = shape_problem(len(data.feature_names), shape)
    if why:
        raise UsageError("shape and data disagree", where=data.name, why=why, fix=fix)
    if len(shape) < 3:
        return data
    order = np.arange(math.prod(shape)).reshape(shape[0], -1).T.ravel()
    return replace(
        data,
        x_train=data.x_train[:, order],
        x_val=data.x_val[:, order],
        x_test=data.x_test[:, order],
        feature_names=tuple(data.feature_names[i] for i in order),
        order=order,
    )
