"""Rows of data sets with their classes, by name, as the peers' models take them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.formats import IntArray


@dataclass(frozen=True)
class Rows:
    """Rows that a model is measured on.

    Attributes
    ----------
    x : array, shape (rows, features)
    y : int64 array, shape (rows,)
        Numbers of the classes, as the model counts them.
    train : array, shape (training rows, features), optional
        Those that the model was trained on.
    train_y : int64 array, shape (training rows,), optional
        Their classes.
    """

    x: NDArray[Any]
    y: IntArray
    train: NDArray[Any] | None = None
    train_y: IntArray | None = None


def rows(name: str, folder: Path) -> Rows | None:
    """Return the rows of a data set; None where its file is not in the folder."""
    kind, _, part = name.partition(":")
    try:
        return KINDS[kind](folder, part)
    except FileNotFoundError:
        return None


def _jets(folder: Path, part: str) -> Rows:
    """Return the jets that are public, raw or standardized."""
    with np.load(folder / "jsc_real_1k.npz", allow_pickle=False) as file:
        return Rows(file["X_std" if part == "standardized" else "X"], file["y"])


def _mnist(folder: Path, part: str) -> Rows:
    """Return the digits of the test set: ink, or the 400 bits in the middle."""
    with np.load(folder / "mnist.npz", allow_pickle=False) as file:
        x, y, train = file["X_test"], file["y_test"], file["X_train"]
    if part == "bits20":
        return Rows((x[:, 4:24, 4:24] > 127).reshape(len(x), -1).astype(np.int64), y)
    x, train = (part.reshape(len(part), -1) / np.float32(255) for part in (x, train))
    return Rows(x, y, train)


CLASSES = {
    "satimage": ("red soil", "cotton crop", "grey soil", "damp grey soil", "vegetation stubble",
                 "very damp grey soil"),
    "shuttle": ("Rad.Flow", "Fpv.Close", "Fpv.Open", "High", "Bypass", "Bpv.Close", "Bpv.Open"),
    "vowel": ("hid", "hId", "hEd", "hAd", "hYd", "had", "hOd", "hod", "hUd", "hud", "hed"),
}  # fmt: skip
"""In the order of the sets' own files, where that is not the alphabet's."""
TRAINING = {"satimage": 4435, "shuttle": 43500}
"""Rows of training of the sets whose files say so; they come first."""


def _uci(folder: Path, part: str) -> Rows:
    """Return all rows of a small set, those of training among them."""
    x, y = _uci_rows(folder, part)
    return Rows(x, y)


def _uci_third(folder: Path, part: str) -> Rows:
    """Return the rows that BTHOWeN tests on: a third, or what the set says."""
    x, y = _uci_rows(folder, part)
    if part in TRAINING:
        at = TRAINING[part]
        return Rows(x[at:], y[at:], x[:at], y[:at])
    # The order that pandas shuffles in with the state 123.
    order = np.random.RandomState(123).permutation(len(x))
    first, others = np.split(order, [len(x) // 3])
    return Rows(x[first], y[first], x[others], y[others])


def _uci_rows(folder: Path, part: str) -> tuple[NDArray[np.float32], IntArray]:
    with np.load(folder / "uci_small.npz", allow_pickle=False) as file:
        x, y, names = (file[f"{part}__{kind}"] for kind in ("X", "y", "classes"))
    order = CLASSES.get(part, tuple(names.tolist()))
    numbers = np.array([order.index(name) for name in names.tolist()], np.int64)
    return x, numbers[y]


KINDS: dict[str, Callable[[Path, str], Rows]] = {
    "jets": _jets, "mnist": _mnist, "uci": _uci, "uci-third": _uci_third,
}  # fmt: skip
