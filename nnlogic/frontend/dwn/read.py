"""Checkpoints of differentiable weightless networks as QuantNets.

Bacellar et al., "Differentiable weightless neural networks", ICML 2024. Features are standardized
in float32 and compared, strictly, with thresholds; tables read bits, the first wire in the lowest
bit of the index; classes count the ones of equal slices of the last layer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.archive import frozen
from nnlogic.core.errors import CheckpointError, Problem, UsageError
from nnlogic.core.formats import IntArray, Port
from nnlogic.core.limits import CLASSES, ENTRIES, FEATURES, NEURONS
from nnlogic.frontend.monotone import first_where
from nnlogic.frontend.thermometer import BIT, thermometer
from nnlogic.frontend.torch_file import as_array, read_arrays
from nnlogic.frontend.votes import by_votes
from nnlogic.quant.ir import Enumerated, Layer, QuantNet

MOST_INPUTS = 12
"""Of a table; torch_dwn itself trains up to 6 or 8."""
PARTS = ("config", "state_dict", "thermometer", "scaler")
FIX = "save config, state_dict, thermometer, scaler, classes and feature_names in one torch.save"


@dataclass(frozen=True)
class Dwn:
    """What a checkpoint holds.

    Attributes
    ----------
    thresholds : float32 array, shape (features, bits)
    mean, scale : float32 arrays, shape (features,)
    layers : sequence of (tables, wires)
        Bool array of shape (luts, 2**n), and int64 array of shape (luts, n).
    classes, features : tuple of str
    """

    thresholds: NDArray[np.float32]
    mean: NDArray[np.float32]
    scale: NDArray[np.float32]
    layers: Sequence[tuple[NDArray[np.bool_], IntArray]]
    classes: tuple[str, ...]
    features: tuple[str, ...]


def load_dwn(path: Path, options: Mapping[str, str]) -> QuantNet:
    """Read a checkpoint.

    Parameters
    ----------
    path : Path
    options : mapping of str to str
        See `nnlogic.frontend.dwn.format.Dwn.options`.

    Returns
    -------
    QuantNet
        Inputs are codes that count the thresholds below a feature, of those that any table reads.

    Raises
    ------
    CheckpointError
        All problems of the file are listed.
    ToolNotFound
        torch is not installed.
    UsageError
        There is no such option.
    """
    rows = options.get("rows", "raw")
    if rows not in ("raw", "standardized"):
        raise UsageError(
            "no such rows", why=f"rows={rows}", fix="--read rows=raw, or rows=standardized"
        )
    dwn = read_dwn(path)
    if rows == "standardized":
        dwn = replace(dwn, mean=np.zeros_like(dwn.mean), scale=np.ones_like(dwn.scale))
    return _net(path, dwn, rows)


def read_dwn(path: Path) -> Dwn:
    """Return what a checkpoint holds, checked.

    Raises
    ------
    CheckpointError, ToolNotFound
    """
    content = read_arrays(path)
    missing = [] if isinstance(content, dict) else list(PARTS)
    missing = missing or [p for p in PARTS if not isinstance(content.get(p), Mapping)]
    if missing:
        problems = [Problem(part, "is missing, or no table") for part in missing]
        raise CheckpointError(
            "an incomplete DWN checkpoint", where=str(path), problems=problems, fix=FIX
        )
    problems = []
    thresholds = _floats(content["thermometer"].get("thresholds"), 2, "thermometer", problems)
    mean = _floats(content["scaler"].get("mean"), 1, "scaler mean", problems)
    scale = _floats(content["scaler"].get("scale"), 1, "scaler scale", problems)
    features = len(thresholds)
    if not len(mean) == len(scale) == features:
        why = f"{len(mean)} means, {len(scale)} scales, thresholds of {features} features"
        problems.append(Problem("scaler", why))
    elif not (scale > 0).all():
        problems.append(Problem("scaler", f"scale {scale.min()} is not positive"))
    layers = _layers(content["state_dict"], thresholds.size, problems)
    count = content["config"].get("num_classes")
    limited = type(count) is int and not CLASSES.why(count)
    classes = _texts(content.get("classes"), count if limited else None, "class")
    if not limited or len(classes) != count:
        why = f"{str(count)[:40]}, classes {len(classes)}, limit {CLASSES.value:,}"
        problems.append(
            Problem(
                "config.num_classes",
                why,
                CLASSES.fix(len(classes)) if len(classes) > CLASSES.value else "",
            )
        )
    beyond = FEATURES.problems("thermometer", features)
    names = _texts(content.get("feature_names"), None if beyond else features, "feature")
    if len(classes) < 2 or (layers and len(layers[-1][0]) < len(classes)):
        problems.append(Problem("classes", f"{len(classes)}, cannot share the last layer"))
    problems += beyond
    if not beyond and len(names) != features:
        problems.append(Problem("feature_names", f"{len(names)} for {features} features"))
    if problems:
        raise CheckpointError("a DWN that cannot be used", where=str(path), problems=problems)
    return Dwn(thresholds, mean, scale, layers, classes, names)


def _floats(value: Any, dims: int, what: str, problems: list[Problem]) -> NDArray[np.float32]:
    """Return a float32 array of some dimensions; anything else is a problem."""
    array = as_array(value)
    if array.ndim != dims or array.dtype.kind != "f" or not array.size:
        problems.append(Problem(what, f"{array.dtype} of shape {array.shape}"))
    elif not np.isfinite(array).all():
        problems.append(Problem(what, "is NaN or infinite"))
    else:
        return array.astype(np.float32)
    return np.ones((1,) * dims, np.float32)


def _texts(value: Any, count: Any, what: str) -> tuple[str, ...]:
    if isinstance(value, list | tuple):
        return tuple(map(str, value))
    return tuple(f"{what}{i}" for i in range(count)) if type(count) is int else ()


def _layers(
    state: Mapping[str, Any], wires: int, problems: list[Problem]
) -> list[tuple[NDArray[np.bool_], IntArray]]:
    """Return tables and wires of every layer, checked against the layer before."""
    names = [key.removesuffix(".luts") for key in state if str(key).endswith(".luts")]
    numbered = sorted((int(name), name) for name in names if name.isdecimal() and len(name) < 5)
    if len(numbered) != len(names) or not names:
        problems.append(Problem("state_dict", f"layers called {names[:4]}, need numbers"))
        return []
    out: list[tuple[NDArray[np.bool_], IntArray]] = []
    entries = 0
    for _, name in numbered:
        luts = as_array(state[f"{name}.luts"])
        learned, fixed = state.get(f"{name}.mapping.weights"), state.get(f"{name}.mapping")
        n = luts.shape[-1].bit_length() - 1 if luts.ndim == 2 else 0
        if not 1 <= n <= MOST_INPUTS or luts.shape[1] != 1 << n or luts.dtype.kind != "f":
            why = f"{luts.dtype} of shape {luts.shape}, need (tables, 2^n), n at most {MOST_INPUTS}"
            problems.append(Problem(f"{name}.luts", why))
            return out
        entries += luts.size
        beyond = NEURONS.problems(f"{name}.luts", len(luts))
        if beyond := beyond + ENTRIES.problems(f"tables up to {name}.luts", entries):
            problems += beyond
            return out
        shape = len(luts), n
        if learned is not None:
            # The first of the largest logits of every slot, as torch.argmax gives.
            logits = as_array(learned)
            if logits.shape != (wires, shape[0] * n) or logits.dtype.kind != "f":
                why = f"shape {logits.shape}, need {(wires, shape[0] * n)}"
                problems.append(Problem(f"{name}.mapping.weights", why))
                return out
            chosen = logits.argmax(axis=0).reshape(shape)
        else:
            chosen = as_array(fixed)
            if chosen.shape != shape or chosen.dtype.kind not in "iu":
                why = "no wires: neither mapping nor mapping.weights has them"
                problems.append(Problem(name, why, "train with a mapping that is saved"))
                return out
        if np.isnan(luts).any() or chosen.min() < 0 or chosen.max() >= wires:
            why = f"NaN, or wires {chosen.min()}..{chosen.max()} of {wires}"
            problems.append(Problem(name, why))
            return out
        out.append((luts > 0, chosen.astype(np.int64)))
        wires = shape[0]
    return out


def first_above(
    thresholds: NDArray[np.float32], mean: np.float32, scale: np.float32
) -> NDArray[np.float32]:
    """Return the smallest float32 values whose standardized values exceed thresholds.

    Parameters
    ----------
    thresholds : float32 array, shape (n,)
    mean, scale : float32
        `scale` is positive.

    Returns
    -------
    float32 array, shape (n,)
        Infinite where no float32 number is large enough.
    """
    # Standardizing is monotone in float32 arithmetic.
    return first_where(lambda x: (x - mean) / scale > thresholds, len(thresholds))


def _net(path: Path, dwn: Dwn, rows: str) -> QuantNet:
    used = np.zeros(dwn.thresholds.shape, np.bool_)
    used.flat[dwn.layers[0][1]] = True
    edges = np.full(used.shape, np.inf, np.float32)
    for f, mine in enumerate(used):
        edges[f, mine] = first_above(dwn.thresholds[f, mine], dwn.mean[f], dwn.scale[f])
    encoder = thermometer(edges, used)
    layers: list[Layer] = [encoder.layer]
    for number, (luts, chosen) in enumerate(dwn.layers):
        before = layers[-1]
        reads = encoder.place.flat[chosen] if number == 0 else chosen
        layers.append(
            Enumerated(
                f"luts{number}", (before.name,), tuple(tuple(map(int, row)) for row in reads),
                tuple(frozen(table, np.int64) for table in luts), (BIT,) * len(luts),
                (BIT,) * len(before.formats),
            )
        )  # fmt: skip
    deciding, output = by_votes(layers[-1], len(dwn.classes))
    net = QuantNet(
        name=path.stem,
        inputs=tuple(map(Port, dwn.features, encoder.formats)),
        layers=(*layers, *deciding),
        output_wires=(output,),
        quantizer=encoder.quantizer,
        info={"class_names": list(dwn.classes), "thresholds": int(used.sum()), "rows": rows},
    )
    net.verify()
    return net
