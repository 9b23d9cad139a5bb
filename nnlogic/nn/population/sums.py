"""Sums of learned integer tables, two layers deep, as a population.

A hidden sum adds one integer table value per group of input codes and keeps the top bits of the
result as its code; a class score adds one integer table value per group of hidden codes. Groups
of one code give the shape of KANELE; a table never reads more than the few bits of its group. A
table with values of ``b`` bits on at most six input bits costs ``b`` LUT6, and about as many again
to be added, so the bits of all tables are the cost, and a differentiable form of them is the
penalty. Every table has a learned step, a power of two (learned step size, Esser et al. 2020).
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from nnlogic.core.windows import Frame, Window
from nnlogic.nn.population.parts import LutNetwork, Part, Place


def _round(x: Tensor) -> Tensor:
    return x + (torch.round(x) - x).detach()


def _differences(tables: Tensor, dim: int) -> Tensor:
    """Return the slope along an axis: central inside, one-sided at the ends."""
    n = tables.shape[dim]
    up = tables.narrow(dim, min(1, n - 1), n - 1)
    up = torch.cat([up, tables.narrow(dim, n - 1, 1)], dim)
    down = torch.cat([tables.narrow(dim, 0, 1), tables.narrow(dim, 0, n - 1)], dim)
    place = torch.arange(n, device=tables.device)
    span = 2.0 - ((place == 0) | (place == n - 1)).float()
    shape = [1] * tables.dim()
    shape[dim] = n
    return (up - down) / span.view(shape).to(tables.dtype)


class SumPopulation(nn.Module):
    """Members of the shape features -> hidden sums -> output sums.

    Parameters
    ----------
    members, features, input_bits, outputs, hidden : int
    recode : int64 tensor, shape (features, 2**input_bits), or None
        Codes of fewer bits that the first tables read instead of the input codes.
    code_bits : int
        Bits of the codes the first tables read.
    group, hidden_group : int
        Codes per table.
    hidden_bits : int
        Bits of a hidden code.
    frame : Frame, optional
        Of the features as a map, for `window`.
    window : Window, optional
        At each of its positions the hidden sums are taken once more, of what is under it; without
        padding. Not with `recode`.
    shift : int
        Low bits of a hidden sum that its code leaves out.
    spread : float
        Standard deviation of the first table values, in units of one.
    relative : bool
        Whether outputs are compared with each other only, as scores of classes are: the last one
        is 0 then, and logits are scores times a learned scale. Otherwise they are what they are.
    reach : float
        Of outputs that are no scores, the standard deviation at the start; about.
    seed : int
    """

    soft_steps = 0
    order: Tensor
    recode: Tensor
    seen: Tensor

    def __init__(
        self,
        members: int,
        features: int,
        input_bits: int,
        outputs: int,
        *,
        hidden: int,
        hidden_bits: int,
        shift: int,
        frame: Frame | None = None,
        window: Window | None = None,
        recode: Tensor | None = None,
        code_bits: int = 0,
        group: int = 1,
        hidden_group: int = 1,
        spread: float = 4.0,
        relative: bool = True,
        reach: float = 0.0,
        seed: int = 0,
    ) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.input_bits, self.code_bits = input_bits, code_bits or input_bits
        self.outputs, self.hidden, self.group = outputs, hidden, group
        self.relative = relative
        summed = outputs - relative
        self.levels, self.shift, self.hidden_group = 1 << hidden_bits, shift, hidden_group
        self.frame, self.window, self.places = frame, window, 1
        if frame is not None and window is not None:
            seen = torch.from_numpy(window.wires_at(frame))
            self.register_buffer("seen", seen, persistent=False)
            self.places, features = seen.shape
        padded = -(-features // group) * group
        # Which codes meet in a table is drawn once for all members.
        order = (
            torch.randperm(features, generator=generator) if group > 1 else torch.arange(features)
        )
        order = torch.cat([order, order[: padded - features]])
        self.register_buffer("order", order.view(-1, group))
        plain = torch.arange(1 << input_bits).repeat(features, 1)
        self.register_buffer("recode", plain if recode is None else recode)
        self.recoded = recode is not None

        def ramps(groups: int, levels: int, codes: int, outputs: int, spread: float) -> Tensor:
            # A straight line and a bend per code: tables must start smooth to generalize.
            t = (torch.arange(levels) + 0.5) / levels * 2 - 1
            out = torch.zeros((members, groups, *(levels,) * codes, outputs))
            for axis in range(codes):
                slope = torch.randn((members, groups, 1, outputs), generator=generator)
                bend = torch.randn((members, groups, 1, outputs), generator=generator)
                part = slope * t[:, None] * 1.2 + bend * (t[:, None].square() - 1 / 3)
                shape = [members, groups, *(1,) * codes, outputs]
                shape[2 + axis] = levels
                out = out + part.view(shape)
            return spread * out / math.sqrt(codes)

        width = 1 << self.code_bits
        first = ramps(len(self.order), width, group, hidden, spread)
        self.first = nn.Parameter(first.flatten(2, -2))
        parts = self.places * hidden // hidden_group
        wide = spread if relative else reach / math.sqrt(parts)
        second = ramps(parts, self.levels, hidden_group, summed, wide)
        self.second = nn.Parameter(second.flatten(2, -2))
        self.first_step = nn.Parameter(torch.zeros(members, len(self.order), 1, hidden))
        self.second_step = nn.Parameter(torch.zeros(members, parts, 1, summed))
        self.offset = nn.Parameter(torch.zeros(members, 1, hidden))
        start = math.log(1.0 / (spread * math.sqrt(hidden / hidden_group)))
        self.log_scale = nn.Parameter(torch.full((members, 1, 1), start), requires_grad=relative)

    @property
    def members(self) -> int:
        """Networks in the population."""
        return int(self.log_scale.shape[0])

    def groups(self) -> dict[str, list[nn.Parameter]]:
        """Return the parameters by what they are: tables, steps, scale."""
        out = {
            "tables": [self.first, self.second, self.offset],
            "steps": [self.first_step, self.second_step],
        }
        return {**out, "scale": [self.log_scale]} if self.relative else out

    def penalty(self) -> Tensor:
        """Return a smooth count of table bits, ``log2(1 + range / step)``, (members,)."""
        total = torch.zeros(self.members, device=self.first.device)
        for tables, steps in ((self.first, self.first_step), (self.second, self.second_step)):
            span = tables.amax(2) - tables.amin(2)
            bits = torch.log2(1 + span / torch.exp2(steps.clamp(min=0))[:, :, 0])
            total = total + bits.flatten(1).sum(1)
        return total

    @staticmethod
    def whole(tables: Tensor, steps: Tensor) -> Tensor:
        """Return the integers tables stand for, multiples of their step, straight through."""
        step = torch.exp2(_round(steps.clamp(min=0)))
        return _round(tables / step) * step

    def anneal(self, step: Tensor, hard: bool) -> None:
        """Do nothing: these tables have no schedule."""

    def forward(self, codes: Tensor) -> Tensor:
        """Return logits, or outputs, (members, samples, outputs), of codes (samples, features)."""
        if not self.relative:
            return self.scores(codes, torch.float32)
        scores = self.scores(codes, torch.bfloat16 if codes.is_cuda else torch.float32)
        return scores * self.log_scale.exp()

    def _first_index(self, codes: Tensor) -> Tensor:
        used = self.recode.gather(1, codes.t().long()) if self.recoded else codes.t().long()
        index = torch.zeros((len(self.order), len(codes)), dtype=torch.long, device=codes.device)
        for place in range(self.group):
            # The first code of a group is the slowest axis of the table.
            index = (index << self.code_bits) | used[self.order[:, place]]
        return index

    def _hidden(self, codes: Tensor, dtype: torch.dtype) -> Tensor:
        """Return hidden codes before they are cut, (members, samples, hidden)."""
        members, samples = self.members, len(codes)
        if self.window is not None:
            codes = codes[:, self.seen].flatten(0, 1)
        entries = self.first.shape[2]
        values = torch.arange(entries, device=codes.device)
        one_hot = (self._first_index(codes).t()[:, :, None] == values).to(dtype).flatten(1)
        # Integers up to 256 are exact in bfloat16, and products accumulate in float32.
        first = self.whole(self.first, self.first_step).to(dtype).flatten(1, 2)
        flat = first.transpose(0, 1).reshape(-1, members * self.hidden)
        sums = (one_hot @ flat).float().view(len(codes), members, self.hidden).transpose(0, 1)
        u = (sums + _round(self.offset)) / (1 << self.shift) + self.levels / 2
        return u.reshape(members, samples, -1)

    @torch.no_grad()
    def hard_latent(self, codes: Tensor, layer: int = 0) -> Tensor:
        """Return the hidden codes, exactly, (members, samples, hidden)."""
        u = self._hidden(codes.to(torch.int32), torch.float32)
        return u.clamp(0, self.levels - 1).floor()

    def scores(self, codes: Tensor, dtype: torch.dtype) -> Tensor:
        """Return integer output sums, (members, samples, outputs)."""
        members, samples = self.members, len(codes)
        u = self._hidden(codes, dtype)
        inside = u.detach().clamp(0, self.levels - 1).floor().long()
        kept = ((u > -1) & (u < self.levels)).float()
        shift = ((u - u.detach()) * kept).view(members, samples, -1, self.hidden_group)
        parts = inside.view(members, samples, -1, self.hidden_group)
        index = parts[..., 0]
        for place in range(1, self.hidden_group):
            index = index * self.levels + parts[..., place]
        grid = torch.arange(self.second.shape[2], device=codes.device)
        cell = (index[..., None] == grid).to(dtype).flatten(2)
        second = self.whole(self.second, self.second_step)
        out = torch.bmm(cell, second.to(dtype).flatten(1, 2)).float()
        cells = (self.levels,) * self.hidden_group
        square = second.detach().view(members, second.shape[1], *cells, -1)
        for place in range(self.hidden_group):
            slope = _differences(square, 2 + place).flatten(2, -2).to(dtype)
            gain = torch.einsum(
                "mbgk,mgkc->mbgc", cell.view(members, samples, *slope.shape[1:3]), slope
            ).float()
            out = out + (gain * shift[..., place, None]).sum(2)
        return torch.cat([out, torch.zeros_like(out[..., :1])], 2) if self.relative else out

    @torch.no_grad()
    def hard_scores(self, codes: Tensor) -> Tensor:
        """Return the exact outputs, (members, samples, outputs)."""
        return self.scores(codes.to(torch.int32), torch.float32)

    @torch.no_grad()
    def network(self, member: int) -> LutNetwork:
        """Return one network."""

        def integers(x: Tensor) -> np.ndarray:
            return torch.round(x).cpu().numpy().astype(np.int64)

        first = integers(self.whole(self.first, self.first_step)[member])
        second = integers(self.whole(self.second, self.second_step)[member])
        if self.relative:
            second = np.concatenate([second, np.zeros_like(second[..., :1])], 2)
        offset = integers(self.offset[member, 0])
        half = (self.levels // 2) << self.shift
        cut = (_collect(first), offset + half, self.shift, self.levels)
        total = (_collect(second), np.zeros(self.outputs, np.int64), 0, 0)
        # A table index has its first pin in the low bits, the slowest axis in the high ones.
        order = self.order.flip(1).cpu().numpy()
        hidden = np.arange(self.places * self.hidden).reshape(-1, self.hidden_group)[:, ::-1]
        parts = [_edges("edges0", order, first), _edges("edges1", hidden, second)]
        if self.frame is not None and self.window is not None:
            place = Place("conv0", self.frame, self.window, Window((1, 1)))
            parts[0] = replace(parts[0], name="conv0_0", place=place)
        if self.recoded:
            recode = self.recode.cpu().numpy().astype(np.int64)
            pins = np.arange(len(recode))[:, None]
            return LutNetwork(
                (Part("encoder", "encoder", pins, recode), *parts), (None, cut, total)
            )
        return LutNetwork(tuple(parts), (cut, total))


def _edges(name: str, groups: np.ndarray, values: np.ndarray) -> Part:
    targets = values.shape[2]
    pins = np.repeat(groups, targets, axis=0)
    tables = values.transpose(0, 2, 1).reshape(len(groups) * targets, -1)
    return Part(name, "network", pins, tables)


def _collect(values: np.ndarray) -> np.ndarray:
    sources, _, targets = values.shape
    return np.tile(np.eye(targets, dtype=np.int64), (1, sources))
