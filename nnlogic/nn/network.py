"""Networks of linear sums that are kept as their float parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nnlogic.model.architecture import FAN_IN_BITS, Architecture
from nnlogic.model.assemble import assemble, input_levels
from nnlogic.model.layer import PRUNED
from nnlogic.nn.codes import Codes
from nnlogic.nn.families.linear import LinearSums
from nnlogic.nn.sparse import SparseLinear
from nnlogic.nn.stack import Stack
from nnlogic.quant.ir import QuantNet


class Network(Stack):
    """A stack of linear sums only, built from its architecture.

    Its checkpoint holds the float parameters, which fold into integers when read; so it can be
    read back and trained further. Input codes stand for values one apart.

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
        arch.require_enumerable(fan_in_limit)
        super().__init__(
            arch.name,
            arch.features,
            arch.classes,
            arch.input_bits,
            tuple(replace(spec, family=LinearSums.kind, connect=PRUNED) for spec in arch.layers),
            seed=seed,
            fan_in_limit=fan_in_limit,
        )
        self.arch = arch
        generator = torch.Generator().manual_seed(seed)
        for layer in self.blocks:
            if layer.norm is not None:
                layer.norm.eps = arch.norm_eps
            if random_mask:
                shape = layer.inputs, layer.spec.width, layer.spec.fan_in, layer.spec.weight_bits
                layer.linear = SparseLinear(*shape, random_mask=True, generator=generator)

    @property
    def blocks(self) -> list[LinearSums]:
        """The layers, in order."""
        return [layer for layer in self.layers if isinstance(layer, LinearSums)]

    def input_codes(self) -> Codes:
        """Return what the first layer reads: values one apart around zero."""
        return Codes.uniform(self.input_bits, input_levels(max(self.input_bits)))

    def values(self, codes: Tensor) -> Tensor:
        """Return the float values of input codes, (samples, features)."""
        return codes.to(torch.float32) + float(input_levels(max(self.input_bits)).zero)

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

    def quantnet(self, info: Mapping[str, Any] | None = None) -> QuantNet:
        """Return the QuantNet this network is, as its checkpoint is read."""
        return assemble(self.arch, self.arrays(), info or {}, quantities=self.quantities)
