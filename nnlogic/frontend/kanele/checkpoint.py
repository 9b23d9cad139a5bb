"""Checkpoints of KANELE as tables: splines and activations in float32, at every code.

A function of one variable is a weighted activation and a sum of B-splines, in float32; the sum is
rounded to it once. Raw features pass a batch norm and a bias, and are rounded to codes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.errors import CheckpointError, Problem, UsageError
from nnlogic.core.formats import IntArray
from nnlogic.core.limits import FEATURES, NEURONS, WEIGHTS
from nnlogic.frontend.finite import finite
from nnlogic.frontend.kanele.format import CONFIG
from nnlogic.frontend.kanele.tables import MOST_BITS, Encoder, Tables
from nnlogic.frontend.monotone import first_where
from nnlogic.frontend.torch_file import as_array, read_arrays

Floats = NDArray[np.float32]
Wide = NDArray[np.float64]

SCALE = ".brevitas_module.act_quant.fused_activation_quant_proxy.tensor_quant.scaling_impl.value"
NORM = "input_layer.pre_transforms.0."
OFFSET = "input_layer.pre_transforms.1.bias"
PART = re.compile(
    r"layers\.(\d{1,3})\.(base_weight|spline_weight|spline_scaler|spline_selector|grid)"
)
LARGEST = float(np.finfo(np.float32).max)
MOST_ORDER = 16
MOST_LAYERS = 64
ACTIVATIONS: Mapping[str, Callable[[Wide], Wide]] = {
    "nn.SiLU": lambda x: x / (1 + np.exp(-x)),
    "nn.GELU": lambda x: x * np.array([0.5 * math.erfc(-v / math.sqrt(2)) for v in x.tolist()]),
    "nn.ReLU": lambda x: np.maximum(x, 0),
    "nn.Tanh": np.tanh,
    "nn.Sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "nn.Identity": lambda x: x,
}
"""By the text in the configuration, which is looked up and never evaluated."""


def read_checkpoint(
    path: Path, config: Mapping[str, Any] | None, options: Mapping[str, str]
) -> tuple[Tables, Encoder]:
    """Return the tables of a checkpoint, and how raw features become codes.

    Parameters
    ----------
    path : Path
        Torch file with a ``model_state_dict``.
    config : mapping or None
        What stands in the configuration beside it.
    options : mapping of str to str

    Raises
    ------
    CheckpointError
        All problems are listed.
    UsageError
        There are no such rows.
    ToolNotFound
        torch is not installed.
    """
    content = read_arrays(path)
    state = content.get("model_state_dict") if isinstance(content, dict) else None
    if config is None or not isinstance(state, Mapping):
        raise CheckpointError(
            "an incomplete KANELE checkpoint",
            where=str(path),
            why=f"no {CONFIG} beside it" if config is None else "no model_state_dict in it",
            fix=f"copy the model's {CONFIG}, with widths and activation, beside the checkpoint",
        )
    problems: list[Problem] = []
    widths, bits, order, activation = _configuration(config, problems)
    known = {NORM + n for n in ("weight", "bias", "running_mean", "running_var")}
    known |= {NORM + "num_batches_tracked", OFFSET, f"input_layer{SCALE}"}
    known |= {f"layers.{number}.output_quantizer{SCALE}" for number in range(len(widths) - 1)}
    for key in state:
        match = PART.fullmatch(str(key))
        if str(key) not in known and (match is None or int(match[1]) >= len(widths) - 1):
            problems.append(Problem(str(key)[:80], "is no part of this network"))
    if problems:
        raise CheckpointError("not a KANELE network", where=str(path), problems=problems)
    steps = [_step(state, f"input_layer{SCALE}", bits[0], problems)]
    every: list[dict[tuple[int, int], IntArray]] = []
    for number in range(len(widths) - 1):
        name = f"layers.{number}.output_quantizer{SCALE}"
        steps.append(_step(state, name, bits[number + 1], problems))
        shape = widths[number + 1], widths[number]
        with finite(path):
            parts = _parts(state, number, shape, order, problems)
            if not problems:
                half = 1 << bits[number] - 1
                x = np.arange(-half, half).astype(np.float32) * steps[-2]
                every.append(_tables(parts, x, order, activation, steps[-1], bits[number + 1]))
    scaler = _scaler(content, options, widths[0], problems)
    with finite(path):
        encoder = _encoder(state, scaler, steps[0], bits[0], widths[0], problems)
    if problems:
        raise CheckpointError(
            "a KANELE checkpoint that cannot be used", where=str(path), problems=problems
        )
    return Tables(tuple(widths), tuple(bits), tuple(every)), encoder


def _configuration(
    config: Mapping[str, Any], problems: list[Problem]
) -> tuple[list[int], list[int], int, Callable[[Wide], Wide]]:
    """Return widths and bits of all layers, the order of the splines, and the activation."""

    def listed(name: str, low: int, high: int) -> list[int]:
        found = config.get(name)
        right = isinstance(found, list) and 2 <= len(found) <= MOST_LAYERS
        if not right or any(type(v) is not int or not low <= v <= high for v in found or ()):
            problems.append(Problem(f"{CONFIG}: {name}", f"no list of numbers {low} to {high:,}"))
            return [low, low]
        return list(found or ())

    widths, bits = listed("layers", 1, NEURONS.value), listed("layers_bitwidth", 1, MOST_BITS)
    problems += FEATURES.problems("inputs", widths[0])
    if len(widths) != len(bits):
        problems.append(Problem(CONFIG, f"{len(widths)} layers, {len(bits)} widths of codes"))
    for before, after in pairwise(widths):
        problems += WEIGHTS.problems(CONFIG, before * after)
    order = config.get("spline_order")
    if type(order) is not int or not 0 <= order <= MOST_ORDER:
        problems.append(Problem(f"{CONFIG}: spline_order", f"{str(order)[:20]}, 0 to {MOST_ORDER}"))
        order = 0
    name = config.get("base_activation")
    if not isinstance(name, str) or name not in ACTIVATIONS:
        known = ", ".join(ACTIVATIONS)
        problems.append(Problem(f"{CONFIG}: base_activation", f"{str(name)[:40]!r}", known))
        name = "nn.Identity"
    return widths, bits, order, ACTIVATIONS[name]


def _array(
    state: Mapping[str, Any], name: str, shape: tuple[int, ...], problems: list[Problem]
) -> Floats:
    value = as_array(state.get(name, 0))
    if value.shape != shape or value.dtype.kind != "f" or not np.isfinite(value).all():
        why = f"{value.dtype} of shape {value.shape}, need finite numbers of shape {shape}"
        problems.append(Problem(name, why if name in state else "is missing"))
        return np.ones(shape, np.float32)
    return value.astype(np.float32)


def _step(state: Mapping[str, Any], name: str, bits: int, problems: list[Problem]) -> np.float32:
    value = np.abs(_array(state, name, (), problems))[()]
    if not 1e-30 < value < 1e30:
        problems.append(Problem(name, f"a scale of {value}"))
    return np.float32(value / np.float32(1 << bits - 1))


def _parts(
    state: Mapping[str, Any],
    number: int,
    shape: tuple[int, int],
    order: int,
    problems: list[Problem],
) -> tuple[Floats, Floats, Floats, Floats]:
    """Return weights of the activation, scaled ones of the splines, selectors and knots."""
    name = f"layers.{number}."
    base, scaler, selector = (
        _array(state, name + part, shape, problems)
        for part in ("base_weight", "spline_scaler", "spline_selector")
    )
    knots = as_array(state.get(f"{name}grid", 0))
    count = knots.shape[1] if knots.ndim == 2 else 0
    grid = _array(state, f"{name}grid", (shape[1], count), problems)
    if count < order + 2 or not (np.diff(grid, axis=1) > 0).all():
        problems.append(Problem(f"{name}grid", f"{count} knots, need {order + 2}, ascending"))
        return base, base, base, base
    spline = _array(state, f"{name}spline_weight", (*shape, count - order - 1), problems)
    if not np.isin(selector, (0, 1)).all():
        problems.append(Problem(f"{name}spline_selector", "is not 0 and 1"))
    return base, spline * scaler[:, :, None], selector, grid


def _tables(
    parts: tuple[Floats, Floats, Floats, Floats],
    x: Floats,
    order: int,
    activation: Callable[[Wide], Wide],
    step: np.float32,
    bits: int,
) -> dict[tuple[int, int], IntArray]:
    base, spline, selector, grid = parts
    with np.errstate(over="ignore"):
        active = activation(x.astype(np.float64)).astype(np.float32)
    half = 1 << bits - 1
    out = {}
    for i in range(base.shape[1]):
        values = bases(x, grid[i], order)
        sums = np.zeros((len(x), len(base)))
        for k in range(values.shape[1]):
            sums += values[:, k, None].astype(np.float64) * spline[:, i, k]
        total = active[:, None] * base[:, i] + sums.astype(np.float32)
        codes = np.clip(np.rint(total / step), -half, half - 1).astype(np.int64)
        for o in np.flatnonzero(selector[:, i]).tolist():
            out[i, o] = codes[:, o]
    return out


def bases(x: Floats, knots: Floats, order: int) -> Floats:
    """Return the B-splines of an order at `x`, by the recursion of Cox and de Boor in float32.

    Parameters
    ----------
    x : float32 array, shape (points,)
    knots : float32 array, shape (count,)
        Ascending.
    order : int

    Returns
    -------
    float32 array, shape (points, count - order - 1)
    """
    at = x[:, None]
    out = ((at >= knots[:-1]) & (at < knots[1:])).astype(np.float32)
    for k in range(1, order + 1):
        start, end = knots[: -k - 1], knots[k + 1 :]
        rising = (at - start) / (knots[k:-1] - start) * out[:, :-1]
        falling = (end - at) / (end - knots[1:-k]) * out[:, 1:]
        out = rising + falling
    return out


def _scaler(
    content: Mapping[str, Any], options: Mapping[str, str], width: int, problems: list[Problem]
) -> tuple[Wide, Wide] | None:
    """Return mean and scale of raw features, where rows are raw and the file has them."""
    given = [content.get(f"scaler_{name}_") for name in ("mean", "scale")]
    rows = options.get("rows", "standardized" if any(g is None for g in given) else "raw")
    if rows not in ("raw", "standardized"):
        raise UsageError("--read rows", why=f"{rows!r}", fix="rows=raw, or rows=standardized")
    if rows == "standardized":
        return None
    found = []
    for name, values in zip(("mean", "scale"), given, strict=True):
        numbers = values if isinstance(values, list) and len(values) == width else []
        array = np.array(
            [
                float(v) if type(v) in (int, float) and abs(v) < LARGEST else math.nan
                for v in numbers
            ],
            dtype=np.float64,
        )
        if len(array) != width or not np.isfinite(array).all():
            problems.append(Problem(f"scaler_{name}_", f"is no list of {width} numbers"))
        found.append(array if len(array) == width else np.ones(width))
    if not (found[1] > 0).all():
        problems.append(Problem("scaler_scale_", "is not above 0"))
    return found[0], found[1]


def _encoder(
    state: Mapping[str, Any],
    scaler: tuple[Wide, Wide] | None,
    step: np.float32,
    bits: int,
    width: int,
    problems: list[Problem],
) -> Encoder:
    gain, shift = np.ones(width, np.float32), np.zeros(width, np.float32)
    if any(str(key).startswith(NORM) for key in state):
        weight, bias, mean, variance = (
            _array(state, NORM + name, (width,), problems)
            for name in ("weight", "bias", "running_mean", "running_var")
        )
        if (variance < 0).any():
            problems.append(Problem(f"{NORM}running_var", "is negative"))
            variance = np.abs(variance)
        gain = weight / np.sqrt(variance + np.float32(1e-5))
        shift = bias - mean * gain
    offset = _array(state, OFFSET, (1,), problems)[0] if OFFSET in state else np.float32(0)
    half = 1 << bits - 1
    levels = np.arange(1, 2 * half)
    thresholds, index = [], []
    for i in range(0 if problems else width):
        falls = gain[i] < 0

        def reached(x: Floats, i: int = i, falls: bool = bool(falls)) -> NDArray[np.bool_]:
            x = np.clip(x, -LARGEST, LARGEST)
            if scaler is not None:
                x = ((x.astype(np.float64) - scaler[0][i]) / scaler[1][i]).astype(np.float32)
            y = (x * gain[i] + shift[i] + offset) / step
            code = np.clip(np.rint(y), -half, half - 1) + half
            return np.asarray(2 * half - 1 - code >= levels if falls else code >= levels)

        edges = first_where(reached, len(levels))
        distinct = np.unique(edges[np.isfinite(edges)])
        # How many levels are passed below the first threshold, and from each on.
        passed = (edges[None, :] <= np.concatenate([[-np.inf], distinct])[:, None]).sum(axis=1)
        thresholds.append(distinct)
        index.append(2 * half - 1 - passed if falls else passed)
    rows = "standardized" if scaler is None else "raw"
    return Encoder(tuple(thresholds), tuple(index), rows)
