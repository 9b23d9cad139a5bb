"""Simulated ECG-like beats: waves as Gaussian bumps around the beat, wander, noise, an ADC.

A toy for streams of one dimension, made here and seeded: no recording of anybody, and nothing that
is found on it holds for real electrocardiograms.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.formats import IntArray
from nnlogic.data.dataset import Raw

WIDTH, CENTRE, BITS = 64, 28, 8
CLASSES = ("normal", "early", "ventricular", "paced")
# Waves: height in counts, place in samples from the beat's, width in samples.
WAVES = {
    "normal": ((14, -13, 2.5), (-10, -2, 0.9), (95, 0, 1.2), (-18, 2.2, 1.0), (26, 18, 4.5)),
    "early": ((-9, -8, 1.8), (-10, -2, 0.9), (88, 0, 1.2), (-18, 2.2, 1.0), (22, 17, 4.5)),
    "ventricular": ((80, -1, 3.4), (-38, 5, 3.2), (-28, 19, 5.5)),
    "paced": ((60, -6.5, 0.35), (70, 0, 2.8), (-30, 5, 2.6), (24, 20, 5.0)),
}
TRAIN_ROWS, TEST_ROWS, TRAIN_SEED, TEST_SEED = 6_000, 2_000, 1, 2


def beats(rows: int, seed: int) -> tuple[IntArray, IntArray]:
    """Return beats, shape (rows, `WIDTH`), as codes of an ADC, and their classes.

    Parameters
    ----------
    rows : int
    seed : int
    """
    rng = np.random.default_rng(seed)
    y = rng.integers(0, len(CLASSES), rows)
    at = np.arange(WIDTH) - CENTRE - rng.normal(0.0, 1.0, (rows, 1))
    x = 96.0 + rng.normal(0.0, 3.0, (rows, WIDTH))
    phase, pace = rng.uniform(0, 2 * np.pi, (rows, 1)), rng.uniform(0.02, 0.1, (rows, 1))
    x += rng.uniform(0, 12, (rows, 1)) * np.sin(at * pace + phase)
    gain = rng.normal(1.0, 0.15, (rows, 1))
    for number, name in enumerate(CLASSES):
        mine = y == number
        for wave in WAVES[name]:
            x[mine] += gain[mine] * _bump(rng, at[mine], *wave)
    # The end of the beat before: near where this one is early.
    last = np.where(y == CLASSES.index("early"), -22.0, -34.0)[:, None]
    x += gain * 26 * _gauss(at, last + rng.normal(0.0, 2.5, (rows, 1)), 4.5)
    return np.clip(np.rint(x), 0, (1 << BITS) - 1).astype(np.int64), y


def _bump(
    rng: np.random.Generator, at: NDArray[np.float64], height: float, place: float, width: float
) -> NDArray[np.float64]:
    """Return a wave of about this height, place and width in each row."""
    rows = (len(at), 1)
    tall = height * rng.normal(1.0, 0.15, rows)
    return tall * _gauss(
        at, place + rng.normal(0.0, 0.08 * abs(place) + 0.1, rows),
        width * rng.normal(1.0, 0.1, rows).clip(0.6, 1.6),
    )  # fmt: skip


def _gauss(
    at: NDArray[np.float64], place: NDArray[np.float64], width: NDArray[np.float64] | float
) -> NDArray[np.float64]:
    return np.asarray(np.exp(-(((at - place) / width) ** 2) / 2), np.float64)


def load_beats(data_dir: Path | None) -> Raw:
    """Simulated ECG-like beats of 64 samples, four classes; made here, seeded."""
    x_train, y_train = beats(TRAIN_ROWS, TRAIN_SEED)
    x_test, y_test = beats(TEST_ROWS, TEST_SEED)
    return Raw(
        x_train,
        y_train,
        x_test,
        y_test,
        tuple(f"s{i}" for i in range(WIDTH)),
        CLASSES,
        "simulated ECG-like beats (nnlogic.data.beats), a toy without any recording in it; seeds "
        f"{TRAIN_SEED} and {TEST_SEED}",
        stratified=True,
    )
