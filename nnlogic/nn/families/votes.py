"""Counting votes: the output stage of LUT-native networks."""

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
from nnlogic.quant.fold import HALF, Levels
from nnlogic.quant.ir import Layer, Linear


class Votes(Family):
    """Each output counts the ones of its own group of one-bit wires.

    Parameters
    ----------
    x : Codes
        Of one bit; a multiple of `width` wires. Wire ``i`` votes for output ``i % width``.
    spec : LayerSpec
    generator : torch.Generator
    """

    kind = "votes"
    shrinks = False

    def __init__(self, x: Codes, spec: LayerSpec, generator: torch.Generator) -> None:
        super().__init__(x, spec)
        if set(x.bits) != {1} or self.inputs % spec.width:
            why = f"{self.inputs} wires of {max(x.bits)} bits for {spec.width} outputs"
            raise refuse(spec, why, "one-bit wires, a multiple of the outputs")
        self.count = self.inputs // spec.width
        self.log_scale = nn.Parameter(torch.tensor([math.log(2.5 / self.count**0.5)]))

    def _scale(self) -> Tensor:
        return self.log_scale.exp()

    def forward(self, x: Tensor) -> Tensor:
        """Return scaled counts, centred on zero, of values +-1."""
        return self._scale() * x.reshape(len(x), self.count, self.spec.width).sum(1)

    def output(self, x: Codes) -> Codes:
        """Return what the layer gives."""
        bits = IntFormat.holding(0, self.count).bits
        scale = 2 * Fraction(float(self._scale().detach()))
        return Codes.uniform(
            (bits,) * self.spec.width, Levels(scale, -HALF * self.count, 1 << bits)
        )

    def quantized(self, name: str, sources: tuple[str, ...], x: Codes) -> list[Layer]:
        """Return one Linear layer of plain sums."""
        weights = np.tile(np.eye(self.spec.width, dtype=np.int64), self.count)
        zero = frozen(np.zeros(self.spec.width), np.int64)
        formats = self.output(x).formats
        return [Linear(name, sources, frozen(weights, np.int64), zero, None, formats, "output")]

    @torch.no_grad()
    def evaluate(self, codes: Tensor, x: Codes) -> Tensor:
        """Return exact counts, int64 (samples, width), of bits (samples, inputs)."""
        return codes.reshape(len(codes), self.count, self.spec.width).sum(1)

    def fan_in_bits(self, x: Codes) -> int:
        """Return zero: there are no tables."""
        return 0

    def cost(self, x: Codes, live: Tensor, price: Price) -> tuple[Tensor, Tensor]:
        """Return the LUT6 of the counters, and how far the votes are read."""
        entering, total = live.new_tensor([self.count, self.output(x).bits[0]]).unbind()
        return (price.adder(entering, total, 0) * live).sum(), live.repeat(self.count)

    def share_scale(self, other: Self) -> None:
        """Give the outputs the same scale as `other`, learned together."""
        self.log_scale = other.log_scale


FAMILY = Votes
