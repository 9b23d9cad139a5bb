"""Residual binarization."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nnlogic.core.errors import UsageError
from nnlogic.nn.quantizers.base import SMALLEST_SCALE, Activation
from nnlogic.nn.quantizers.straight import scaled

MOST_LEVELS = 3
LARGEST = 64.0


class ReBNet(Activation):
    """Sum of signs of residuals: ``x ~ g1 s1 + g2 s2 + ...`` with learned levels ``g``.

    ``s1`` is the sign of ``x``, ``s2`` that of ``x - g1 s1``, and so on (ReBNet, Ghasemzadeh et
    al. 2018, section III); the sign of 0 is +1. The first sign is the top bit of the code.
    The largest level is the scale; the others are learned in proportion to it. Levels are used as
    multiples of ``2**-16`` up to 64, so that residuals are exact.

    Parameters
    ----------
    bits : int
        Number of levels, 1 to 3.
    """

    kind = "rebnet"

    def __init__(self, bits: int) -> None:
        if not 1 <= bits <= MOST_LEVELS:
            raise UsageError("residual binarization", why=f"{bits} levels, allowed 1 to 3")
        super().__init__(bits, 1.0)
        self.raw_levels = nn.Parameter(0.5 ** torch.arange(bits, dtype=torch.float32))

    @property
    def gains(self) -> Tensor:
        """The levels in use, shape (bits,)."""
        return scaled(self.scale, self.raw_levels.clamp_min(SMALLEST_SCALE), LARGEST)

    def values(self) -> Tensor:
        """Return the value of each code."""
        code = torch.arange(1 << self.bits, device=self.raw_levels.device)
        shifts = torch.arange(self.bits - 1, -1, -1, device=code.device)
        signs = 2.0 * ((code[:, None] >> shifts) & 1) - 1
        return (signs * self.gains).sum(1)

    def thresholds(self) -> Tensor:
        """Return the points where a residual changes sign, within the interval it is for."""
        # Breadth first: the intervals after i signs, split at the residual's zero.
        gains = self.gains.detach().to(torch.float64)
        end = gains.new_full((1,), torch.inf)
        bounds, centres = torch.cat([-end, end]), gains.new_zeros(1)
        for gain in gains:
            cuts = torch.minimum(torch.maximum(centres, bounds[:-1]), bounds[1:])
            inner = torch.stack([cuts, bounds[1:]], 1).reshape(-1)
            bounds = torch.cat([bounds[:1], inner])
            centres = torch.stack([centres - gain, centres + gain], 1).reshape(-1)
        return bounds[1:-1]
