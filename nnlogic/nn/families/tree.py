"""Trees of small tables (NeuraLUT-Assemble)."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import Self

import torch
from torch import Tensor, nn

from nnlogic.model.layer import LayerSpec
from nnlogic.nn.codes import Codes
from nnlogic.nn.connect import Fixed
from nnlogic.nn.family import Family, Tabulated, chain_cost, refuse, require_range
from nnlogic.nn.gates import Price
from nnlogic.quant.ir import Layer


class Tree(Family):
    """Each neuron a tree of small tables, so that it reads many wires at little cost.

    After NeuraLUT-Assemble (Andronic and Constantinides 2025): the leaves read the layer before,
    every other table reads the codes of its own children only.

    Parameters
    ----------
    x : Codes
    spec : LayerSpec
        `fan_in` is that of a leaf; `activation` and `bits` hold for every table.
    generator : torch.Generator
    branches : tuple of int
        Children of a table, level by level from the leaves to the root.
    node : str
        Family of the tables; one that is a single table per neuron.
    """

    kind = "tree"

    def __init__(
        self,
        x: Codes,
        spec: LayerSpec,
        generator: torch.Generator,
        *,
        branches: tuple[int, ...] = (2,),
        node: str = "subnet",
    ) -> None:
        for count in branches or (0,):
            require_range(spec, branches=(count, 1, 256))
        super().__init__(x, spec)
        from nnlogic.nn.families import make_family

        self.levels = nn.ModuleList()
        for number in range(len(branches) + 1):
            width = spec.width * prod(branches[number:])
            fan_in = branches[number - 1] if number else spec.fan_in
            part = replace(spec, family=node, width=width, fan_in=fan_in, options={})
            level = make_family(x, part, generator)
            if not isinstance(level, Tabulated):
                raise refuse(spec, f"a tree of {node!r}", 'use node = "subnet" or "poly"')
            if number:
                blocks = torch.arange(width * fan_in).reshape(width, fan_in)
                level.connect = Fixed(blocks, width * fan_in)
            self.levels.append(level)
            x = level.output(x)

    def _levels(self, x: Codes) -> list[tuple[Tabulated, Codes]]:
        out = []
        for level in self.levels:
            if isinstance(level, Tabulated):
                out.append((level, x))
                x = level.output(x)
        return out

    def forward(self, x: Tensor) -> Tensor:
        """Return fake-quantized values (samples, width) of values (samples, inputs)."""
        for level in self.levels:
            x = level(x)
        return x

    def output(self, x: Codes) -> Codes:
        """Return what the layer gives."""
        level, before = self._levels(x)[-1]
        return level.output(before)

    def quantized(self, name: str, sources: tuple[str, ...], x: Codes) -> list[Layer]:
        """Return one Enumerated layer per level of the trees."""
        out: list[Layer] = []
        levels = self._levels(x)
        for number, (level, before) in enumerate(levels):
            own = name if level is levels[-1][0] else f"{name}_level{number}"
            out += level.quantized(own, sources, before)
            sources = (own,)
        return out

    def evaluate(self, codes: Tensor, x: Codes) -> Tensor:
        """Return exact codes, int64 (samples, width), of int64 codes (samples, inputs)."""
        for level, before in self._levels(x):
            codes = level.evaluate(codes, before)
        return codes

    def fan_in_bits(self, x: Codes) -> int:
        """Return the input bits of the widest table."""
        return max(level.fan_in_bits(before) for level, before in self._levels(x))

    def cost(self, x: Codes, live: Tensor, price: Price) -> tuple[Tensor, Tensor]:
        """Return the LUT6 of all levels, and how far the inputs are read."""
        return chain_cost(self._levels(x), live, price)

    def share_scale(self, other: Self) -> None:
        """Give the outputs the same scale as `other`, learned together."""
        mine, theirs = self.levels[-1], other.levels[-1]
        if isinstance(mine, Tabulated) and isinstance(theirs, Tabulated):
            mine.share_scale(theirs)

    def anneal(self, progress: float) -> None:
        """Follow the schedule of training, `progress` from 0 to 1."""
        for level in self.levels:
            if isinstance(level, Tabulated):
                level.anneal(progress)


FAMILY = Tree
