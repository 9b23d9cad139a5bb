"""The thermometers of BTHOWeN, from the rows a model was trained on."""

from __future__ import annotations

import warnings
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.errors import UsageError
from nnlogic.core.limits import UNPACKED
from nnlogic.frontend.monotone import first_where
from nnlogic.frontend.torch_file import UNREADABLE

NAMES = ("X_train", "X")
"""Of the array of features in an .npz file."""
FIX = "--read train=FILE with its training rows, numbers only, a column per feature and no classes"


@dataclass(frozen=True)
class Gaussian:
    """Means and deviations of features, in float64.

    Attributes
    ----------
    mean, std : float64 arrays, shape (features,)
    """

    mean: NDArray[np.float64]
    std: NDArray[np.float64]

    def edges(self, levels: int) -> NDArray[np.float32]:
        """Return the smallest float32 values at or above thresholds, shape (features, levels).

        Thresholds cut a normal distribution into equal parts; a bit is 1 from its threshold on.
        """
        from scipy.special import ndtri

        found = np.empty((len(self.mean), levels), np.float32)
        for k in range(levels):
            threshold = self.mean + ndtri((k + 1) / (levels + 1)) * self.std
            found[:, k] = first_where(
                lambda x, t=threshold: x.astype(np.float64) >= t,  # type: ignore[misc]
                len(threshold),
            )
        return found


def read_training(path: Path, features: int) -> Gaussian:
    """Return means and deviations of the rows in a file.

    Parameters
    ----------
    path : Path
        ``.npy``, ``.npz`` with an array called X_train or X, or a table of numbers with commas,
        with or without names above.
    features : int

    Raises
    ------
    UsageError
        It cannot be read, or does not hold rows of so many numbers.
    """
    try:
        with warnings.catch_warnings():
            # NumPy only warns where a file holds no rows.
            warnings.simplefilter("error", UserWarning)
            rows = _rows(path)
    except (*UNREADABLE, UserWarning, MemoryError, IndexError) as error:
        raise UsageError(
            "cannot read the training rows", where=str(path), why=str(error)[:200], fix=FIX
        ) from error
    if rows.ndim != 2 or rows.shape[1] != features or not len(rows):
        why = f"an array of shape {rows.shape}, and the network has {features} features"
        raise UsageError("not the training rows", where=str(path), why=why, fix=FIX)
    if not np.isfinite(rows).all():
        count = int((~np.isfinite(rows)).any(axis=1).sum())
        raise UsageError(
            "training rows with missing values", where=str(path), why=f"{count} rows", fix=FIX
        )
    return Gaussian(rows.mean(axis=0), rows.std(axis=0))


def _rows(path: Path) -> NDArray[np.float64]:
    if why := UNPACKED.why(_size(path)):
        raise ValueError(why)
    if path.suffix == ".npy":
        found = np.load(path, allow_pickle=False)
    elif path.suffix == ".npz":
        with np.load(path, allow_pickle=False) as file:
            name = next((name for name in NAMES if name in file.files), file.files[0])
            found = file[name]
    else:
        with path.open(encoding="utf-8-sig") as text:
            first = text.readline().split(",")
        skip = 0 if all(map(_is_number, first)) else 1
        found = np.loadtxt(path, delimiter=",", skiprows=skip, ndmin=2, encoding="utf-8-sig")
    if found.dtype.kind not in "biuf":
        raise ValueError(f"an array of {found.dtype}")
    return np.asarray(found, np.float64)


def _size(path: Path) -> int:
    if path.suffix != ".npz":
        return path.stat().st_size
    with zipfile.ZipFile(path) as archive:
        return sum(member.file_size for member in archive.infolist())


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
