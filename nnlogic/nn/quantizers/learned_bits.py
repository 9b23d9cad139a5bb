"""A learned number of bits for every neuron."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from nnlogic.nn.quantizers.straight import choose_level, forward_as
from nnlogic.nn.quantizers.uniform import SignedUniform

FREEZE_AT = 0.75


class LearnedBits(SignedUniform):
    """Signed uniform levels over one learned range, each neuron with as many as it needs.

    A code of fewer bits is the top bits of the code of the most bits, and stands for the middle
    of its interval. Numbers of bits are float parameters, rounded half up when used. Their
    gradient is that of the rounding error, which halves with every bit (high-granularity
    quantization, Sun et al. 2024, section III); it only ever asks for more bits, or noise: the
    LUT cost of a recipe asks for fewer.

    Parameters
    ----------
    bits : int
        The most bits of a code, and the first number of all neurons; 1 is the least.
    clip : float
        First end of the range.
    width : int
        Neurons; the last axis of what is quantized.
    """

    kind = "learned_bits"

    def __init__(self, bits: int, clip: float = 2.0, *, width: int) -> None:
        super().__init__(bits, clip * (1 - 2.0**-bits))
        self.raw_bits = nn.Parameter(torch.full((width,), float(bits)))

    def sizes(self) -> Tensor:
        """Return the bits of each neuron's code, whole floats, (width,), straight through."""
        whole = torch.floor(self.raw_bits.detach() + 0.5).clamp(1, self.bits)
        return forward_as(self.raw_bits, whole)

    def _dropped(self) -> Tensor:
        return self.bits - self.sizes().detach().to(torch.int64)

    def codes(self, x: Tensor) -> Tensor:
        """Return int64 codes of `x`, shape (..., width), exactly."""
        return super().codes(x) >> self._dropped()

    def neuron_values(self) -> Tensor:
        """Return the value of each code of each neuron, (width, 2**bits), 0 where there is none."""
        code = torch.arange(1 << self.bits, device=self.raw_bits.device)
        dropped = self._dropped()[:, None]
        values = self._halves()[((2 * code + 1) << dropped).clamp(max=2 << self.bits)]
        return torch.where(code < (1 << (self.bits - dropped)), values, torch.zeros_like(values))

    def neuron_bounds(self) -> Tensor:
        """Return the lower bounds of each neuron's codes 1, 2, ...; infinite for none."""
        number = torch.arange(1, 1 << self.bits, device=self.raw_bits.device)
        unused = number % (1 << self._dropped())[:, None] != 0
        return self.thresholds().expand(len(unused), -1).masked_fill(unused, torch.inf)

    def _halves(self) -> Tensor:
        # All values are multiples of half the scale.
        steps = torch.arange(-(1 << self.bits), (1 << self.bits) + 1, device=self.raw_bits.device)
        return self.scale.detach() / 2 * steps.to(self.raw_bits.dtype)

    def forward(self, x: Tensor) -> Tensor:
        """Quantize values (samples, width); a clipped identity when `quantized` is off."""
        if not self.quantized:
            return self.clipped(x)
        with torch.no_grad():
            if self.training:
                self.raw_bits.clamp_(0.5, self.bits + 0.49)
            middle = (2 * self.codes(x) + 1) << self._dropped()
        out = choose_level(x, self.scale, self._halves(), middle)
        sizes = self.sizes()
        error = (self.clipped(x) - out).detach()
        return out + math.log(2) * error * (sizes - sizes.detach())

    def anneal(self, progress: float) -> None:
        """Stop learning numbers of bits late in training, `progress` from 0 to 1."""
        self.raw_bits.requires_grad_(progress < FREEZE_AT)
