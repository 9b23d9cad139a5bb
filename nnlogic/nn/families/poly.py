"""Polynomial neurons (PolyLUT)."""

from __future__ import annotations

from itertools import combinations_with_replacement

import torch
from torch import Tensor, nn

from nnlogic.model.layer import LayerSpec
from nnlogic.nn.codes import Codes
from nnlogic.nn.family import Neurons, require_range


class Monomials(nn.Module):
    """All products of at most `degree` of `inputs` values, but for the constant.

    Parameters
    ----------
    inputs, degree : int
    """

    def __init__(self, inputs: int, degree: int) -> None:
        super().__init__()
        self.factors = tuple(
            chosen
            for d in range(1, degree + 1)
            for chosen in combinations_with_replacement(range(inputs), d)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return the monomials (..., len(factors)) of values (..., inputs)."""
        columns = x.unbind(-1)
        made: dict[tuple[int, ...], Tensor] = {}
        for chosen in self.factors:
            last = columns[chosen[-1]]
            made[chosen] = made[chosen[:-1]] * last if chosen[:-1] else last
        return torch.stack(list(made.values()), -1)


class Polynomial(Neurons):
    """A polynomial of bounded degree per neuron (PolyLUT, Andronic and Constantinides 2023).

    Parameters
    ----------
    x : Codes
    spec : LayerSpec
    generator : torch.Generator
    degree : int
        1 gives a linear neuron defined by enumeration, which reads any codes.
    """

    kind = "poly"

    def __init__(
        self, x: Codes, spec: LayerSpec, generator: torch.Generator, *, degree: int = 2
    ) -> None:
        require_range(spec, degree=(degree, 1, 16))
        super().__init__(x, spec, generator)
        self.monomials = Monomials(self.fan_in, degree)
        shape = (spec.width, len(self.monomials.factors))
        self.weight = nn.Parameter(torch.randn(shape, generator=generator) / shape[1] ** 0.5)

    def neurons(self, x: Tensor) -> Tensor:
        """Return one float per neuron, (samples, width), of what it reads (..., width, fan_in)."""
        return (self.monomials(x) * self.weight).sum(-1)


FAMILY = Polynomial
