"""Uniform levels: sign, PACT, signed uniform."""

from __future__ import annotations

import torch
from torch import Tensor

from nnlogic.model.assemble import activation_levels
from nnlogic.nn.quantizers.base import Activation
from nnlogic.quant.fold import Levels


class Uniform(Activation):
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

    def __init__(self, bits: int, init_scale: float) -> None:
        super().__init__(bits, init_scale)
        self.zero = float(self.levels_for(1.0).zero)

    def levels_for(self, scale: float) -> Levels:
        """Return the levels for a given scale."""
        return activation_levels(self.kind, self.bits, scale)

    def levels(self) -> Levels:
        """Return the exact levels."""
        return self.levels_for(float(self.scale.detach()))

    def _steps(self) -> Tensor:
        count = 1 << self.bits
        return torch.arange(count, dtype=torch.float64, device=self.raw_scale.device) + self.zero

    def values(self) -> Tensor:
        """Return the value of each code."""
        return self.scale.detach() * self._steps().to(torch.float32)

    def thresholds(self) -> Tensor:
        """Return the midpoints of neighbouring levels."""
        # A float32 times half an integer below 2**9 is exact in float64.
        return self.scale.detach().to(torch.float64) * (self._steps()[1:] - 0.5)

    def clipped(self, x: Tensor) -> Tensor:
        """Return `x` between the smallest and the largest value."""
        scale = self.scale
        return scale * (torch.clamp(x / scale - self.zero, 0, (1 << self.bits) - 1) + self.zero)


class Sign(Uniform):
    """One bit, values -1 and +1; the gradient passes where the input lies within them."""

    kind = "sign"

    def __init__(self) -> None:
        super().__init__(1, 2.0)
        # A batch-norm or the next layer's scale absorbs any gain, so there is nothing to learn.
        self.raw_scale.requires_grad_(False)


class PACT(Uniform):
    """Unsigned levels from 0 to a learned clip (Choi et al. 2018)."""

    kind = "pact"

    def __init__(self, bits: int, clip: float = 2.0) -> None:
        super().__init__(bits, clip / ((1 << bits) - 1))


class SignedUniform(Uniform):
    """Levels symmetric around zero, with a learned scale and no zero level."""

    kind = "signed_uniform"

    def __init__(self, bits: int, clip: float = 2.0) -> None:
        super().__init__(bits, 2 * clip / ((1 << bits) - 1))
