"""Linear neurons with few connections and integer weights."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nnlogic.nn.connect import balanced_wires, kept, mask_of, strongest
from nnlogic.nn.quantizers import FormattedWeights, round_half_up


class SparseLinear(nn.Module):
    """Weighted sums of at most `fan_in` inputs per neuron, weights quantized per row.

    Parameters
    ----------
    inputs, outputs : int
    fan_in : int
        Connections a neuron ends up with; 0 for all.
    weight_bits : int
        Bits of the symmetric signed integer weights.
    groups : int
        Runs of consecutive inputs, equally long; a neuron ends up with equally many connections in
        each.
    numbers : FormattedWeights, optional
        Weights in a number format, in place of `weight_bits`.
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
        groups: int = 1,
        numbers: FormattedWeights | None = None,
        random_mask: bool = False,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.fan_in = min(fan_in or inputs, inputs)
        self.weight_bits, self.groups = weight_bits, groups
        self.numbers = numbers
        self.quantized = True
        mask = torch.ones(outputs, inputs)
        if random_mask and self.fan_in < inputs:
            mask = mask_of(balanced_wires(inputs, outputs, self.fan_in, generator), inputs)
        self.register_buffer("mask", mask)
        spread = mask.sum(1, keepdim=True).rsqrt()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, generator=generator) * spread)

    def effective_weight(self) -> Tensor:
        """Return the weights in use: masked, quantized when `quantized` is on."""
        weight = self.weight * self.mask
        if not self.quantized:
            return weight
        if self.numbers is not None:
            formatted: Tensor = self.numbers(self.weight, self.mask)
            return formatted
        top = (1 << (self.weight_bits - 1)) - 1
        scale = weight.detach().abs().amax(1, keepdim=True).clamp_min(1e-12) / top
        return round_half_up(weight / scale) * scale

    def forward(self, x: Tensor) -> Tensor:
        """Return the sums, shape (samples, outputs)."""
        return x @ self.effective_weight().t()

    @torch.no_grad()
    def prune(self, progress: float) -> None:
        """Keep the largest magnitudes of each row and group, fewer as `progress` goes from 0 to 1.

        `nnlogic.nn.connect.kept` says how many. A connection once cut stays cut.
        """
        width = self.weight.shape[1] // self.groups
        count = kept(progress, width, self.fan_in // self.groups)
        best = strongest(self.weight.view(-1, width), self.mask.view(-1, width), count)
        self.mask.copy_(best.view_as(self.mask))
