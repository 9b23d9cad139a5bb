"""The trainable network, and its exact integer twin in eval mode."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from nnlogic.core.errors import IRError
from nnlogic.model.architecture import FAN_IN_BITS, Architecture, LayerSpec
from nnlogic.model.assemble import assemble, fold_layer, input_levels
from nnlogic.nn.classifier import Classifier
from nnlogic.nn.quantizers import InputQuantizer, Uniform, make_activation
from nnlogic.nn.sparse import SparseLinear
from nnlogic.quant.fold import Levels
from nnlogic.quant.ir import QuantNet


class LogicLayer(nn.Module):
    """Sparse linear sums, batch-norm or bias, activation.

    Parameters
    ----------
    inputs : int
        Width of the layer before.
    spec : LayerSpec
    eps : float
        Of the batch-norm.
    random_mask : bool
        Choose the connections at random now.
    generator : torch.Generator, optional
    """

    def __init__(
        self,
        inputs: int,
        spec: LayerSpec,
        eps: float,
        *,
        random_mask: bool = False,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.spec = spec
        self.linear = SparseLinear(
            inputs,
            spec.width,
            spec.fan_in,
            spec.weight_bits,
            random_mask=random_mask,
            generator=generator,
        )
        self.norm = nn.BatchNorm1d(spec.width, eps=eps) if spec.batch_norm else None
        self.bias = None if spec.batch_norm else nn.Parameter(torch.zeros(spec.width))
        activation = make_activation(spec)
        if not isinstance(activation, Uniform):
            raise IRError("levels must be uniform to fold", where=spec.name, why=spec.activation)
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        """Return the fake-quantized activations of values `x`."""
        z = self.linear(x)
        z = self.norm(z) if self.norm is not None else z + self.bias
        return self.activation(z)

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

    def evaluate(self, codes: Tensor, x: Levels, eps: float) -> tuple[Tensor, Levels]:
        """Return exact output codes (int64) and their levels, for input codes of levels `x`."""
        weights, thresholds, levels = fold_layer(self.spec, x, self.arrays(), eps)
        device = codes.device
        # float64 products of these integers are exact: their sums stay below 2**53.
        matrix = torch.from_numpy(weights).to(device, torch.float64)
        sums = (codes.to(torch.float64) @ matrix.t()).to(torch.int64)
        bounds = torch.from_numpy(thresholds).to(device)
        out = torch.zeros_like(sums)
        for k in range(bounds.shape[1]):
            out += sums >= bounds[:, k]
        return out, levels


class Network(Classifier):
    """A sparse quantized classifier built from its architecture.

    In training mode ``forward`` runs the fake-quantized float graph. In eval mode it runs the
    folded integers, the very ones the compiled logic has, so model and hardware cannot differ.

    Parameters
    ----------
    arch : Architecture
    random_mask : bool
        Choose the connections at random now; otherwise layers start dense, for pruning.
    seed : int
        Of masks and initial weights.
    fan_in_limit : int
        Most input bits of a neuron.

    Raises
    ------
    TooWide
        A neuron would read more bits than `fan_in_limit`.
    """

    def __init__(
        self,
        arch: Architecture,
        *,
        random_mask: bool = False,
        seed: int = 0,
        fan_in_limit: int = FAN_IN_BITS,
    ) -> None:
        super().__init__()
        arch.require_enumerable(fan_in_limit)
        self.arch = arch
        generator = torch.Generator().manual_seed(seed)
        self.quantizer = InputQuantizer(arch.input_bits)
        self.layers = nn.ModuleList(
            LogicLayer(
                len(arch.in_bits(i)),
                spec,
                arch.norm_eps,
                random_mask=random_mask,
                generator=generator,
            )
            for i, spec in enumerate(arch.layers)
        )

    @property
    def blocks(self) -> list[LogicLayer]:
        """The layers, in order."""
        return [layer for layer in self.layers if isinstance(layer, LogicLayer)]

    def set_quantized(self, on: bool) -> None:
        """Turn rounding of weights and activations on or off; activations clip either way."""
        for layer in self.blocks:
            layer.linear.quantized = layer.activation.quantized = on

    def body(self, values: Tensor) -> Tensor:
        """Return class scores of the float graph for input values (not codes)."""
        for layer in self.blocks:
            values = layer(values)
        return values

    def scores(self, codes: Tensor) -> Tensor:
        """Return class scores (float values) for input codes, shape (samples, classes)."""
        levels = input_levels(max(self.arch.input_bits))
        if self.training:
            return self.body(codes.to(torch.float32) + float(levels.zero))
        out, levels = self.score_codes(codes)
        return float(levels.scale) * (out.to(torch.float64) + float(levels.zero))

    def score_codes(self, codes: Tensor) -> tuple[Tensor, Levels]:
        """Return the exact integer scores for input codes, and their levels."""
        levels = input_levels(max(self.arch.input_bits))
        out = codes.to(torch.int64)
        for layer in self.blocks:
            out, levels = layer.evaluate(out, levels, self.arch.norm_eps)
        return out, levels

    def exact_scores(self, codes: Tensor) -> Tensor:
        """Return exact integer scores, int64 (samples, classes), for input codes."""
        return self.score_codes(codes)[0]

    def anneal(self, progress: float) -> None:
        """Do nothing: these layers have no schedule but that of `prune`."""

    def prune(self, progress: float) -> None:
        """Cut connections of all layers, see `SparseLinear.prune`."""
        for layer in self.blocks:
            layer.linear.prune(progress)

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """Return all parameters by the names of a native checkpoint."""
        out = {f"input.{i}": t for i, t in enumerate(self.quantizer.get_thresholds())}
        for layer in self.blocks:
            out |= layer.arrays()
        return out

    @torch.no_grad()
    def load_arrays(self, arrays: dict[str, NDArray]) -> None:
        """Inverse of `arrays`; a weight of zero is no connection."""
        names = range(len(self.arch.features))
        self.quantizer.set_thresholds(tuple(arrays[f"input.{i}"] for i in names))
        for layer in self.blocks:
            name = layer.spec.name
            for key, target in ({"weight": layer.linear.weight} | layer.affine()).items():
                target.copy_(torch.from_numpy(np.array(arrays[f"{name}.{key}"])))
            layer.activation.set_scale(float(arrays[f"{name}.scale"][0]))
            layer.linear.mask.copy_(layer.linear.weight != 0)

    def quantnet(self) -> QuantNet:
        """Return the QuantNet this network is."""
        return assemble(self.arch, self.arrays(), {"class_names": list(self.arch.classes)})
