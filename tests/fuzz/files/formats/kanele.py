"""Tables and checkpoints of KANELE."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np

from ..format import Format, Maker
from ..kit import JSON, TORCH, contents, made, reading
from ..values import DEEP

CONFIG = {
    "layers": [3, 3, 2], "layers_bitwidth": [3, 3, 3], "base_activation": "nn.SiLU",
    "spline_order": 2,
}  # fmt: skip


def tables() -> bytes:
    """Return the tables of two layers."""
    rng = np.random.default_rng(5)
    widths = CONFIG["layers"]
    made = {
        f"{n}_{i}_{o}": {"acive": 1, "values_int": rng.integers(-9, 9, 8).tolist()}
        for n in range(2)
        for i in range(widths[n])
        for o in range(widths[n + 1])
    }
    made["0_1_1"]["acive"] = 0
    return json.dumps(made).encode()


def make(folder: Path) -> None:
    """Write a checkpoint of the same shape."""
    import torch

    quant = "brevitas_module.act_quant.fused_activation_quant_proxy.tensor_quant.scaling_impl.value"
    g = torch.Generator().manual_seed(0)
    state = {f"input_layer.{quant}": torch.tensor(2.1)}
    for name in ("weight", "bias", "running_mean", "running_var"):
        state[f"input_layer.pre_transforms.0.{name}"] = torch.rand(3, generator=g) + 0.2
    state["input_layer.pre_transforms.1.bias"] = torch.tensor([-0.2])
    order, grid = CONFIG["spline_order"], 3
    knots = torch.arange(-order, grid + order + 1) * (4 / grid) - 2
    for number, (ins, outs) in enumerate(pairwise(CONFIG["layers"])):
        part = f"layers.{number}."
        state[f"{part}base_weight"] = torch.randn(outs, ins, generator=g)
        state[f"{part}spline_weight"] = torch.randn(outs, ins, grid + order, generator=g)
        state[f"{part}spline_scaler"] = torch.randn(outs, ins, generator=g)
        state[f"{part}spline_selector"] = torch.ones(outs, ins)
        state[f"{part}grid"] = knots.expand(ins, -1).contiguous()
        state[f"{part}output_quantizer.{quant}"] = torch.tensor(1.5)
    scaler = {"scaler_mean_": [0.1, 0.2, 0.3], "scaler_scale_": [1.0, 2.0, 0.5]}
    torch.save({"epoch": 3, "model_state_dict": state, **scaler}, folder / "kanele.pt")


def _beside(name: str, content: bytes) -> Callable[[Path, Path], object]:
    return lambda folder, case: (case / name).write_bytes(content)


def _kanele(**tables: int) -> bytes:
    """Tables of so many ones, by the name of each."""
    told = {key: {"acive": 1, "values_int": [1] * size} for key, size in tables.items()}
    return json.dumps(told).encode()


ABSURD: tuple[Maker, ...] = (
    lambda _: _kanele(**{"0_0_999999": 8}),
    lambda _: _kanele(**{"0_999999_0": 8}),
    lambda _: _kanele(**{"0_65535_65535": 4, "1_65535_65535": 4}),
    lambda _: _kanele(**{f"{n}_0_0": 2 for n in range(20_000)}),
    lambda _: _kanele(**{f"0_{n}_0": 2 for n in range(20_000)}),
    lambda _: _kanele(**{f"0_{n}_{n}": 2 for n in range(20_000)}),
    lambda _: _kanele(**{"0_0_0": 1 << 14, "0_0_1": 1 << 20}),
    lambda _: b'{"0_0_0": {' + b'"a": {' * DEEP,
)

CONFIGURED = json.dumps(CONFIG).encode()
FORMATS = (
    Format(
        "kanele", "f.json", contents(tables()), reading("f.json"), JSON, ABSURD,
        _beside("config.json", CONFIGURED),
    ),
    Format(
        "kanele-config", "config.json", contents(CONFIGURED), reading("f.json"), JSON,
        around=_beside("f.json", tables()),
    ),
    Format(
        "kanele-pt", "f.pt", made("kanele.pt"), reading("f.pt"), TORCH,
        around=_beside("config.json", CONFIGURED), make=make,
    ),
)  # fmt: skip
