"""The small tables of the weightless papers, from the UCI repository."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.errors import InputError
from nnlogic.data.arff import fetch_openml
from nnlogic.data.dataset import Raw
from nnlogic.data.local import LABELS, ROWS, TEXTS, read_local
from nnlogic.data.split import take

LOCAL = "uci_small.npz"
SEED, TEST_SHARE = 20240, 0.2
# Number on OpenML; None: only from a local copy.
TABLES: dict[str, int | None] = {
    "letter": 6,
    "satimage": 182,
    "vehicle": 54,
    "glass": 41,
    "pima": 37,
    "ionosphere": 59,
    "sonar": 40,
    "segment": 36,
    "phoneme": 1489,
    "mammography": 310,
    "iris": 61,
    "breastw": None,
    "german": None,
    "dna": None,
    "oilspill": None,
    "shuttle": None,
    "skinseg": None,
    "vowel": None,
    "higgs7k": None,
    "wine": None,
    "breast_cancer": None,
}


def load_uci(name: str, data_dir: Path | None) -> Raw:
    """Return one of `TABLES`, from ``uci_small.npz`` or from OpenML.

    Rows with missing values are left out. A fifth of the rows of every class, seeded, is the test
    set.

    Raises
    ------
    InputError
        It cannot be fetched, or is not what it should be.
    """
    path = ""
    if data_dir is not None:
        path = str(data_dir / LOCAL)
        keys = tuple(f"{name}__{part}" for part in ("X", "y", "classes"))
        file = read_local(Path(path), dict(zip(keys, (ROWS, LABELS, TEXTS), strict=True)))
        x, y = file[keys[0]], file[keys[1]]
        if x.ndim != 2 or len(x) != len(y):
            why = f"{keys[0]} of shape {x.shape}, {len(y)} labels"
            raise InputError("data set is damaged", where=path, why=why)
        classes = tuple(str(c) for c in file[keys[2]])
        features = tuple(f"x{i}" for i in range(x.shape[1]))
    else:
        features, x, words = _openml(name)
        known, y = np.unique(words, return_inverse=True)
        classes = tuple(str(c) for c in known)
    whole = np.isfinite(x).all(axis=1)
    x, y = x[whole], y[whole]
    train, test = take(y, TEST_SHARE, SEED, stratified=True)
    return Raw(
        x[train],
        y[train],
        x[test],
        y[test],
        features,
        classes,
        f"UCI {name}, CC BY 4.0; {len(whole) - len(x)} rows with missing values left out; own "
        "seeded 80/20 split, stratified.",
        stratified=True,
        file=path,
    )


def _openml(name: str) -> tuple[tuple[str, ...], NDArray[np.float32], NDArray]:
    number = TABLES[name]
    if number is None:
        raise InputError(
            "the data set cannot be fetched",
            where=name,
            why="no public file of it holds plain numbers only",
            fix=f"pass a folder with {LOCAL} (--data): arrays {name}__X, {name}__y and "
            f"{name}__classes",
        )
    return fetch_openml(number)
