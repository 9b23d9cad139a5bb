"""Linear sums with integer weights: the family that folds into integers exactly."""

from __future__ import annotations

from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from nnlogic.core.archive import frozen
from nnlogic.core.errors import IRError
from nnlogic.core.formats import IntArray, IntFormat
from nnlogic.model.assemble import fold_integers
from nnlogic.model.layer import ACTIVATIONS, SUMS, WEIGHT_BITS, LayerSpec
from nnlogic.nn.codes import Codes
from nnlogic.nn.connect import connect, fan_in_of, kind_of, kinds, mask_of
from nnlogic.nn.family import (
    Family,
    activation_codes,
    enumerate_codes,
    enumerated,
    exact_copy,
    look_up,
    refuse,
)
from nnlogic.nn.gates import Price, linear_gates, table_cost
from nnlogic.nn.quantizers import GRADIENTS, FormattedWeights, LearnedBits, make_activation
from nnlogic.nn.sparse import SparseLinear
from nnlogic.quant.fold import quantize_weights
from nnlogic.quant.ir import Layer, Linear

EPS = 1e-5
TINY = 1e-12


class LinearSums(Family):
    """Sparse linear sums, batch-norm or bias, activation.

    Where what is read and the activation have uniform levels, the layer folds into integers
    exactly, at any fan-in. Otherwise its neurons are enumerated.

    Parameters
    ----------
    x : Codes
    spec : LayerSpec
        With ``connect = "pruned"``, or N:M sparsity, the layer starts dense, and small weights are
        cut in training; that needs uniform levels.
    generator : torch.Generator
    weight_bits : int
        Bits of the signed integer weights.
    weights : str
        A number format for the weights in place of `weight_bits`, see
        `nnlogic.quant.numbers.numbers`.
    gradient : str
        Of weights in a number format, see `nnlogic.nn.quantizers.FormattedWeights`.
    """

    kind = "linear"

    def __init__(
        self,
        x: Codes,
        spec: LayerSpec,
        generator: torch.Generator,
        *,
        weight_bits: int = WEIGHT_BITS,
        weights: str = "",
        gradient: str = "straight",
    ) -> None:
        super().__init__(x, spec)
        self.folds = x.levels is not None and spec.activation in ACTIVATIONS
        kind = kind_of(spec.connect)
        self.cuts = kind.groups is not None
        if not self.folds and self.cuts:
            why = "codes of uneven values are enumerated, and a layer to be pruned starts too wide"
            raise refuse(spec, why, 'connect = "random", or activations of even levels')
        if spec.activation in (SUMS, LearnedBits.kind):
            why = f"activation {spec.activation!r} is not for this family"
            raise refuse(spec, why, f"use one of {', '.join(ACTIVATIONS)}")
        if gradient not in GRADIENTS:
            raise refuse(spec, f"gradient {gradient!r}", f"use one of {', '.join(GRADIENTS)}")
        if not kind.fixed and not self.cuts:
            known = ", ".join(k.name for k in kinds() if k.fixed or k.groups is not None)
            why = f"connect {spec.connect!r}, known for this family are {known}"
            raise refuse(spec, why, 'family = "poly" with degree = 1 takes it')
        fan_in = fan_in_of(spec.connect, self.inputs, spec.fan_in)
        groups = 1 if kind.groups is None else kind.groups(spec.connect, self.inputs)
        self.linear = SparseLinear(
            self.inputs,
            spec.width,
            fan_in,
            weight_bits,
            groups=groups,
            numbers=FormattedWeights(weights, gradient) if weights else None,
            generator=generator,
        )
        self.norm = nn.BatchNorm1d(spec.width, eps=EPS) if spec.batch_norm else None
        self.bias = None if spec.batch_norm else nn.Parameter(torch.zeros(spec.width))
        self.activation = make_activation(spec)
        if not self.cuts:
            made = connect(
                spec.connect, self.inputs, spec.width, fan_in, generator, channels=x.channels
            )
            self.period = made.period
            self.linear.mask.copy_(mask_of(made.wires(), self.inputs))
            self.linear.weight.data *= (self.inputs / fan_in) ** 0.5

    def forward(self, x: Tensor) -> Tensor:
        """Return fake-quantized values (samples, width) of values (samples, inputs)."""
        out: Tensor = self.activation(self._normed(self.linear(x)))
        return out

    def _normed(self, sums: Tensor) -> Tensor:
        if self.bias is not None:
            return sums + self.bias
        out: Tensor = self.norm(sums) if self.norm is not None else sums
        return out

    @property
    def eps(self) -> float:
        """Of the batch-norm."""
        return EPS if self.norm is None else self.norm.eps

    def affine(self) -> dict[str, Tensor]:
        """Return the tensors of batch-norm or bias by their names in a native checkpoint."""
        if self.bias is not None:
            return {"bias": self.bias}
        norm = self.norm
        if norm is None or norm.running_mean is None or norm.running_var is None:
            raise IRError("layer without bias or batch-norm", where=self.spec.name)
        mean, var = norm.running_mean, norm.running_var
        return {"gamma": norm.weight, "beta": norm.bias, "mean": mean, "var": var}

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """Return the parameters by the names of a native checkpoint."""
        weight = self.linear.weight * self.linear.mask
        part = {"weight": weight, "scale": self.activation.scale, **self.affine()}
        return {f"{self.spec.name}.{k}": v.detach().cpu().numpy() for k, v in part.items()}

    def output(self, x: Codes) -> Codes:
        """Return what the layer gives."""
        return activation_codes(self.activation, self.spec.width)

    def _folded(self, x: Codes) -> tuple[IntArray, IntArray]:
        # Integer weights and thresholds of the sums.
        if x.levels is None:
            raise IRError("a linear layer folds codes of even values only", where=self.spec.name)
        part = {k.removeprefix(f"{self.spec.name}."): v for k, v in self.arrays().items()}
        if self.linear.numbers is None:
            whole, scale = quantize_weights(part["weight"], self.spec.weight_bits)
        else:
            found = self.linear.numbers.integers(self.linear.weight, self.linear.mask)
            whole, scale = (t.cpu().numpy() for t in found)
        weights, thresholds, _ = fold_integers(self.spec, whole, scale, x.levels, part, self.eps)
        return weights, thresholds

    def _wires(self) -> Tensor:
        return self.linear.mask.topk(self.linear.fan_in, dim=1).indices.sort(1).values

    def _tables(self, x: Codes) -> list[IntArray]:
        exact, wires = exact_copy(self), self._wires().cpu()
        weight = exact.linear.effective_weight().gather(1, wires)

        def codes(values: Tensor) -> Tensor:
            return exact.activation.codes(exact._normed((values * weight).sum(2)))

        return enumerate_codes(codes, wires, x)

    @torch.no_grad()
    def quantized(self, name: str, sources: tuple[str, ...], x: Codes) -> list[Layer]:
        """Return one Linear layer, by the exact fold; or one Enumerated layer."""
        formats = (IntFormat(self.spec.bits),) * self.spec.width
        if not self.folds:
            wires, tables = self._wires(), self._tables(x)
            return [enumerated(name, sources, wires, tables, x, formats, self.spec.role)]
        weights, thresholds = self._folded(x)
        return [
            Linear(
                name,
                sources,
                frozen(weights, np.int64),
                frozen(np.zeros(self.spec.width), np.int64),
                frozen(thresholds, np.int64),
                formats,
                self.spec.role,
            )
        ]

    @torch.no_grad()
    def evaluate(self, codes: Tensor, x: Codes) -> Tensor:
        """Return exact codes, int64 (samples, width), of int64 codes (samples, inputs)."""
        if not self.folds:
            return look_up(self._tables(x), codes, self._wires(), x)
        weights, thresholds = self._folded(x)
        device = codes.device
        # float64 products of these integers are exact: their sums stay below 2**53.
        matrix = torch.from_numpy(weights).to(device, torch.float64)
        sums = (codes.to(torch.float64) @ matrix.t()).to(torch.int64)
        bounds = torch.from_numpy(thresholds).to(device)
        out = torch.zeros_like(sums)
        for k in range(bounds.shape[1]):
            out += sums >= bounds[:, k]
        return out

    def fan_in_bits(self, x: Codes) -> int:
        """Return the input bits of the widest neuron, once it has its final fan-in."""
        widest = sorted(x.bits, reverse=True)
        return sum(widest[: self.linear.fan_in])

    def cost(self, x: Codes, live: Tensor, price: Price) -> tuple[Tensor, Tensor]:
        """Return the LUT6 of the neurons, and how far the inputs are read."""
        values = x.values[x.bits.index(max(x.bits))].to(live.device, torch.float32)
        # Not rounded: a weight that rounds to zero would have no gradient.
        weight = self.linear.weight * self.linear.mask
        reads, gates = linear_gates(weight, self.linear.fan_in, self._bounds(), values)
        # A narrower wire has no further bits.
        bits = torch.tensor(x.bits, device=live.device)[reads]
        gates = gates * (torch.arange(gates.shape[2], device=live.device) < bits[..., None])
        out_bits = torch.full_like(live, float(self.spec.bits))
        return table_cost(gates, reads, self.inputs, out_bits, live, price)

    @torch.no_grad()
    def _bounds(self) -> Tensor:
        # Thresholds of the output code in the space of the sums, (neurons, levels - 1).
        bounds = self.activation.thresholds().to(self.linear.weight.dtype)
        affine = self.affine()
        if "bias" in affine:
            return bounds - affine["bias"][:, None]
        gain = affine["gamma"] / (affine["var"] + TINY).sqrt()
        gain = torch.where(gain.abs() < TINY, torch.full_like(gain, TINY), gain)
        return (bounds - affine["beta"][:, None]) / gain[:, None] + affine["mean"][:, None]

    def share_scale(self, other: Self) -> None:
        """Give the outputs the same scale as `other`, learned together."""
        self.activation = other.activation

    def prune(self, progress: float) -> None:
        """Cut connections, more as `progress` goes from 0 to 1."""
        if self.cuts:
            self.linear.prune(progress)

    def set_quantized(self, on: bool) -> None:
        """Turn rounding of weights and activations on or off."""
        super().set_quantized(on)
        self.linear.quantized = on


FAMILY = LinearSums
