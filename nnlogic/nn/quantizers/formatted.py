"""The nearest number of a format, times a learned scale: activations and weights."""

from __future__ import annotations

from statistics import NormalDist

import torch
from torch import Tensor, nn

from nnlogic.nn.quantizers.base import Activation
from nnlogic.nn.quantizers.straight import forward_as
from nnlogic.quant.numbers import Numbers, numbers

GRADIENTS = ("straight", "gap")
ANCHORS = 8
CLIPPED = (2.0**0.5, 2.0, 2.0**1.5, 4.0)
"""How far beyond the largest number the largest weight of a row may lie."""


class Formatted(Activation):
    """The nearest number of a format times a learned scale; half way between two, the upper one.

    Codes count the numbers in increasing order: between layers a code is wires, and the layer that
    reads it knows its number, so decoding costs nothing. Where a format has fewer than ``2**bits``
    numbers, codes beyond them are never given, and stand for the largest.

    Parameters
    ----------
    name : str
        See `nnlogic.quant.numbers.numbers`.
    """

    kind = "formatted"
    shape: Tensor

    def __init__(self, name: str) -> None:
        self.numbers = numbers(name)
        shape = [float(v) for v in self.numbers.values]
        super().__init__(self.numbers.bits, _first_scale(shape))
        exact = torch.tensor(shape, dtype=torch.float64)
        self.register_buffer("shape", exact, persistent=False)

    def values(self) -> Tensor:
        """Return the value of each code, nondecreasing."""
        scale = self.scale.detach().to(torch.float64)
        known = (scale * self.shape.to(torch.float64)).to(self.raw_scale.dtype)
        return torch.cat([known, known[-1:].expand((1 << self.bits) - len(known))])

    def thresholds(self) -> Tensor:
        """Return the midpoints of neighbouring numbers, one less than there are numbers."""
        # A float32 times a midpoint of few bits is exact in float64.
        shape = self.shape.to(torch.float64)
        return self.scale.detach().to(torch.float64) * ((shape[1:] + shape[:-1]) / 2)

    def clipped(self, x: Tensor) -> Tensor:
        """Return `x` between the smallest and the largest value."""
        scale = self.scale
        low, high = float(self.shape[0]), float(self.shape[-1])
        return scale * torch.clamp(x / scale, low, high)


def _first_scale(shape: list[float]) -> float:
    # The power of the root of two that rounds a normal distribution best.
    normal = NormalDist()
    x = torch.tensor([normal.inv_cdf((i + 0.5) / 512) for i in range(512)], dtype=torch.float64)
    values = torch.tensor(shape, dtype=torch.float64)
    scales = 2.0 ** (torch.arange(-24, 9, dtype=torch.float64) / 2)
    apart = x[None] / scales[:, None]
    error = (values[nearest(apart, values)] - apart) * scales[:, None]
    return float(scales[error.square().mean(1).argmin()])


def nearest(x: Tensor, values: Tensor) -> Tensor:
    """Return the place of the nearest of increasing `values`; half way, the upper one."""
    return torch.bucketize(x.contiguous(), (values[1:] + values[:-1]) / 2, right=True)


class FormattedWeights(nn.Module):
    """Weights as numbers of a format, with a scale per row; straight through in training.

    The scale is the one of a few that rounds the row with least square error: the largest weight
    becomes one of up to `ANCHORS` numbers of the format, or is cut off by one of `CLIPPED`.

    Parameters
    ----------
    name : str
        See `nnlogic.quant.numbers.numbers`.
    gradient : str
        ``"straight"``; or ``"gap"``: in proportion to the distance of a weight's neighbouring
        numbers, so that where a format is coarse, weights move as many numbers as where it is fine.
    """

    shape: Tensor
    gaps: Tensor

    def __init__(self, name: str, gradient: str = "straight") -> None:
        super().__init__()
        self.numbers: Numbers = numbers(name)
        self.gradient = gradient
        whole = torch.tensor(self.numbers.integers.tolist(), dtype=torch.float64)
        self.register_buffer("shape", whole, persistent=False)
        gaps = whole.diff() if len(whole) > 1 else whole.new_ones(1)
        sides = torch.stack([torch.cat([gaps[:1], gaps]), torch.cat([gaps, gaps[-1:]])])
        self.register_buffer("gaps", sides.mean(0), persistent=False)

    @torch.no_grad()
    def choose(self, weight: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return places of numbers, int64 (rows, columns), and values of a unit, (rows, 1)."""
        wide, shape = weight.detach().to(torch.float64), self.shape.to(torch.float64)
        top = (wide * mask).abs().amax(1, keepdim=True).clamp_min(1e-30)
        positive = shape[shape > 0]
        step = max(1, -(-len(positive) // ANCHORS))
        anchors = [*positive.flip(0)[::step].tolist(), *(float(positive[-1]) * c for c in CLIPPED)]
        scale = top[None] / shape.new_tensor(anchors)[:, None, None]
        at = nearest(wide / scale, shape)
        error = ((shape[at] * scale - wide) * mask).square().sum(2)
        best = error.argmin(0)
        rows = torch.arange(len(weight), device=weight.device)
        return at[best, rows], scale[best, rows]

    def integers(self, weight: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return weights in units, int64, zero where `mask` is, and values of a unit (rows,)."""
        at, scale = self.choose(weight, mask)
        return (self.shape[at] * mask).to(torch.int64), scale[:, 0]

    def forward(self, weight: Tensor, mask: Tensor) -> Tensor:
        """Return the weights in use."""
        at, scale = self.choose(weight, mask)
        hard = self.shape.to(torch.float64)[at] * scale * mask
        soft = weight * mask
        if self.gradient == "gap":
            gaps = self.gaps[at] * mask
            mean = gaps.sum(1, keepdim=True) / mask.sum(1, keepdim=True).clamp_min(1)
            part = (gaps / mean.clamp_min(1e-12)).to(weight.dtype)
            soft = weight * part
        return forward_as(soft, hard.to(weight.dtype))
