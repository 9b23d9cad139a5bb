"""Keyword spotting: MFCC frames of the evaluation rows of MLPerf Tiny."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nnlogic.core.errors import InputError
from nnlogic.data.dataset import Raw
from nnlogic.data.local import LABELS, ROWS, TEXTS, read_local

FILE = "kws_mlperftiny_1k.npz"
FRAMES, COEFFICIENTS = 49, 10
TEST_SHARE = 0.2


def load_kws(data_dir: Path | None) -> Raw:
    """A thousand spoken words as 49 frames of 10 MFCC, 0..255, coefficient after coefficient.

    These are evaluation rows: enough to compile and stream a network, too few to train one that is
    worth anything. A fifth of a fixed permutation is the test set.
    """
    if data_dir is None:
        raise InputError(
            "the keywords are not fetched",
            where="kws",
            why="MLPerf Tiny makes them from Speech Commands, 2.3 GB of sound, with its own tools",
            fix=f"--data DIR with {FILE}: X int8 (rows, {FRAMES}, {COEFFICIENTS}), y, classes",
        )
    path = data_dir / FILE
    file = read_local(path, {"X": ROWS, "y": LABELS, "classes": TEXTS})
    x = file["X"]
    if x.shape[1:] != (FRAMES, COEFFICIENTS):
        raise InputError(
            "the local copy holds other arrays", where=str(path),
            why=f"X of shape {x.shape}, need (rows, {FRAMES}, {COEFFICIENTS})",
        )  # fmt: skip
    rows = x.astype(np.int64).transpose(0, 2, 1).reshape(len(x), -1) + 128
    order = np.random.default_rng(49).permutation(len(rows))
    cut = round((1 - TEST_SHARE) * len(rows))
    train, test = order[:cut], order[cut:]
    return Raw(
        rows[train],
        file["y"][train],
        rows[test],
        file["y"][test],
        tuple(f"mfcc{c}_t{t}" for c in range(COEFFICIENTS) for t in range(FRAMES)),
        tuple(str(name) for name in file["classes"]),
        "MLPerf Tiny keyword spotting, 1,000 evaluation rows (Speech Commands, CC BY 4.0); own "
        "seeded 80/20 split",
        file=str(path),
    )
