"""Raw features to input codes."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from nnlogic.core.errors import UsageError


def fit_thresholds(
    rows: NDArray, bits: tuple[int, ...], method: str = "quantile", tail: float = 0.005
) -> tuple[NDArray[np.float32], ...]:
    """Fit the thresholds of the input codes to training rows.

    Parameters
    ----------
    rows : array, shape (samples, features)
        Raw training features.
    bits : tuple of int
        Bits of each feature's code.
    method : {"quantile", "uniform"}
        Equally many training rows per code, or equal steps between the quantiles `tail` and
        ``1 - tail``. The code of a feature of zeros and ones is its value, either way.
    tail : float
        Share of rows clipped on each side by ``"uniform"``.

    Returns
    -------
    tuple of float32 arrays, nondecreasing, ``2**bits - 1`` each
    """
    if method not in ("quantile", "uniform"):
        raise UsageError(
            "unknown way to fit input thresholds",
            why=repr(method),
            fix="use 'quantile' or 'uniform'",
        )
    out = []
    for column, width in zip(np.asarray(rows, dtype=np.float64).T, bits, strict=True):
        count = 1 << width
        if np.array_equal(np.unique(column), (0.0, 1.0)):
            t = np.arange(1, count) - 0.5
        elif method == "quantile":
            t = np.quantile(column, np.arange(1, count) / count)
        else:
            low, high = np.quantile(column, [tail, 1 - tail])
            t = low + (high - low) * np.arange(1, count) / count
        out.append(np.sort(t.astype(np.float32)))
    return tuple(out)


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
