"""Layers of a LUT-native population: learned functions of a feature, tables with learned wires."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from nnlogic.core.formats import IntArray
from nnlogic.nn.population.functional import (
    ROWS,
    K,
    choose_wires,
    hard_with_soft_gradient,
    lookup,
    multilinear,
    on_gpu,
)


@dataclass
class Phase:
    """Where training stands.

    Attributes
    ----------
    hard : bool
        Tables give bits, with a straight-through gradient; probabilities otherwise.
    sharpness : Tensor
        Slope of the soft tables.
    smooth : float
        Part of the unit cube over which the gradient of hard tables is interpolated.
    spread : bool
        Whether gradients of wires reach all candidates, see `choose_wires`.
    """

    hard: bool
    sharpness: Tensor
    smooth: float = 0.8
    spread: bool = True


class Functions(nn.Module):
    """Learned Boolean functions of one feature each: every one costs a LUT6 for 6-bit codes.

    Parameters
    ----------
    members, features, per_feature, codes : int
    generator : torch.Generator
    centres : Tensor, shape (features, per_feature)
        Code where each function first switches.
    """

    def __init__(
        self, members: int, codes: int, centres: Tensor, generator: torch.Generator
    ) -> None:
        super().__init__()
        grid = torch.arange(codes, dtype=torch.float32) + 0.5
        start = 2 * torch.tanh((grid - centres[..., None]) / (codes / 20))
        noise = 0.1 * torch.randn((members, *start.shape), generator=generator)
        self.logits = nn.Parameter(start[None] + noise)

    def forward(self, one_hot: Tensor) -> Tensor:
        """Return bits, (members, features * per_feature, samples); `one_hot` (f, codes, b)."""
        members, features, count, codes = self.logits.shape
        dtype = one_hot.dtype
        flat = self.logits.transpose(0, 1).reshape(features, members * count, codes)
        soft = torch.bmm(torch.sigmoid(flat).to(dtype), one_hot)
        hard = torch.bmm((flat > 0).to(dtype), one_hot)
        out = hard_with_soft_gradient(hard, soft)
        out = out.view(features, members, count, -1).transpose(0, 1)
        return out.reshape(members, features * count, -1)

    def hard(self, member: int) -> IntArray:
        """Return the tables of a member, int64, (features, per_feature, codes)."""
        bits: IntArray = (self.logits[member] > 0).cpu().numpy().astype(np.int64)
        return bits


class Tables(nn.Module):
    """A layer of 6-input tables with learned wires.

    Parameters
    ----------
    members, inputs, width : int
    share : int
        Tables on the same six wires.
    generator : torch.Generator
    """

    def __init__(
        self, members: int, inputs: int, width: int, share: int, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.share = share
        pins = width // share * K
        self.wires = nn.Parameter(torch.randn((members, pins, inputs), generator=generator))
        bits = ((torch.arange(ROWS)[:, None] >> torch.arange(K)) & 1).float() * 2 - 1
        slope = torch.randn((members, width, K), generator=generator).abs() * 0.5 + 0.5
        slope *= torch.randint(0, 2, slope.shape, generator=generator) * 2 - 1
        noise = 0.3 * torch.randn((members, width, ROWS), generator=generator)
        self.logits = nn.Parameter(slope @ bits.t() / math.sqrt(K) + noise)

    def forward(self, x: Tensor, phase: Phase) -> Tensor:
        """Return the outputs, (members, width, samples)."""
        members, width, _ = self.logits.shape
        z = choose_wires(self.wires, x, phase.spread).view(members, width // self.share, K, -1)
        if self.share > 1:
            z = z.repeat_interleave(self.share, 1)
        if on_gpu(z):
            return self._fused(z, phase)
        if not phase.hard:
            return multilinear(torch.sigmoid(self.logits * phase.sharpness).to(z.dtype), z)
        with torch.no_grad():
            hard = lookup((self.logits > 0).to(z.dtype), z)
        if not torch.is_grad_enabled():
            return hard
        spread = 0.5 + phase.smooth * (z - 0.5)
        soft = multilinear(torch.sigmoid(self.logits).to(z.dtype), spread)
        return hard_with_soft_gradient(hard, soft)

    def _fused(self, z: Tensor, phase: Phase) -> Tensor:
        from nnlogic.nn.population.fused import table_values

        if phase.hard:
            entries, soft = (self.logits > 0).float(), torch.sigmoid(self.logits)
            return table_values(entries, soft, z, phase.smooth)
        soft = torch.sigmoid(self.logits * phase.sharpness)
        return table_values(soft.detach(), soft, z, 1.0)

    def pins(self) -> Tensor:
        """Return the chosen wires, int64, (members, width, 6)."""
        members, width, _ = self.logits.shape
        chosen = self.wires.argmax(-1).view(members, width // self.share, K)
        return chosen.repeat_interleave(self.share, 1)

    @torch.no_grad()
    def set_hard(self, member: int, pins: Tensor, bits: Tensor) -> None:
        """Give a member these wires, (width, 6), and bits, (width, 64); inverse of `hard`."""
        wires = self.wires[member]
        chosen = pins[:: self.share].flatten()[:, None]
        wires.scatter_(1, chosen, wires.amax(1, keepdim=True) + 1)
        self.logits[member] = 2.0 * bits - 1

    def hard(self, member: int) -> tuple[IntArray, IntArray]:
        """Return wires (width, 6) and bits (width, 64) of a member's tables, int64."""
        bits = (self.logits[member] > 0).cpu().numpy().astype(np.int64)
        return self.pins()[member].cpu().numpy(), bits
