"""Raw features as codes, by thresholds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.errors import InputError, Problem
from nnlogic.core.formats import IntArray


@dataclass(frozen=True, eq=False)
class InputQuantizer:
    """Monotone quantizer of raw features, applied outside the logic.

    Attributes
    ----------
    thresholds : tuple of float32 arrays
        Per feature, nondecreasing. The code of ``x`` is the number of thresholds ``<= x``.
    """

    thresholds: tuple[NDArray[np.float32], ...]

    def encode(self, rows: NDArray, names: tuple[str, ...]) -> IntArray:
        """Quantize raw rows.

        Parameters
        ----------
        rows : array, shape (samples, features)
            Cast to float32 before comparing.
        names : tuple of str
            Feature names, for messages.

        Returns
        -------
        int64 array, shape (samples, features)

        Raises
        ------
        InputError
            Wrong width, NaN or infinity.
        """
        rows = finite(rows, names)
        columns = [
            np.searchsorted(t, rows[:, i], side="right") for i, t in enumerate(self.thresholds)
        ]
        return np.stack(columns, axis=1).astype(np.int64)


def finite(rows: NDArray, names: tuple[str, ...]) -> NDArray[np.float32]:
    """Return raw rows as float32.

    Parameters
    ----------
    rows : array, shape (samples, features)
    names : tuple of str
        Feature names, for messages.

    Raises
    ------
    InputError
        Wrong width, NaN or infinity.
    """
    rows = np.asarray(rows)
    if rows.ndim != 2 or rows.shape[1] != len(names):
        raise InputError(
            "input rows have the wrong shape",
            why=f"got shape {rows.shape}, need (rows, {len(names)})",
            fix=f"one column per feature, in this order: {', '.join(names)}",
        )
    if rows.dtype.kind not in "fiub":
        raise InputError("input rows must be numbers", why=f"got {rows.dtype}")
    with np.errstate(over="ignore"):
        rows = rows.astype(np.float32, copy=False)
    problems = []
    for i, name in enumerate(names):
        bad = np.flatnonzero(~np.isfinite(rows[:, i]))
        if bad.size:
            why = f"row {bad[0]} is {rows[bad[0], i]} ({bad.size} rows in all)"
            problems.append(Problem(name, why, "drop or impute these rows"))
    if problems:
        raise InputError("input rows hold NaN or infinity", problems=problems)
    return rows
