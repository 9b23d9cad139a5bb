"""Fake quantizers of torch.ao as operations: torch.export cannot trace their switches."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import nn
from torch.ao.quantization import FakeQuantizeBase

from nnlogic.core.errors import Problem, UnsupportedModel


class Settled(nn.Module):
    """What a fake quantizer does when it no longer observes.

    Parameters
    ----------
    fake : FakeQuantizeBase
    """

    scale: torch.Tensor
    zero: torch.Tensor

    def __init__(self, fake: Any) -> None:
        super().__init__()
        self.axis = int(fake.ch_axis) if fake.is_per_channel else None
        self.bounds = (
            int(fake.activation_post_process.quant_min),
            int(fake.activation_post_process.quant_max),
        )
        scale, zero = fake.scale.detach().float(), fake.zero_point.detach()
        if self.axis is None:
            self.one = float(scale.reshape(-1)[0]), int(zero.reshape(-1)[0])
        else:
            self.register_buffer("scale", scale.clone())
            self.register_buffer("zero", zero.to(torch.int32).clone())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the nearest levels."""
        if self.axis is None:
            return torch.fake_quantize_per_tensor_affine(x, *self.one, *self.bounds)
        return torch.fake_quantize_per_channel_affine(
            x, self.scale, self.zero, self.axis, *self.bounds
        )


def settled(module: nn.Module, label: str) -> nn.Module:
    """Return the module, or a copy of it in which fake quantizers are operations.

    Raises
    ------
    UnsupportedModel
        Some still observe: what they give depends on what they were given before.
    """
    fakes: dict[str, Any] = {
        n: m for n, m in module.named_modules() if isinstance(m, FakeQuantizeBase)
    }
    if not fakes:
        return module
    problems = [
        Problem(
            name, "observes: its scale changes with every row",
            "module.apply(torch.ao.quantization.disable_observer)",
        )
        for name, fake in fakes.items()
        if int(fake.observer_enabled[0])
    ]  # fmt: skip
    if problems:
        what = "fake quantizers that are not settled"
        raise UnsupportedModel(what, where=label, problems=problems)
    made = copy.deepcopy(module)
    for name, fake in fakes.items():
        owner, _, leaf = name.rpartition(".")
        place = made.get_submodule(owner) if owner else made
        setattr(place, leaf, Settled(fake) if int(fake.fake_quant_enabled[0]) else nn.Identity())
    return made
