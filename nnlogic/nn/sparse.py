"""Linear neurons with few connections and integer weights."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nnlogic.nn.quantizers import round_half_up


class SparseLinear(nn.Module):
    """Weighted sums of at most `fan_in` inputs per neuron, weights quantized per row.

    Parameters
    ----------
    inputs, outputs : int
    fan_in : int
        Connections a neuron ends up with; 0 for all.
    weight_bits : int
        Bits of the symmetric signed integer weights.
    random_mask : bool
        Choose the connections now, at random; otherwise all are there until `prune`.
    generator : torch.Generator, optional
        Source of the mask and the initial weights.
    """

    mask: Tensor

    def __init__(
        self,
        inputs: int,
        outputs: int,
        fan_in: int = 0,
        weight_bits: int = 8,
        *,
        random_mask: bool = False,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.fan_in = min(fan_in or inputs, inputs)
        self.weight_bits = weight_bits
        self.quantized = True
        mask = torch.ones(outputs, inputs)
        if random_mask and self.fan_in < inputs:
            mask = _balanced_mask(inputs, outputs, self.fan_in, generator)
        self.register_buffer("mask", mask)
        spread = mask.sum(1, keepdim=True).rsqrt()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, generator=generator) * spread)

    def effective_weight(self) -> Tensor:
        """Return the weights in use: masked, quantized when `quantized` is on."""
        weight = self.weight * self.mask
        if not self.quantized:
            return weight
        top = (1 << (self.weight_bits - 1)) - 1
        scale = weight.detach().abs().amax(1, keepdim=True).clamp_min(1e-12) / top
        return round_half_up(weight / scale) * scale

    def forward(self, x: Tensor) -> Tensor:
        """Return the sums, shape (samples, outputs)."""
        return x @ self.effective_weight().t()

    @torch.no_grad()
    def prune(self, progress: float) -> None:
        """Keep the largest magnitudes of each row, fewer as `progress` goes from 0 to 1.

        The number kept is ``F_f + (F_0 - F_f) * (1 - t)**3`` (Zhu and Gupta 2017, per row). A
        connection once cut stays cut.
        """
        inputs = self.weight.shape[1]
        remaining = (1 - min(max(progress, 0.0), 1.0)) ** 3
        keep = round(self.fan_in + (inputs - self.fan_in) * remaining)
        magnitude = (self.weight.abs() + 1e-12) * self.mask
        best = magnitude.topk(min(keep, inputs), dim=1).indices
        self.mask.mul_(torch.zeros_like(self.mask).scatter_(1, best, 1.0))


def _balanced_mask(
    inputs: int, outputs: int, fan_in: int, generator: torch.Generator | None
) -> Tensor:
    # Inputs used least so far come first, ties broken at random, so that all inputs are used.
    mask = torch.zeros(outputs, inputs)
    used = torch.zeros(inputs)
    for row in mask:
        order = torch.argsort(used + 0.5 * torch.rand(inputs, generator=generator))
        row[order[:fan_in]] = 1.0
        used[order[:fan_in]] += 1
    return mask
