"""Learned codebooks."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nnlogic.nn.quantizers.base import Activation
from nnlogic.nn.quantizers.straight import scaled

LARGEST = 2.0**7


class Codebook(Activation):
    """The nearest of ``2**bits`` learned values; half way between two, the upper one.

    Codes count the values in increasing order (CodeX, Samragh et al. 2019, learn such values by
    fine-tuning). The largest magnitude is the scale; values are learned in proportion to it, and
    used as multiples of ``2**-16`` within +-128, so that midpoints are exact.

    Parameters
    ----------
    bits : int
    clip : float
        The first values spread evenly over -clip to clip.
    """

    kind = "codebook"

    def __init__(self, bits: int, clip: float = 2.0) -> None:
        super().__init__(bits, clip)
        self.raw_values = nn.Parameter(torch.linspace(-1.0, 1.0, 1 << bits))

    def values(self) -> Tensor:
        """Return the value of each code, nondecreasing."""
        return scaled(self.scale, self.raw_values, LARGEST).sort().values

    def thresholds(self) -> Tensor:
        """Return the midpoints of neighbouring values."""
        values = self.values().detach().to(torch.float64)
        return (values[1:] + values[:-1]) / 2
