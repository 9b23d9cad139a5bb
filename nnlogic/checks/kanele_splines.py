"""Splines of a KANELE checkpoint, evaluated anew: every basis by its recursive definition."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, ndtr

from nnlogic.core.formats import IntArray

Floats = NDArray[np.float32]

QUANT = "brevitas_module.act_quant.fused_activation_quant_proxy.tensor_quant.scaling_impl.value"
ACTIVE = {
    "nn.SiLU": lambda x: x * expit(x),
    "nn.GELU": lambda x: x * ndtr(x),
    "nn.ReLU": lambda x: np.where(x > 0, x, 0),
    "nn.Tanh": np.tanh,
    "nn.Sigmoid": expit,
    "nn.Identity": lambda x: x,
}


def spline_entries(state: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the tables of a checkpoint as ``truth_tables.json`` would have them.

    Parameters
    ----------
    state : mapping of str to tensors
        The ``model_state_dict``.
    config : mapping
        What stands in ``config.json``.
    """
    layers, bits = config["layers"], config["layers_bitwidth"]
    order = config["spline_order"]
    names = ["input_layer", *(f"layers.{i}.output_quantizer" for i in range(len(layers) - 1))]
    steps = [
        np.float32(abs(np.float32(state[f"{name}.{QUANT}"])) / np.float32(2 ** (b - 1)))
        for name, b in zip(names, bits, strict=True)
    ]
    out = {}
    for layer in range(len(layers) - 1):
        base, spline, scaler, selector, grid = (
            np.asarray(state[f"layers.{layer}.{part}"])
            for part in ("base_weight", "spline_weight", "spline_scaler", "spline_selector", "grid")
        )
        levels = np.arange(2 ** bits[layer]) - 2 ** (bits[layer] - 1)
        x = levels.astype(np.float32) * steps[layer]
        active = ACTIVE[config["base_activation"]](x.astype(np.float64)).astype(np.float32)
        top = 2 ** (bits[layer + 1] - 1)
        for i in range(layers[layer]):
            known: dict[tuple[int, int], Floats] = {}
            splines = [_basis(x, grid[i], k, order, known) for k in range(spline.shape[2])]
            for o in range(layers[layer + 1]):
                weights = spline[o, i] * scaler[o, i]
                total = sum(
                    (
                        s.astype(np.float64) * np.float64(w)
                        for s, w in zip(splines, weights, strict=True)
                    ),
                    start=np.zeros(len(x)),
                )
                y = active * base[o, i] + total.astype(np.float32)
                codes = np.clip(np.rint(y / steps[layer + 1]), -top, top - 1)
                out[f"{layer}_{i}_{o}"] = {
                    "acive": int(selector[o, i]),
                    "values_int": codes.astype(np.int64),
                }
    return out


def _basis(
    x: Floats, t: Floats, i: int, order: int, known: dict[tuple[int, int], Floats]
) -> Floats:
    """Return spline `i` of an order over the knots `t`."""
    if (i, order) not in known:
        if order == 0:
            known[i, 0] = np.where((t[i] <= x) & (x < t[i + 1]), np.float32(1), np.float32(0))
        else:
            low, high = (_basis(x, t, i + j, order - 1, known) for j in (0, 1))
            rise = (x - t[i]) / (t[i + order] - t[i])
            fall = (t[i + order + 1] - x) / (t[i + order + 1] - t[i + 1])
            known[i, order] = rise * low + fall * high
    return known[i, order]


def raw_codes(content: Mapping[str, Any], rows: Floats, bits: int, raw: bool) -> IntArray:
    """Return the input codes of rows, plus half of their range, shape (rows, features)."""
    state = content["model_state_dict"]
    x: NDArray[Any] = rows
    if raw:
        mean, scale = (np.array(content[f"scaler_{name}_"]) for name in ("mean", "scale"))
        with np.errstate(over="ignore"):
            x = ((x.astype(np.float64) - mean) / scale).astype(np.float32)
    if "input_layer.pre_transforms.0.weight" in state:
        weight, bias, average, variance = (
            np.asarray(state[f"input_layer.pre_transforms.0.{name}"])
            for name in ("weight", "bias", "running_mean", "running_var")
        )
        gain = weight / np.sqrt(variance + np.float32(1e-5))
        with np.errstate(over="ignore"):
            x = x * gain + (bias - average * gain)
    x = x + np.asarray(state.get("input_layer.pre_transforms.1.bias", np.zeros(1, np.float32)))
    half = 2 ** (bits - 1)
    step = abs(np.float32(state[f"input_layer.{QUANT}"])) / np.float32(half)
    with np.errstate(over="ignore"):
        steps = np.rint(x / step)
    codes: IntArray = np.clip(steps, -half, half - 1).astype(np.int64) + half
    return codes
