"""Learned lookup tables of one-bit wires (DWN), and logic gates (difflogic)."""

from __future__ import annotations

import math
from typing import Self

import numpy as np
import torch
from torch import Tensor, nn

from nnlogic.core.archive import frozen
from nnlogic.core.formats import IntArray
from nnlogic.model.layer import LayerSpec
from nnlogic.nn.codes import Codes
from nnlogic.nn.family import Tabulated, refuse
from nnlogic.nn.gates import noticed
from nnlogic.nn.quantizers import Sign

PLUS_MINUS = (-1.0, 1.0)
LUT_INPUTS = 6


class Luts(Tabulated):
    """Tables of ``2**fan_in`` learned entries, one bit out; wires carry -1 and +1.

    Trained in two phases. Soft: tables are probabilities, interpolated multilinearly. Hard: tables
    are bits, with the gradient of the interpolation near the corner looked up (the finite
    differences of DWN, Bacellar et al. 2024, over smoothed tables). With ``gates`` and two wires,
    a table is a learned mixture of the 16 gates, then the likeliest one (Petersen et al. 2022).

    Parameters
    ----------
    x : Codes
        One-bit wires of values -1 and +1.
    spec : LayerSpec
        `fan_in` 0 means 6.
    generator : torch.Generator
    soft : float
        Part of the run with soft tables.
    sharpness : float
        Slope of the soft tables at their end; 1 at the start.
    smooth : float
        Part of the unit cube over which the gradient of hard tables is interpolated.
    gates : bool
    """

    kind = "luts"
    shrinks = False
    wires_unless_said = LUT_INPUTS

    def __init__(
        self,
        x: Codes,
        spec: LayerSpec,
        generator: torch.Generator,
        *,
        soft: float = 0.5,
        sharpness: float = 4.0,
        smooth: float = 0.8,
        gates: bool = False,
    ) -> None:
        super().__init__(x, spec, generator)
        if set(x.bits) != {1} or tuple(x.values[0].tolist()) != PLUS_MINUS:
            why = f"it reads wires of {max(x.bits)} bits with values {x.values[0].tolist()}"
            raise refuse(spec, why, 'activation = "sign" in the layer before')
        if gates and self.fan_in != 2:
            raise refuse(spec, f"gates of {self.fan_in} wires", "fan_in = 2")
        self.soft, self.sharpness, self.smooth = soft, sharpness, smooth
        self.hard, self.slope = soft <= 0, 1.0
        index = torch.arange(1 << self.fan_in)[:, None]
        bits = ((index >> torch.arange(self.fan_in)) & 1).float() * 2 - 1
        self.gates = (torch.arange(16)[:, None] >> torch.arange(4)) & 1 if gates else None
        if gates:
            start = torch.randn((spec.width, 16), generator=generator)
        else:
            direction = torch.randn((spec.width, self.fan_in), generator=generator)
            direction = direction + 0.5 * direction.sign()
            noise = 0.3 * torch.randn((spec.width, len(index)), generator=generator)
            start = direction @ bits.t() / math.sqrt(self.fan_in) + noise
        self.logits = nn.Parameter(start)

    def _soft_tables(self) -> Tensor:
        if self.gates is None:
            return torch.sigmoid(self.logits * self.slope)
        return torch.softmax(self.logits, 1) @ self.gates.to(self.logits)

    def _hard_tables(self) -> Tensor:
        if self.gates is None:
            return (self.logits > 0).to(torch.int64)
        return self.gates.to(self.logits.device)[self.logits.argmax(1)]

    def forward(self, x: Tensor) -> Tensor:
        """Return values (samples, width) of values (samples, inputs)."""
        z = (self.connect(x) + 1) / 2
        if not self.hard:
            return 2 * _interpolate(self._soft_tables(), z) - 1
        near = 0.5 + self.smooth * (z - 0.5)
        soft = _interpolate(self._soft_tables(), near)
        with torch.no_grad():
            index = ((z > 0.5) << torch.arange(self.fan_in, device=z.device)).sum(-1)
            hard = self._hard_tables().t().gather(0, index).to(soft.dtype)
        return 2 * (hard + (soft - soft.detach())) - 1

    def tables(self, x: Codes) -> list[IntArray]:
        """Return the table of each neuron: output bit by input index, first wire in low bits."""
        return [frozen(row, np.int64) for row in self._hard_tables().detach().cpu().numpy()]

    def bit_gates(self, x: Codes) -> Tensor:
        """Return how far each wire counts, (width, fan_in, 1), with gradients."""
        cube = self._soft_tables().reshape(-1, *(2,) * self.fan_in)
        # Wire k is bit k of the index: axis fan_in - k.
        change = [
            cube.diff(dim=self.fan_in - k).abs().flatten(1).mean(1) for k in range(self.fan_in)
        ]
        return noticed(torch.stack(change, 1))[..., None]

    def output(self, x: Codes) -> Codes:
        """Return what the layer gives."""
        return Codes.uniform((1,) * self.spec.width, Sign().levels())

    def share_scale(self, other: Self) -> None:
        """Do nothing: the values of bits are fixed."""

    def anneal(self, progress: float) -> None:
        """Follow the schedule of training, `progress` from 0 to 1."""
        super().anneal(progress)
        self.hard = progress >= self.soft
        self.slope = 1.0 if self.hard else 1 + (self.sharpness - 1) * progress / self.soft

    def set_quantized(self, on: bool) -> None:
        """Turn rounding on or off."""
        super().set_quantized(on)
        self.hard = on


def _interpolate(tables: Tensor, z: Tensor) -> Tensor:
    # Multilinear: halve the table once per wire, the last wire first. (width, rows) and
    # (samples, width, wires) to (samples, width).
    out = tables[None]
    for k in reversed(range(z.shape[2])):
        low, high = out.chunk(2, -1)
        out = low + z[:, :, k : k + 1] * (high - low)
    return out[..., 0]


FAMILY = Luts
