"""A made-up detector sensor: charges that showers leave in 48 cells, for autoencoders.

It stands for a front-end chip that sees the trigger cells of one module and may send only a few
bits of each event. Nothing is taken from a simulation of a real detector; the law is below, and the
rows are the same on every machine.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnlogic.data.dataset import Raw

ROWS, COLUMNS = 6, 8
TRAIN, TEST, SEED = 20_000, 5_000, 2019
MOST = 255
"""Largest charge: cells saturate there."""
SHOWERS = (0.25, 0.45, 0.2, 0.1)
"""Share of events with 0, 1, 2 and 3 showers; all have pile-up and noise."""


def events(count: int, seed: int) -> NDArray[np.uint8]:
    """Return charges of events.

    A shower has an energy from an exponential law (mean 350, above 50), a place anywhere on the
    sensor or half a cell beside it, and a round profile of a width between 0.35 and 1.1 cells, of
    which each cell gets the integral over its area with a spread of 5 percent. Pile-up adds to
    each cell from an exponential law (mean 2, in a third of the cells), noise is Gaussian (1.2).
    Charges are rounded, and held between 0 and 255.

    Parameters
    ----------
    count, seed : int

    Returns
    -------
    uint8 array, shape (count, 48)
        Cells in raster order, 6 rows of 8.
    """
    rng = np.random.default_rng(seed)
    total = np.zeros((count, ROWS, COLUMNS))
    showers = rng.choice(len(SHOWERS), count, p=SHOWERS)
    for number in range(1, len(SHOWERS)):
        here = np.flatnonzero(showers >= number)
        energy = 50 + rng.exponential(350, len(here))
        width = rng.uniform(0.35, 1.1, len(here))
        down = _shares(rng.uniform(-0.5, ROWS + 0.5, len(here)), width, ROWS)
        across = _shares(rng.uniform(-0.5, COLUMNS + 0.5, len(here)), width, COLUMNS)
        left = energy[:, None, None] * down[:, :, None] * across[:, None, :]
        total[here] += left * rng.normal(1, 0.05, left.shape)
    pile_up = rng.exponential(2.0, total.shape) * (rng.random(total.shape) < 1 / 3)
    total += pile_up + rng.normal(0, 1.2, total.shape)
    return np.clip(np.rint(total), 0, MOST).astype(np.uint8).reshape(count, -1)


def _shares(place: NDArray, width: NDArray, cells: int) -> NDArray[np.float64]:
    """Return which share of a logistic profile falls between the edges of each cell."""
    edges = (np.arange(cells + 1) - place[:, None]) / (0.55 * width[:, None])
    out: NDArray[np.float64] = np.diff(0.5 * (1 + np.tanh(edges / 2)), axis=1)
    return out


def load_sensor(data_dir: Path | None) -> Raw:
    """Return the sensor's events; charges are features and quantities alike."""
    train, test = events(TRAIN, SEED), events(TEST, SEED + 1)
    names = tuple(f"cell{i:02d}" for i in range(ROWS * COLUMNS))
    said = "made here: showers on a sensor of 6 x 8 cells, nnlogic.data.sensor, seed 2019"
    return Raw(train, train, test, test, names, (), said, targets=names)
