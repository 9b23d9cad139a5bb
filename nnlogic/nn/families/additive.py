"""Sums of several sub-neurons (PolyLUT-Add)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nnlogic.model.layer import LayerSpec
from nnlogic.nn.codes import Codes
from nnlogic.nn.connect import fan_in_of
from nnlogic.nn.families.poly import Monomials
from nnlogic.nn.family import require_range
from nnlogic.nn.summed import Summed


class Additive(Summed):
    """`parts` polynomial sub-neurons of `fan_in` wires each, quantized and added exactly.

    After PolyLUT-Add (Lou et al. 2024): a neuron reads ``parts * fan_in`` wires, but its tables
    stay those of `fan_in`.

    Parameters
    ----------
    x : Codes
    spec : LayerSpec
        `fan_in` is that of each sub-neuron.
    generator : torch.Generator
    parts : int
        Sub-neurons of a neuron.
    degree : int
        Of their polynomials.
    part_bits : int
        Bits of the integers added.
    """

    kind = "additive"

    def __init__(
        self,
        x: Codes,
        spec: LayerSpec,
        generator: torch.Generator,
        *,
        parts: int = 2,
        degree: int = 1,
        part_bits: int = 3,
    ) -> None:
        require_range(
            spec, parts=(parts, 1, 256), degree=(degree, 1, 16), part_bits=(part_bits, 1, 16)
        )
        fan_in = fan_in_of(spec.connect, len(x.bits), spec.fan_in)
        super().__init__(
            x, spec, generator, parts=parts, fan_in=fan_in, part_bits=part_bits, distinct=False
        )
        self.monomials = Monomials(fan_in, degree)
        shape = (spec.width * parts, len(self.monomials.factors))
        self.weight = nn.Parameter(torch.randn(shape, generator=generator) / shape[1] ** 0.5)
        self.offset = nn.Parameter(torch.zeros(shape[0]))

    def partials(self, x: Tensor) -> Tensor:
        """Return one float per table, (samples, tables), of what it reads (..., tables, fan_in)."""
        return (self.monomials(x) * self.weight).sum(-1) + self.offset


FAMILY = Additive
