"""Raw features to input codes."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from nnlogic.core.errors import UsageError

INPUT_METHODS = ("quantile", "uniform", "fixed")
STEPS_TRIED = 16
"""Powers of two tried for the step of a fixed-point code, from the one that saturates nothing."""


def fit_thresholds(
    rows: NDArray,
    bits: tuple[int, ...],
    method: str = "quantile",
    tail: float = 0.005,
    labels: NDArray | None = None,
) -> tuple[NDArray[np.float32], ...]:
    """Fit the thresholds of the input codes to training rows.

    Parameters
    ----------
    rows : array, shape (samples, features)
        Raw training features.
    bits : tuple of int
        Bits of each feature's code.
    method : {"quantile", "uniform", "fixed"}
        Equally many training rows per code; equal steps between the quantiles `tail` and
        ``1 - tail``; or fixed point, see `fixed_point`. The code of a feature of zeros and ones
        is its value, in each case.
    tail : float
        Share of rows clipped on each side by ``"uniform"``.
    labels : int array, shape (samples,), optional
        Class of each row, for ``"fixed"``.

    Returns
    -------
    tuple of float32 arrays, nondecreasing, ``2**bits - 1`` each
    """
    if method not in INPUT_METHODS:
        raise UsageError(
            "unknown way to fit input thresholds",
            why=repr(method),
            fix=f"use one of {', '.join(INPUT_METHODS)}",
        )
    out = []
    for column, width in zip(np.asarray(rows, dtype=np.float64).T, bits, strict=True):
        count = 1 << width
        if np.array_equal(np.unique(column), (0.0, 1.0)):
            t = np.arange(1, count) - 0.5
        elif method == "fixed":
            t = fixed_point(column, width, labels)
        elif method == "quantile":
            t = np.quantile(column, np.arange(1, count) / count)
        else:
            low, high = np.quantile(column, [tail, 1 - tail])
            t = low + (high - low) * np.arange(1, count) / count
        out.append(np.sort(t.astype(np.float32)))
    return tuple(out)


def fixed_point(
    column: NDArray[np.float64], bits: int, labels: NDArray | None = None
) -> NDArray[np.float64]:
    """Return the thresholds of a fixed-point number as an upstream block delivers it.

    The code is ``floor(x / 2**s)``, saturated to `bits` bits; of a feature with negative values,
    two's complement plus half of the range. Such a code is wires of the number itself: it costs
    no logic. The step is the one whose code tells most of the class (mutual information), or
    without labels has most entropy.

    Parameters
    ----------
    column : float64 array, shape (samples,)
    bits : int
    labels : int array, shape (samples,), optional

    Returns
    -------
    float64 array, shape (2**bits - 1,)
    """
    half = 1 << bits - 1 if column.min() < 0 else 0
    y = np.zeros(len(column), np.int64) if labels is None else np.asarray(labels, np.int64)
    classes = int(y.max()) + 1
    span = float(np.abs(column).max()) or 1.0
    top = int(np.ceil(np.log2(span))) - bits + 2
    best, chosen = -np.inf, 1.0
    for exponent in range(top, top - STEPS_TRIED, -1):
        step = 2.0**exponent
        codes = np.clip(np.floor(column / step) + half, 0, (1 << bits) - 1).astype(np.int64)
        told = _entropy(codes)
        if labels is not None:
            told -= _entropy(codes * classes + y)
        if told > best:
            best, chosen = told, step
    return np.arange(1 - half, (1 << bits) - half, dtype=np.float64) * chosen


def _entropy(codes: NDArray[np.int64]) -> float:
    share = np.bincount(codes) / len(codes)
    share = share[share > 0]
    return float(-(share * np.log2(share)).sum())


class FeatureQuantizer(nn.Module):
    """Raw float32 features to unsigned codes: the number of thresholds ``<= x``.

    Parameters
    ----------
    bits : tuple of int
        Bits of each feature's code.
    """

    thresholds: Tensor

    def __init__(self, bits: tuple[int, ...]) -> None:
        super().__init__()
        self.bits = bits
        most = (1 << max(bits)) - 1
        self.register_buffer("thresholds", torch.full((len(bits), most), torch.inf))

    def set_thresholds(self, thresholds: tuple[NDArray[np.float32], ...]) -> None:
        """Take over thresholds, one array of ``2**bits - 1`` per feature."""
        padded = torch.full(self.thresholds.shape, torch.inf)
        for i, t in enumerate(thresholds):
            padded[i, : len(t)] = torch.from_numpy(np.array(t, dtype=np.float32))
        self.thresholds.copy_(padded)

    def get_thresholds(self) -> tuple[NDArray[np.float32], ...]:
        """Inverse of `set_thresholds`."""
        padded = self.thresholds.cpu().numpy()
        return tuple(row[: (1 << b) - 1].copy() for row, b in zip(padded, self.bits, strict=True))

    def forward(self, rows: Tensor) -> Tensor:
        """Return int64 codes of float32 rows, shape (samples, features)."""
        columns = rows.to(torch.float32).t().contiguous()
        return torch.searchsorted(self.thresholds, columns, right=True).t()
