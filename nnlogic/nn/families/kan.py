"""Sums of learned functions of one wire (KANELE)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nnlogic.model.layer import LayerSpec
from nnlogic.nn.codes import Codes
from nnlogic.nn.connect import fan_in_of
from nnlogic.nn.family import require_range
from nnlogic.nn.summed import Summed


class Kan(Summed):
    """One learned function per edge, a line plus a piecewise linear spline, summed exactly.

    After KANELE (Hoang et al. 2026): each edge becomes a table of one input code, with integer
    values, and a neuron is an adder of them.

    Parameters
    ----------
    x : Codes
    spec : LayerSpec
    generator : torch.Generator
    knots : int
        Of each spline, evenly spaced over the values read; 2 or more.
    part_bits : int
        Bits of the integers added.
    """

    kind = "kan"

    def __init__(
        self,
        x: Codes,
        spec: LayerSpec,
        generator: torch.Generator,
        *,
        knots: int = 8,
        part_bits: int = 6,
    ) -> None:
        require_range(spec, knots=(knots, 2, 4096), part_bits=(part_bits, 1, 16))
        parts = fan_in_of(spec.connect, len(x.bits), spec.fan_in)
        super().__init__(
            x, spec, generator, parts=parts, fan_in=1, part_bits=part_bits, distinct=True
        )
        edges = spec.width * parts
        self.low, self.high = float(x.values.min()), float(x.values.max())
        self.knots = knots
        slope = torch.randn(edges, generator=generator) / parts**0.5
        self.slope = nn.Parameter(slope)
        self.knot_values = nn.Parameter(0.1 * torch.randn((edges, knots), generator=generator))

    def partials(self, x: Tensor) -> Tensor:
        """Return one float per table, (samples, tables), of what it reads (..., tables, 1)."""
        x = x[..., 0]
        at = (x - self.low) * ((self.knots - 1) / (self.high - self.low))
        at = at.clamp(0, self.knots - 1)
        left = at.detach().floor().clamp(max=self.knots - 2)
        index = left.to(torch.int64) + self.knots * torch.arange(x.shape[1], device=x.device)
        flat = self.knot_values.reshape(-1)
        start, end = flat[index], flat[index + 1]
        return self.slope * x + start + (at - left) * (end - start)


FAMILY = Kan
