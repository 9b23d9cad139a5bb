"""Activation quantizers with straight-through gradients, and the input quantizer."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from nnlogic.core.errors import UsageError
from nnlogic.frontend.architecture import LayerSpec
from nnlogic.frontend.assemble import activation_levels
from nnlogic.quant.fold import Levels

SMALLEST_SCALE = 2.0**-12


def round_half_up(x: Tensor) -> Tensor:
    """Round to the nearest integer, halves up; the gradient passes straight through."""
    return x + (torch.floor(x + 0.5) - x).detach()


class Activation(nn.Module):
    """Uniform quantizer ``value = scale * (code + zero)`` with a learned scale.

    Outside the levels the value saturates, and its gradient goes to the scale alone; inside it
    passes straight through (learned step size, Esser et al. 2020).

    Parameters
    ----------
    bits : int
        Bits of the code.
    init_scale : float
        First value of the scale.
    """

    kind = ""

    def __init__(self, bits: int, init_scale: float) -> None:
        super().__init__()
        self.bits = bits
        self.zero = float(self.levels_for(1.0).zero)
        self.raw_scale = nn.Parameter(torch.tensor([float(init_scale)]))
        self.quantized = True

    def levels_for(self, scale: float) -> Levels:
        """Return the levels for a given scale."""
        return activation_levels(self.kind, self.bits, scale)

    @property
    def scale(self) -> Tensor:
        """The scale in use, positive."""
        return self.raw_scale.clamp_min(SMALLEST_SCALE)

    def levels(self) -> Levels:
        """Return the exact levels."""
        return self.levels_for(float(self.scale.detach()))

    def forward(self, x: Tensor) -> Tensor:
        """Quantize values; a clipped identity when `quantized` is off."""
        scale = self.scale
        code = torch.clamp(x / scale - self.zero, 0, (1 << self.bits) - 1)
        if self.quantized:
            code = round_half_up(code)
        return scale * (code + self.zero)


class Sign(Activation):
    """One bit, values -1 and +1; the gradient passes where the input lies within them."""

    kind = "sign"

    def __init__(self) -> None:
        super().__init__(1, 2.0)
        # A batch-norm or the next layer's scale absorbs any gain, so there is nothing to learn.
        self.raw_scale.requires_grad_(False)


class PACT(Activation):
    """Unsigned levels from 0 to a learned clip (Choi et al. 2018)."""

    kind = "pact"

    def __init__(self, bits: int, clip: float = 2.0) -> None:
        super().__init__(bits, clip / ((1 << bits) - 1))


class SignedUniform(Activation):
    """Levels symmetric around zero, with a learned scale and no zero level."""

    kind = "signed_uniform"

    def __init__(self, bits: int, clip: float = 2.0) -> None:
        super().__init__(bits, 2 * clip / ((1 << bits) - 1))


def make_activation(spec: LayerSpec) -> Activation:
    """Return the activation a layer asks for."""
    if spec.activation == "sign":
        return Sign()
    return {"pact": PACT, "signed_uniform": SignedUniform}[spec.activation](spec.bits)


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
        ``1 - tail``.
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
        if method == "quantile":
            t = np.quantile(column, np.arange(1, count) / count)
        else:
            low, high = np.quantile(column, [tail, 1 - tail])
            t = low + (high - low) * np.arange(1, count) / count
        out.append(np.sort(t.astype(np.float32)))
    return tuple(out)


class InputQuantizer(nn.Module):
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
