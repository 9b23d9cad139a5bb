"""Checkpoints of LogicNets."""

from __future__ import annotations

import io
from itertools import pairwise
from pathlib import Path
from typing import Any

from ..format import Format, Maker
from ..kit import TORCH, made, reading

SCALE = "brevitas_module.act_quant_proxy.fused_activation_quant_proxy.tensor_quant.scaling_impl"
READ = "bits=1/2/2"


def state(widths: tuple[int, ...] = (5, 4, 3), fan_in: int = 3) -> dict[str, Any]:
    """Return the tensors of some layers."""
    import torch

    g = torch.Generator().manual_seed(0)
    found: dict[str, Any] = {}
    for layer, (ins, outs) in enumerate(pairwise(widths)):
        part = f"module_list.{layer}"
        mask = torch.zeros(outs, ins)
        mask[:, :fan_in] = 1
        found[f"{part}.fc.weight"] = torch.randn(outs, ins, generator=g)
        found[f"{part}.fc.bias"] = torch.randn(outs, generator=g)
        found[f"{part}.fc.mask.mask"] = mask
        quant = {f"{SCALE}.learned_value": torch.tensor(0.5)}
        for name in ("weight", "bias", "running_mean", "running_var"):
            quant[f"pre_transforms.0.{name}"] = torch.rand(outs, generator=g) + 0.1
        for name, value in quant.items():
            found[f"{part}.output_quant.{name}"] = value
            if layer + 2 < len(widths):
                found[f"module_list.{layer + 1}.input_quant.{name}"] = value
    found[f"{part}.output_quant.post_transforms.0.weight"] = torch.tensor([4.2])
    found[f"{part}.output_quant.post_transforms.0.bias"] = torch.tensor([0.3])
    return found


def make(folder: Path) -> None:
    """Write two layers, alone and beside an optimizer."""
    import torch

    torch.save({"model_dict": state(), "test_accuracy": 99.0}, folder / "logicnets.pth")
    torch.save({"model_dict": state((4, 1)), "epoch": 3}, folder / "one.pth")


def _saved(**change: Any) -> bytes:
    import torch

    out = io.BytesIO()
    torch.save({"model_dict": {**state(), **change}}, out)
    return out.getvalue()


def _claimed(name: str, *shape: int) -> bytes:
    """A view of one number as very many."""
    import torch

    return _saved(**{f"module_list.0.{name}": torch.ones(1).expand(*shape)})


def _wide(*widths: int, fan_in: int) -> bytes:
    import torch

    out = io.BytesIO()
    torch.save({"model_dict": state(widths, fan_in)}, out)
    return out.getvalue()


ABSURD: tuple[Maker, ...] = (
    lambda _: _claimed("fc.weight", 1 << 20, 1 << 20),
    lambda _: _claimed("fc.weight", 1 << 13, 1 << 13),
    lambda _: _claimed("fc.mask.mask", 1 << 40, 5),
    lambda _: _claimed("fc.bias", 1 << 34),
    lambda _: _wide(17, 300, 3, fan_in=16),
    lambda _: _wide(400, 2000, 3, fan_in=3),
    lambda _: _wide(3, *[3] * 900, fan_in=3),
    lambda _: _saved(**{f"module_list.{n}.fc.weight": 1 for n in range(9_999)}),
    lambda _: _saved(**{"module_list.\u0661.fc.weight": 1}),
)
FORMATS = (
    Format(
        "logicnets", "f.pth", made("logicnets.pth", "one.pth"),
        (*reading("f.pth", READ, 2), *reading("f.pth", f"{READ},decision=threshold:0.75", 2)),
        TORCH, ABSURD, make=make,
    ),
)  # fmt: skip
