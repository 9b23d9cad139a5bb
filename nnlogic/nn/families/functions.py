"""Arbitrary learned functions of one feature."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nnlogic.model.layer import LayerSpec
from nnlogic.nn.codes import Codes
from nnlogic.nn.encoders import OneFeature, spread_over
from nnlogic.nn.quantizers import forward_as


class Functions(OneFeature):
    """One bit per wire, any function of its feature's code: one learned logit for each code.

    The bit is set where the logit is 0 or more; the gradient is that of ``tanh(logit / 2)``. Each
    starts as a random threshold of random direction. A 6-bit feature has 64 logits, one LUT6.

    Parameters
    ----------
    x : Codes
    spec : LayerSpec
        With ``bits = 1``.
    generator : torch.Generator
        Of the first functions.
    counts : tuple of int
        Functions per feature, summing to the width; empty for an even spread.
    """

    kind = "functions"

    def __init__(
        self,
        x: Codes,
        spec: LayerSpec,
        generator: torch.Generator,
        *,
        counts: tuple[int, ...] = (),
    ) -> None:
        super().__init__(x, spec, spread_over(spec, tuple(counts), len(x.bits)))
        codes = torch.arange(1 << max(x.bits))
        size = 2.0 ** torch.tensor(x.bits)[self.feature, None]
        draw = torch.rand((2, spec.width, 1), generator=generator)
        sign = torch.where(draw[0] < 0.5, -1.0, 1.0)
        slope = (codes + 0.5 - size * (0.1 + 0.8 * draw[1])) / size
        noise = torch.randn(slope.shape, generator=generator)
        self.logits = nn.Parameter(sign * 2 * slope + 0.1 * noise)

    def functions(self) -> Tensor:
        """Return the output bit of each wire by input code, int64 (width, 2**most bits)."""
        return (self.logits.detach() >= 0).long()

    def forward(self, x: Tensor) -> Tensor:
        """Return values -1 and +1 (samples, width) of input values (samples, features)."""
        starts = torch.arange(self.spec.width, device=x.device) * self.logits.shape[1]
        picked = self.logits.reshape(-1)[self.positions(x).long() + starts]
        return forward_as(torch.tanh(picked / 2), 2.0 * (picked.detach() >= 0) - 1)


FAMILY = Functions
