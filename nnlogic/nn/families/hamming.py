"""A classifier of hypervectors: the class whose binary vector is nearest in Hamming distance."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Self

import numpy as np
import torch
from torch import Tensor, nn

from nnlogic.core.archive import frozen
from nnlogic.core.formats import IntFormat
from nnlogic.model.layer import LayerSpec
from nnlogic.nn.codes import Codes
from nnlogic.nn.family import Family, refuse
from nnlogic.nn.gates import Price
from nnlogic.nn.quantizers import forward_as
from nnlogic.quant.fold import HALF, Levels
from nnlogic.quant.ir import Layer, Linear


class Hamming(Family):
    """Each output counts the one-bit wires that are as in its own binary vector.

    That is the length less the Hamming distance, so an argmax chooses the nearest class vector: a
    popcount of XNORs with constants, and an argmin (hyperdimensional computing; trained with the
    network before it as in SynergicLearning, Nazemi et al. 2020). Vectors are signs of float
    parameters, straight through within +-1. A layer before it with ``weights = "binary()"`` and
    ``activation = "sign"`` binds its inputs with random vectors (XNOR) and bundles them (majority).

    Parameters
    ----------
    x : Codes
        Of one bit, values -1 and +1: a sign.
    spec : LayerSpec
    generator : torch.Generator
        Of the first vectors.
    """

    kind = "hamming"
    shrinks = False

    def __init__(self, x: Codes, spec: LayerSpec, generator: torch.Generator) -> None:
        super().__init__(x, spec)
        if set(x.bits) != {1} or not torch.equal(x.values.abs(), torch.ones_like(x.values)):
            why = f"it compares signs, and reads {self.inputs} wires of {max(x.bits)} bits"
            raise refuse(spec, why, 'activation = "sign" in the layer before')
        first = torch.rand(spec.width, self.inputs, generator=generator) - 0.5
        self.vectors = nn.Parameter(first)
        self.log_scale = nn.Parameter(torch.tensor([math.log(2.5 / self.inputs**0.5)]))

    def signs(self) -> Tensor:
        """Return the class vectors, -1 and +1, shape (width, inputs)."""
        soft = self.vectors.clamp(-1, 1)
        return forward_as(soft, 2.0 * (self.vectors >= 0) - 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return scaled agreements, centred on zero, of values +-1."""
        return self.log_scale.exp() * (x @ self.signs().t())

    def output(self, x: Codes) -> Codes:
        """Return what the layer gives."""
        bits = IntFormat.holding(0, self.inputs).bits
        scale = 2 * Fraction(float(self.log_scale.exp().detach()))
        levels = Levels(scale, -HALF * self.inputs, 1 << bits)
        return Codes.uniform((bits,) * self.spec.width, levels)

    def quantized(self, name: str, sources: tuple[str, ...], x: Codes) -> list[Layer]:
        """Return one Linear layer of plain sums: equal bits."""
        weights = self.signs().detach().cpu().numpy().astype(np.int64)
        zeros = (weights < 0).sum(1)
        formats = self.output(x).formats
        return [
            Linear(
                name, sources, frozen(weights, np.int64), frozen(zeros, np.int64), None, formats,
                "output",
            )
        ]  # fmt: skip

    @torch.no_grad()
    def evaluate(self, codes: Tensor, x: Codes) -> Tensor:
        """Return exact numbers of equal bits, int64 (samples, width), of bits (samples, inputs)."""
        wanted = (self.signs() > 0).to(codes.device)
        return torch.stack([(codes.bool() == row).sum(1) for row in wanted], 1)

    def fan_in_bits(self, x: Codes) -> int:
        """Return zero: there are no tables."""
        return 0

    def cost(self, x: Codes, live: Tensor, price: Price) -> tuple[Tensor, Tensor]:
        """Return the LUT6 of the counters, and how far the wires are read."""
        entering, total = live.new_tensor([self.inputs, self.output(x).bits[0]]).unbind()
        return (price.adder(entering, total, 0) * live).sum(), live.amax().repeat(self.inputs)

    def share_scale(self, other: Self) -> None:
        """Give the outputs the same scale as `other`, learned together."""
        self.log_scale = other.log_scale


FAMILY = Hamming
