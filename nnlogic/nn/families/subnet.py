"""Neurons that hide a small network (NeuraLUT)."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from nnlogic.model.layer import LayerSpec
from nnlogic.nn.codes import Codes
from nnlogic.nn.family import Neurons, require_range


class Subnet(Neurons):
    """A small float perceptron with skips inside every neuron (NeuraLUT, Andronic et al. 2024).

    The hidden layers form blocks of `skip` layers; beside each block runs a linear map, and the
    two are added. All of it disappears in the table.

    Parameters
    ----------
    x : Codes
    spec : LayerSpec
    generator : torch.Generator
    hidden : int
        Width of the hidden layers.
    depth : int
        Linear layers, the last one included; 2 or more.
    skip : int
        Layers a skip spans; 0 for no skips.
    """

    kind = "subnet"

    def __init__(
        self,
        x: Codes,
        spec: LayerSpec,
        generator: torch.Generator,
        *,
        hidden: int = 8,
        depth: int = 4,
        skip: int = 2,
    ) -> None:
        require_range(spec, hidden=(hidden, 1, 4096), depth=(depth, 2, 64), skip=(skip, 0, 64))
        super().__init__(x, spec, generator)
        self.skip = skip or depth
        sizes = [self.fan_in, *[hidden] * (depth - 1), 1]

        def maps(pairs: list[tuple[int, int]], gain: float) -> nn.ParameterList:
            return nn.ParameterList(
                torch.randn((spec.width, a, b), generator=generator) * (gain / a) ** 0.5
                for a, b in pairs
            )

        self.weights = maps(list(pairwise(sizes)), 2.0)
        self.biases = nn.ParameterList(torch.zeros(spec.width, b) for b in sizes[1:])
        starts = range(0, depth, self.skip) if skip else range(0)
        ends = [min(start + self.skip, depth) for start in starts]
        pairs = [(sizes[a], sizes[b]) for a, b in zip(starts, ends, strict=True)]
        self.skips = maps(pairs, 1.0)

    def neurons(self, x: Tensor) -> Tensor:
        """Return one float per neuron, (samples, width), of what it reads (..., width, fan_in)."""
        last = len(self.weights) - 1
        start = x
        for i, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            x = torch.einsum("...i,...io->...o", x, weight) + bias
            block, at = divmod(i + 1, self.skip)
            if len(self.skips) and (at == 0 or i == last):
                number = block - 1 if at == 0 else block
                x = x + torch.einsum("...i,...io->...o", start, self.skips[number])
            if i < last:
                x = torch.relu(x)
            if at == 0:
                start = x
        return x[..., 0]


FAMILY = Subnet
