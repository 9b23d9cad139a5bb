"""LUT-native networks: learned encoder, layers of 6-input tables with learned wires, votes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from nnlogic.core.windows import Frame
from nnlogic.model.window import WindowSpec
from nnlogic.nn.population.codes import encoder_part, map_encoder_part, map_wires, wires_of
from nnlogic.nn.population.parts import LutNetwork, Part
from nnlogic.nn.population.tables import Functions, Phase, Tables
from nnlogic.nn.population.windows import WindowTables, as_map, flat

AT_ONCE = {"cpu": 1 << 25, "cuda": 1 << 31}
"""Values of a feature map and its windows that are held at once when a network is rated."""


class LutPopulation(nn.Module):
    """Members of one shape: bits and learned functions of codes, LUT layers, weighted votes.

    Layers on the windows of a map may stand before the others, see `WindowTables`.

    Training takes soft tables first, then hard ones with straight-through gradients
    (docs/guide/training.md).

    Parameters
    ----------
    members : int
    features, input_bits, outputs : int
    widths : sequence of int
        Tables per layer; the last is a multiple of the outputs.
    functions : int
        Learned functions per feature, besides the raw bits.
    votes : sequence of int
        Weight of each vote of an output; all ones when empty.
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
    frame : Frame, optional
        Of the input as a map, its channels the bits and functions of the features of a place; for
        `windows`. The functions are the same at all places then.
    windows : sequence of WindowSpec
        Kernels of tables on windows, before the layers of `widths`.
    relative : bool
        Whether outputs are compared with each other only, as scores of classes are: logits are
        scores times a learned scale then. Otherwise they are what they are.
    seed : int
    """

    votes: Tensor

    def __init__(
        self,
        members: int,
        features: int,
        input_bits: int,
        outputs: int,
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
        frame: Frame | None = None,
        windows: Sequence[WindowSpec] = (),
        relative: bool = True,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.soft_steps, self.sharpness = soft_steps, sharpness
        self.phase = Phase(True, torch.ones(()), smooth, spread_gradient)
        generator = torch.Generator().manual_seed(seed)
        self.input_bits, self.outputs, self.features = input_bits, outputs, features
        self.relative = relative
        self.frame = frame if windows else None
        self.channels = 0
        if self.frame is not None:
            self.channels = self.frame.channels // (input_bits + functions)
            if centres is not None:
                centres = centres.view(-1, self.channels, functions).mean(0)
        self.functions = (
            Functions(members, 1 << input_bits, centres, generator)
            if functions and centres is not None
            else None
        )
        inputs = features * (input_bits + functions)
        maps, here = [], self.frame
        for spec in windows:
            if here is not None:
                maps.append(WindowTables(members, here, spec, generator))
                here = spec.after(here)
                inputs = here.wires
        self.maps = nn.ModuleList(maps)
        sharing = tuple(share) or (1,) * len(widths)
        layers = []
        for width, same in zip(widths, sharing, strict=True):
            layers.append(Tables(members, inputs, width, same, generator))
            inputs = width
        self.layers = nn.ModuleList(layers)
        each = widths[-1] // outputs
        weights = torch.tensor(tuple(votes) or (1,) * each, dtype=torch.float32)
        self.register_buffer("votes", weights)
        start = math.log(2.5 / float(weights.square().sum().sqrt()))
        self.log_scale = nn.Parameter(torch.full((members, 1, 1), start), requires_grad=relative)

    @property
    def members(self) -> int:
        """Networks in the population."""
        return int(self.log_scale.shape[0])

    def groups(self) -> dict[str, list[nn.Parameter]]:
        """Return the parameters by what they are: wires, tables, functions, scale."""
        tables = [layer for layer in self.modules() if isinstance(layer, Tables)]
        out = {
            "wires": [layer.wires for layer in tables],
            "tables": [layer.logits for layer in tables],
        }
        if self.relative:
            out["scale"] = [self.log_scale]
        if self.functions is not None:
            out["functions"] = [self.functions.logits]
        return out

    def _wires(self, codes: Tensor, dtype: torch.dtype) -> Tensor:
        if self.frame is None:
            return wires_of(codes, self.input_bits, self.functions, dtype)
        return map_wires(codes, self.input_bits, self.channels, self.functions, dtype)

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
        """Return logits, or outputs, (members, samples, outputs), of codes (samples, features)."""
        # Bits are exact in eight bits of mantissa; probabilities on a map are one of thousands.
        half = codes.is_cuda and (self.phase.hard or len(self.maps) > 0)
        scores = self.scores(codes, self.phase, torch.bfloat16 if half else torch.float32)
        return scores * self.log_scale.exp() if self.relative else scores

    def scores(self, codes: Tensor, phase: Phase, dtype: torch.dtype) -> Tensor:
        """Return weighted vote counts, (members, samples, outputs)."""
        x = self._mapped(self._wires(codes, dtype), phase)
        for layer in self.layers:
            x = layer(x, phase)
        votes = x.float().view(x.shape[0], self.outputs, -1, x.shape[-1])
        return (votes * self.votes[:, None]).sum(2).transpose(1, 2)

    @torch.no_grad()
    def hard_latent(self, codes: Tensor, layer: int) -> Tensor:
        """Return the bits of a layer of `widths`, exactly, (members, samples, tables)."""
        phase = Phase(True, torch.ones((), device=codes.device))
        x = self._mapped(self._wires(codes.to(torch.int32), torch.float32), phase)
        for each in list(self.layers)[: layer + 1]:
            x = each(x, phase)
        return x.transpose(1, 2)

    @torch.no_grad()
    def dense_wires(self, codes: Tensor, member: int) -> Tensor:
        """Return what the layers of `widths` read of a member, exactly, uint8, (wires, samples)."""
        phase = Phase(True, torch.ones((), device=codes.device))
        dtype = torch.bfloat16 if codes.is_cuda else torch.float32
        x = self._mapped(self._wires(codes.to(torch.int32), dtype), phase)
        return x[min(member, len(x) - 1)].to(torch.uint8)

    def _mapped(self, x: Tensor, phase: Phase) -> Tensor:
        if self.frame is None:
            return x
        x = as_map(x, self.frame)
        for kernel in self.maps:
            x = kernel(x, phase)
        return flat(x)

    def penalty(self) -> Tensor | None:
        """Return nothing: the size of these networks is fixed by their shape."""
        return None

    @torch.no_grad()
    def hard_scores(self, codes: Tensor) -> Tensor:
        """Return the exact outputs of the hard networks, (members, samples, outputs)."""
        phase = Phase(True, torch.ones((), device=codes.device))
        dtype = torch.bfloat16 if codes.is_cuda else torch.float32
        wide = [k.values_per_row for k in self.maps if isinstance(k, WindowTables)]
        at_once = AT_ONCE[codes.device.type] // (self.members * max(wide, default=1))
        parts = codes.to(torch.int32).split(max(1, at_once))
        return torch.cat([self.scores(part, phase, dtype) for part in parts], 1)

    def _encoder(self, member: int) -> list[Part]:
        bits = self.input_bits
        if self.frame is not None and (bits > 1 or self.functions is not None):
            sides = self.frame.height, self.frame.width
            return [map_encoder_part(self.channels, *sides, bits, self.functions, member)]
        return [] if bits == 1 else [encoder_part(self.features, bits, self.functions, member)]

    @torch.no_grad()
    def network(self, member: int) -> LutNetwork:
        """Return one hard network."""
        parts = self._encoder(member)
        for i, kernel in enumerate(self.maps):
            if isinstance(kernel, WindowTables):
                parts += kernel.parts(member, f"conv{i}")
        for i, layer in enumerate(self.layers):
            if isinstance(layer, Tables):
                parts.append(Part(f"luts{i}", "network", *layer.hard(member)))
        votes = self.votes.cpu().numpy().astype(np.int64)
        weights = np.kron(np.eye(self.outputs, dtype=np.int64), votes)
        total = (weights, np.zeros(self.outputs, np.int64), 0, 0)
        return LutNetwork(tuple(parts), (*(None,) * (len(parts) - 1), total))
