"""LUT-native networks: learned encoder, layers of 6-input tables with learned wires, votes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from nnlogic.nn.population.functional import (
    ROWS,
    K,
    choose_wires,
    hard_with_soft_gradient,
    lookup,
    multilinear,
)
from nnlogic.nn.population.parts import LutNetwork, Part


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
        if not phase.hard:
            return multilinear(torch.sigmoid(self.logits * phase.sharpness).to(z.dtype), z)
        with torch.no_grad():
            hard = lookup((self.logits > 0).to(z.dtype), z)
        spread = 0.5 + phase.smooth * (z - 0.5)
        soft = multilinear(torch.sigmoid(self.logits).to(z.dtype), spread)
        return hard_with_soft_gradient(hard, soft)

    def pins(self) -> Tensor:
        """Return the chosen wires, int64, (members, width, 6)."""
        members, width, _ = self.logits.shape
        chosen = self.wires.argmax(-1).view(members, width // self.share, K)
        return chosen.repeat_interleave(self.share, 1)


class LutPopulation(nn.Module):
    """Members of one shape: bits and learned functions of codes, LUT layers, weighted votes.

    Training follows the recipe of METHODS of this project's research notes: soft tables first,
    then hard ones with straight-through gradients (docs/guide/training.md).

    Parameters
    ----------
    members : int
    features, input_bits, classes : int
    widths : sequence of int
        Tables per layer; the last is a multiple of the classes.
    functions : int
        Learned functions per feature, besides the raw bits.
    votes : sequence of int
        Weight of each vote of a class; all ones when empty.
    share : sequence of int
        Per layer, tables on the same wires.
    centres : Tensor, optional
        First thresholds of the learned functions, (features, functions).
    soft_steps : int
        Steps of training with soft tables, before the hard ones.
    sharpness : float
        Slope of the soft tables at their end; 1 at the start.
    smooth, spread_gradient
        See `Phase`.
    seed : int
    """

    votes: Tensor

    def __init__(
        self,
        members: int,
        features: int,
        input_bits: int,
        classes: int,
        *,
        widths: Sequence[int],
        functions: int = 0,
        votes: Sequence[int] = (),
        share: Sequence[int] = (),
        centres: Tensor | None = None,
        soft_steps: int = 0,
        sharpness: float = 5.0,
        smooth: float = 0.8,
        spread_gradient: bool = True,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.soft_steps, self.sharpness = soft_steps, sharpness
        self.phase = Phase(True, torch.ones(()), smooth, spread_gradient)
        generator = torch.Generator().manual_seed(seed)
        self.input_bits, self.classes, self.features = input_bits, classes, features
        self.functions = (
            Functions(members, 1 << input_bits, centres, generator)
            if functions and centres is not None
            else None
        )
        inputs = features * (input_bits + functions)
        sharing = tuple(share) or (1,) * len(widths)
        layers = []
        for width, same in zip(widths, sharing, strict=True):
            layers.append(Tables(members, inputs, width, same, generator))
            inputs = width
        self.layers = nn.ModuleList(layers)
        per_class = widths[-1] // classes
        weights = torch.tensor(tuple(votes) or (1,) * per_class, dtype=torch.float32)
        self.register_buffer("votes", weights)
        start = math.log(2.5 / float(weights.square().sum().sqrt()))
        self.log_scale = nn.Parameter(torch.full((members, 1, 1), start))

    @property
    def members(self) -> int:
        """Networks in the population."""
        return int(self.log_scale.shape[0])

    def groups(self) -> dict[str, list[nn.Parameter]]:
        """Return the parameters by what they are: wires, tables, functions, scale."""
        tables = [layer for layer in self.layers if isinstance(layer, Tables)]
        out = {
            "wires": [layer.wires for layer in tables],
            "tables": [layer.logits for layer in tables],
            "scale": [self.log_scale],
        }
        if self.functions is not None:
            out["functions"] = [self.functions.logits]
        return out

    def _wires(self, codes: Tensor, dtype: torch.dtype) -> Tensor:
        shifts = torch.arange(self.input_bits, device=codes.device)
        bits = (codes.t()[:, None, :] >> shifts[:, None]) & 1
        raw = bits.reshape(1, -1, len(codes)).to(dtype)
        if self.functions is None:
            return raw
        values = torch.arange(1 << self.input_bits, device=codes.device)
        one_hot = (codes.t()[:, None, :] == values[:, None]).to(dtype)
        learned = self.functions(one_hot)
        return torch.cat([raw.expand(len(learned), -1, -1), learned], 1)

    def anneal(self, step: Tensor, hard: bool) -> None:
        """Follow the schedule of training.

        Parameters
        ----------
        step : tensor, a scalar
            Steps taken, this one included.
        hard : bool
            Whether `soft_steps` are over. Apart from the step, since it chooses what is computed.
        """
        soft = (step / max(self.soft_steps, 1)).clamp(max=1)
        slope = torch.exp(soft * math.log(self.sharpness))
        self.phase = replace(self.phase, hard=hard, sharpness=slope)

    def forward(self, codes: Tensor) -> Tensor:
        """Return logits, (members, samples, classes), of input codes (samples, features)."""
        half = self.phase.hard and codes.is_cuda
        scores = self.scores(codes, self.phase, torch.bfloat16 if half else torch.float32)
        return scores * self.log_scale.exp()

    def scores(self, codes: Tensor, phase: Phase, dtype: torch.dtype) -> Tensor:
        """Return weighted vote counts, (members, samples, classes)."""
        x = self._wires(codes, dtype)
        for layer in self.layers:
            x = layer(x, phase)
        votes = x.float().view(x.shape[0], self.classes, -1, x.shape[-1])
        return (votes * self.votes[:, None]).sum(2).transpose(1, 2)

    def penalty(self) -> Tensor | None:
        """Return nothing: the size of these networks is fixed by their shape."""
        return None

    @torch.no_grad()
    def hard_scores(self, codes: Tensor) -> Tensor:
        """Return the exact scores of the hard networks, (members, samples, classes)."""
        phase = Phase(True, torch.ones((), device=codes.device))
        return self.scores(codes.to(torch.int32), phase, torch.float32)

    @torch.no_grad()
    def network(self, member: int) -> LutNetwork:
        """Return one hard network."""
        bits = self.input_bits
        index = np.arange(1 << bits)
        raw = np.array([(index >> b) & 1 for b in range(bits)])
        pins = np.repeat(np.arange(self.features), bits)
        tables = np.tile(raw, (self.features, 1))
        if self.functions is not None:
            learned = (self.functions.logits[member] > 0).cpu().numpy().astype(np.int64)
            pins = np.concatenate([pins, np.repeat(np.arange(self.features), learned.shape[1])])
            tables = np.concatenate([tables, learned.reshape(-1, 1 << bits)])
        parts = [] if bits == 1 else [Part("encoder", "encoder", pins[:, None], tables)]
        for i, layer in enumerate(self.layers):
            if isinstance(layer, Tables):
                hard = (layer.logits[member] > 0).cpu().numpy().astype(np.int64)
                parts.append(Part(f"luts{i}", "network", layer.pins()[member].cpu().numpy(), hard))
        votes = self.votes.cpu().numpy().astype(np.int64)
        weights = np.kron(np.eye(self.classes, dtype=np.int64), votes)
        total = (weights, np.zeros(self.classes, np.int64), 0, 0)
        return LutNetwork(tuple(parts), (*(None,) * (len(parts) - 1), total))
