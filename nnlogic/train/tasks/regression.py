"""Quantities: outputs are numbers, with a step that is a power of two in the user's units."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from nnlogic.core.archive import digest
from nnlogic.quant.ir import QuantNet
from nnlogic.quant.quantity import Quantity, error_figures
from nnlogic.train.tasks.task import Task

LOSSES = ("squared", "absolute", "quantile")
TAIL = 0.001
"""Share of training rows on each side whose quantities may lie beyond the largest code."""


def grid(name: str, y: NDArray[np.float64], levels: int, first: int = 0) -> Quantity:
    """Return what codes from `first` on stand for, to reach over the quantities of rows.

    Parameters
    ----------
    name : str
    y : float64 array, shape (rows,)
    levels : int
        Codes, at least 2.
    first : int
        The lowest.
    """
    low, high = (float(v) for v in np.quantile(y, [TAIL, 1 - TAIL]))
    step = (high - low) / (levels - 1)
    exponent = math.ceil(math.log2(step)) if step > 0 else -10
    middle = math.ldexp((low + high) / 2, -exponent)
    return Quantity(name, exponent, round(middle - first - (levels - 1) / 2))


class Regression(Task):
    """Numbers, compared in units of their standard deviation over the training rows.

    Outputs are in steps of their codes, see `nnlogic.quant.quantity.Quantity`.

    Parameters
    ----------
    names : sequence of str
    y : float64 array, shape (rows, quantities)
        Of the training rows.
    levels : int
        Codes an output has, or is to have.
    loss : {"squared", "absolute", "quantile"}
    quantile : float
        For ``"quantile"`` (pinball loss): the share of rows that are to lie below the output.
    first : int
        The lowest code.
    """

    relative = False

    def __init__(
        self,
        names: Sequence[str],
        y: NDArray[np.float64],
        levels: int,
        *,
        loss: str = "squared",
        quantile: float = 0.5,
        first: int = 0,
    ) -> None:
        self.outputs, self.kind, self.quantile = len(names), loss, quantile
        grids = digest([loss, quantile, levels, first])[:12]
        self.teacher_name = f"quantities-{grids}-"
        columns = zip(names, y.T, strict=True)
        self.quantities = tuple(grid(name, column, levels, first) for name, column in columns)
        steps = np.array([q.step for q in self.quantities])
        offsets = np.array([q.offset for q in self.quantities])
        self.spread = torch.from_numpy(np.maximum(y.std(0) / steps, 1).astype(np.float32))
        self.middle = torch.from_numpy((y.mean(0) / steps - offsets).astype(np.float32))

    def wanted(self, y: NDArray) -> Tensor:
        """Return quantities in steps of the codes, float32, shape (rows, quantities)."""
        pairs = zip(y.T, self.quantities, strict=True)
        columns = [np.ldexp(column, -q.exponent) - q.offset for column, q in pairs]
        return torch.from_numpy(np.stack(columns, axis=1).astype(np.float32))

    def _each(self, found: Tensor, wanted: Tensor) -> Tensor:
        off = (wanted - found) / self.spread.to(found.device)
        if self.kind == "squared":
            return off.square()
        if self.kind == "absolute":
            return off.abs()
        return torch.maximum(self.quantile * off, (self.quantile - 1) * off)

    def loss(self, found: Tensor, wanted: Tensor) -> Tensor:
        """Return the mean loss."""
        return self._each(found, wanted).mean()

    def losses(self, found: Tensor, wanted: Tensor) -> Tensor:
        """Return the loss of each row, the mean over its quantities."""
        return self._each(found, wanted).mean(-1)

    def pulls(self, found: Tensor, taught: Tensor, temperature: float) -> Tensor:
        """Return the loss against what the teacher says."""
        return self.losses(found, taught.to(found.dtype))

    def merit(self, found: Tensor, wanted: Tensor) -> Tensor:
        """Return minus the loss of each row."""
        return -self._each(found.double(), wanted.double()).mean(-1)

    def taught(self, outputs: Tensor) -> Tensor:
        """Return outputs as they are."""
        return outputs

    def given(self, said: NDArray) -> Tensor:
        """Return quantities in steps of the codes."""
        return self.wanted(said)

    def joined(self, parts: Sequence[Tensor]) -> Tensor:
        """Return the mean."""
        return torch.stack(list(parts)).mean(0)

    def head(self) -> list[nn.Module]:
        """Return a scale and an offset: float nets give numbers around zero."""
        return [_Affine(self.spread, self.middle)]

    def measured(self, parts: dict[str, tuple[NDArray, NDArray]]) -> dict[str, Any]:
        """Return the errors of each quantity, see `error_figures`."""
        names = [q.name for q in self.quantities]
        return {
            "error": {
                part: {n: error_figures(found[:, i], y[:, i]) for i, n in enumerate(names)}
                for part, (found, y) in parts.items()
            }
        }

    def exact(self, net: QuantNet, x: NDArray) -> NDArray:
        """Return quantities, float64, (rows, quantities)."""
        return net.decode(net.evaluate(net.encode(x)))

    def said(self, outputs: Tensor) -> NDArray:
        """Return quantities, float64, (rows, quantities)."""
        pairs = zip(outputs.double().cpu().numpy().T, self.quantities, strict=True)
        return np.stack([np.ldexp(c + q.offset, q.exponent) for c, q in pairs], axis=1)

    def in_words(self, merit: float) -> str:
        """Return the loss in words; of squares its root."""
        if self.kind == "squared":
            return f"error {math.sqrt(max(0.0, -merit)):.4f} standard deviations"
        return f"loss {-merit:.4f} standard deviations"


class _Affine(nn.Module):
    scale: Tensor
    offset: Tensor

    def __init__(self, scale: Tensor, offset: Tensor) -> None:
        super().__init__()
        self.register_buffer("scale", scale.clone())
        self.register_buffer("offset", offset.clone())

    def forward(self, x: Tensor) -> Tensor:
        return x * self.scale + self.offset
