"""Several small networks whose scores are added (AmigoLUT)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import numpy as np
import torch
from torch import Tensor, nn

from nnlogic.core.archive import frozen
from nnlogic.core.formats import IntFormat
from nnlogic.model.layer import LayerSpec
from nnlogic.nn.codes import Codes
from nnlogic.nn.family import Family, chain_cost, refuse
from nnlogic.nn.gates import Price, either
from nnlogic.quant.fold import Levels
from nnlogic.quant.ir import Layer, Linear


class Ensemble(Family):
    """Members of the same shape, trained together, whose outputs are added exactly.

    After AmigoLUT (Weng et al. 2025): members differ in their connections and share the scale of
    their outputs, so that the sum of codes is the sum of values.

    Parameters
    ----------
    x : Codes
    spec : LayerSpec
        `width` is that of the last layer of a member.
    generator : torch.Generator
    members : int
    layers : tuple of LayerSpec
        Of each member.
    """

    kind = "ensemble"

    def __init__(
        self,
        x: Codes,
        spec: LayerSpec,
        generator: torch.Generator,
        *,
        members: int = 2,
        layers: tuple[LayerSpec, ...] = (),
    ) -> None:
        super().__init__(x, spec)
        from nnlogic.nn.families import make_family

        if not layers or layers[-1].width != spec.width or members < 1:
            why = f"{members} members of {len(layers)} layers"
            raise refuse(spec, why, f"[[layers.layers]] whose last has a width of {spec.width}")
        self.members = nn.ModuleList()
        for number in range(members):
            chain, before = nn.ModuleList(), x
            for part in layers:
                named = replace(part, name=f"{spec.name}_{number}_{part.name}")
                layer = make_family(before, named, generator)
                chain.append(layer)
                before = layer.output(before)
            if before.levels is None:
                raise refuse(spec, "codes of uneven values cannot be added", "another activation")
            self.members.append(chain)
        first, *others = self._chains()
        for other in others:
            other[-1].share_scale(first[-1])

    def _chains(self) -> list[list[Family]]:
        return [
            [layer for layer in chain if isinstance(layer, Family)]
            for chain in self.members
            if isinstance(chain, nn.ModuleList)
        ]

    def _inner(self) -> Iterator[Family]:
        for chain in self._chains():
            yield from chain

    def _last(self, x: Codes) -> list[Codes]:
        return [layer.output(before) for *_, (layer, before) in self._traced(x)]

    def _traced(self, x: Codes) -> list[list[tuple[Family, Codes]]]:
        out = []
        for chain in self._chains():
            pairs = []
            before = x
            for layer in chain:
                pairs.append((layer, before))
                before = layer.output(before)
            out.append(pairs)
        return out

    def cost(self, x: Codes, live: Tensor, price: Price) -> tuple[Tensor, Tensor]:
        """Return the LUT6 of the members and of adding them, and how far the inputs are read."""
        luts, reads = zip(
            *(chain_cost(pairs, live, price) for pairs in self._traced(x)), strict=True
        )
        entering = live.new_tensor(float(sum(max(codes.bits) for codes in self._last(x))))
        total = live.new_tensor(float(max(self.output(x).bits)))
        adders = (price.adder(entering, total, 0) * live).sum()
        return torch.stack(luts).sum() + adders, either(list(reads))

    def forward(self, x: Tensor) -> Tensor:
        """Return the sum of the members' values (samples, width)."""
        total = torch.zeros((), device=x.device)
        for chain in self._chains():
            values = x
            for layer in chain:
                values = layer(values)
            total = total + values
        return total

    def output(self, x: Codes) -> Codes:
        """Return what the layer gives."""
        last = self._last(x)
        levels = [codes.levels for codes in last if codes.levels is not None]
        high = sum((1 << max(codes.bits)) - 1 for codes in last)
        bits = IntFormat.holding(0, high).bits
        zero = sum((part.zero for part in levels), Fraction(0))
        return Codes.uniform((bits,) * self.spec.width, Levels(levels[0].scale, zero, 1 << bits))

    def quantized(self, name: str, sources: tuple[str, ...], x: Codes) -> list[Layer]:
        """Return the layers of all members, and one Linear layer that adds their outputs."""
        out: list[Layer] = []
        ends: list[str] = []
        for number, chain in enumerate(self._chains()):
            before, source = x, sources
            for at, layer in enumerate(chain):
                own = f"{name}_{number}_{at}"
                out += layer.quantized(own, source, before)
                before, source = layer.output(before), (own,)
            ends += source
        weights = np.tile(np.eye(self.spec.width, dtype=np.int64), len(ends))
        zero = frozen(np.zeros(self.spec.width), np.int64)
        formats = self.output(x).formats
        total = Linear(name, tuple(ends), frozen(weights, np.int64), zero, None, formats, "output")
        return [*out, total]

    def evaluate(self, codes: Tensor, x: Codes) -> Tensor:
        """Return exact sums, int64 (samples, width), of int64 codes (samples, inputs)."""
        total = torch.zeros((), dtype=torch.int64, device=codes.device)
        for chain in self._chains():
            own, before = codes, x
            for layer in chain:
                own, before = layer.evaluate(own, before), layer.output(before)
            total = total + own
        return total

    def fan_in_bits(self, x: Codes) -> int:
        """Return the input bits of the widest table."""
        widest = 0
        for chain in self._chains():
            before = x
            for layer in chain:
                widest, before = max(widest, layer.fan_in_bits(before)), layer.output(before)
        return widest

    def anneal(self, progress: float) -> None:
        """Follow the schedule of training, `progress` from 0 to 1."""
        for layer in self._inner():
            layer.anneal(progress)

    def prune(self, progress: float) -> None:
        """Cut connections, more as `progress` goes from 0 to 1."""
        for layer in self._inner():
            layer.prune(progress)

    def set_quantized(self, on: bool) -> None:
        """Turn rounding on or off."""
        for layer in self._inner():
            layer.set_quantized(on)


FAMILY = Ensemble
