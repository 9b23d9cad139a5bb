"""Linear sums with integer weights: the family that folds into integers exactly."""

from __future__ import annotations

from typing import Self

import numpy as np
import torch
from torch import Tensor

from nnlogic.core.archive import frozen
from nnlogic.core.errors import IRError
from nnlogic.core.formats import IntFormat
from nnlogic.model.architecture import ACTIVATIONS, LayerSpec
from nnlogic.model.assemble import fold_layer
from nnlogic.nn.connect import connect, mask_of
from nnlogic.nn.family import Codes, Family, activation_codes, refuse
from nnlogic.nn.gates import Price, layer_gates, table_cost
from nnlogic.nn.network import LogicLayer
from nnlogic.nn.spec import PRUNED, FamilySpec
from nnlogic.quant.fold import Levels
from nnlogic.quant.ir import Layer, Linear

EPS = 1e-5
FIXED = ("random", "periodic")


class LinearSums(Family):
    """Sparse linear sums, batch-norm or bias, activation; folded exactly, at any fan-in.

    Parameters
    ----------
    x : Codes
        Of uniform levels.
    spec : FamilySpec
        With ``connect = "pruned"`` the layer starts dense, and small weights are cut in training.
    generator : torch.Generator
    weight_bits : int
        Bits of the signed integer weights.
    """

    kind = "linear"

    def __init__(
        self, x: Codes, spec: FamilySpec, generator: torch.Generator, *, weight_bits: int = 8
    ) -> None:
        super().__init__(x, spec)
        if x.levels is None:
            why = "it reads codes of uneven values, which integer weights cannot stand for"
            raise refuse(spec, why, 'family = "poly" with degree = 1, which enumerates')
        if spec.activation not in ACTIVATIONS:
            why = f"activation {spec.activation!r} has uneven levels"
            raise refuse(spec, why, f"use one of {', '.join(ACTIVATIONS)}")
        if spec.connect not in (*FIXED, PRUNED):
            why = (
                f"connect {spec.connect!r}, known for this family are {PRUNED}, {', '.join(FIXED)}"
            )
            raise refuse(spec, why, 'family = "poly" with degree = 1 takes all connections')
        plain = LayerSpec(
            spec.name,
            spec.width,
            spec.fan_in,
            spec.activation,
            spec.bits,
            weight_bits,
            spec.batch_norm,
            spec.role,
        )
        self.layer = LogicLayer(self.inputs, plain, EPS, generator=generator)
        if spec.connect != PRUNED:
            fan_in = self.layer.linear.fan_in
            wires = connect(spec.connect, self.inputs, spec.width, fan_in, generator).wires()
            self.layer.linear.mask.copy_(mask_of(wires, self.inputs))
            self.layer.linear.weight.data *= (self.inputs / fan_in) ** 0.5

    def forward(self, x: Tensor) -> Tensor:
        """Return fake-quantized values (samples, width) of values (samples, inputs)."""
        out: Tensor = self.layer(x)
        return out

    def output(self, x: Codes) -> Codes:
        """Return what the layer gives."""
        return activation_codes(self.layer.activation, self.spec.width)

    def quantized(self, name: str, sources: tuple[str, ...], x: Codes) -> list[Layer]:
        """Return one Linear layer, by the exact fold."""
        layer = self.layer
        weights, thresholds, _ = fold_layer(layer.spec, _levels(x), layer.arrays(), EPS)
        return [
            Linear(
                name,
                sources,
                frozen(weights, np.int64),
                frozen(np.zeros(self.spec.width), np.int64),
                frozen(thresholds, np.int64),
                (IntFormat(self.spec.bits),) * self.spec.width,
                self.spec.role,
            )
        ]

    @torch.no_grad()
    def evaluate(self, codes: Tensor, x: Codes) -> Tensor:
        """Return exact codes, int64 (samples, width), of int64 codes (samples, inputs)."""
        return self.layer.evaluate(codes, _levels(x), EPS)[0]

    def fan_in_bits(self, x: Codes) -> int:
        """Return the input bits of the widest neuron, once it has its final fan-in."""
        widest = sorted(x.bits, reverse=True)
        return sum(widest[: self.layer.linear.fan_in])

    def cost(self, x: Codes, live: Tensor, price: Price) -> tuple[Tensor, Tensor]:
        """Return the LUT6 of the neurons, and how far the inputs are read."""
        values = x.values[x.bits.index(max(x.bits))].to(live.device, torch.float32)
        reads, gates = layer_gates(self.layer, values)
        # A narrower wire has no further bits.
        bits = torch.tensor(x.bits, device=live.device)[reads]
        gates = gates * (torch.arange(gates.shape[2], device=live.device) < bits[..., None])
        out_bits = torch.full_like(live, float(self.spec.bits))
        return table_cost(gates, reads, self.inputs, out_bits, live, price)

    def share_scale(self, other: Self) -> None:
        """Give the outputs the same scale as `other`, learned together."""
        self.layer.activation = other.layer.activation

    def prune(self, progress: float) -> None:
        """Cut connections, more as `progress` goes from 0 to 1."""
        if self.spec.connect == PRUNED:
            self.layer.linear.prune(progress)

    def set_quantized(self, on: bool) -> None:
        """Turn rounding of weights and activations on or off."""
        super().set_quantized(on)
        self.layer.linear.quantized = on


def _levels(x: Codes) -> Levels:
    if x.levels is None:
        raise IRError("a linear layer reads codes of uneven values")
    return x.levels
