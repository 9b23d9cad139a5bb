"""Radial neurons: how near what a neuron reads is to a learned centre."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nnlogic.model.layer import LayerSpec
from nnlogic.nn.codes import Codes
from nnlogic.nn.family import Neurons


class Radial(Neurons):
    """One centre per neuron; the output falls with the distance from it.

    Parameters
    ----------
    x : Codes
        What the layer reads.
    spec : LayerSpec
        Name, width, fan-in, bits and connections, the same for all families.
    generator : torch.Generator
        Source of the initial centres.
    spread : float
        Distance at which the output has fallen to one half: an option, `spread` in a recipe.
    """

    kind = "radial"

    def __init__(
        self, x: Codes, spec: LayerSpec, generator: torch.Generator, *, spread: float = 1.5
    ) -> None:
        super().__init__(x, spec, generator)
        self.spread = spread
        self.centre = nn.Parameter(torch.randn(spec.width, self.fan_in, generator=generator))

    def neurons(self, x: Tensor) -> Tensor:
        """Return one float per neuron, (samples, width), of what it reads (..., width, fan_in)."""
        distance = (x - self.centre).square().sum(-1)
        return 1 / (1 + distance / self.spread**2)
