"""Tables of torchlogix as a QuantNet.

Weights of a layer mean one of three things: the likeliest of the sixteen gates (`raw`), the Walsh
coefficients of a function that is 1 where their sum is negative (`warp`), or a table that is 1
where they are positive (`light`). The first wire of a table is the highest bit of its index.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.errors import CheckpointError, Problem, UsageError
from nnlogic.core.limits import FEATURES
from nnlogic.frontend.gates import NUMBERED, Gates, gate_net, likeliest, ordered, wires_why
from nnlogic.frontend.torch_file import as_array, read_arrays
from nnlogic.quant.ir import QuantNet

WEIGHT, INDICES, CHOICE = "weight", "connections.indices", "connections.weights"
THRESHOLDS, LEARNED = "thresholds", "raw_diffs"
KINDS = ("raw", "warp", "light")
MOST_READS = 6
"""Wires of a table."""
FREEZE = (
    "replace the layer by FixedBinarization(layer.get_thresholds()) before saving, in the version "
    "of torchlogix that trained it"
)


def load_torchlogix(path: Path, options: Mapping[str, str]) -> QuantNet:
    """Read a network of tables.

    Parameters
    ----------
    path : Path
    options : mapping of str to str
        See `nnlogic.frontend.torchlogix.format.Torchlogix.options`.

    Returns
    -------
    QuantNet
        Inputs are codes that count the thresholds below a feature, of those that any table reads;
        without thresholds, single bits.

    Raises
    ------
    CheckpointError
        All problems of the file are listed; or what the file does not hold was not given.
    UsageError
        An option cannot be, or does not fit the file.
    ToolNotFound
        torch is not installed.
    """
    kind = options.get("parametrization", "")
    if kind and kind not in KINDS:
        raise UsageError(
            "no such parametrization", why=f"parametrization={kind}",
            fix=f"one of {', '.join(KINDS)}",
        )  # fmt: skip
    layers, thresholds = read_tables(path, kind)
    return gate_net(path, layers, options, thresholds, {"parametrization": kind or "raw"})


def read_tables(path: Path, kind: str) -> tuple[list[Gates], NDArray[np.float32] | None]:
    """Return the tables of every layer, checked against the layer before, and thresholds.

    Parameters
    ----------
    path : Path
    kind : str
        What weights mean; empty where it was not said.

    Raises
    ------
    CheckpointError, ToolNotFound
    """
    state = read_arrays(path)
    state = state if isinstance(state, dict) else {}
    parts: dict[str, dict[str, NDArray[Any]]] = {}
    problems: list[Problem] = []
    for key in map(str, state):
        name, part = _split(key)
        if not part:
            problems.append(Problem(key, _strange(key)))
        parts.setdefault(name, {})[part] = as_array(state[key])
    layers: list[Gates] = []
    thresholds = None
    wires = FEATURES.value
    for number, name in enumerate(ordered(parts, problems) if not problems else ()):
        found = parts[name]
        if WEIGHT not in found:
            thresholds = _thresholds(name, found, number, problems)
            continue
        gates = _gates(name, found, kind, wires, problems)
        if gates is not None:
            layers.append(gates)
            wires = len(gates.tables)
    if layers and thresholds is not None and not problems:
        bits = thresholds.size if thresholds.ndim == 2 else FEATURES.value
        if layers[0].wires.max() >= bits:
            why = f"{thresholds.size} bits, and wires up to {layers[0].wires.max()}"
            problems.append(Problem(THRESHOLDS, why))
    if problems or not layers:
        raise CheckpointError(
            "tables that make no network", where=str(path),
            problems=problems or [Problem("state_dict", "holds no layers")],
        )  # fmt: skip
    return layers, thresholds


def _split(key: str) -> tuple[str, str]:
    """Return layer and part of a name; no part where it is none of ours."""
    for part in (WEIGHT, INDICES, CHOICE, THRESHOLDS, LEARNED):
        if key.endswith(f".{part}"):
            return key.removesuffix(f".{part}"), part
    return key, ""


def _strange(key: str) -> str:
    if "tree_weights" in key or "_indices_L" in key:
        return "is of a convolution; dense layers are read"
    if "_export_" in key:
        return "is of export mode; save the model before it is set"
    return "is no tensor of a dense layer, or of thresholds"


def _thresholds(
    name: str, found: Mapping[str, NDArray[Any]], number: int, problems: list[Problem]
) -> NDArray[np.float32] | None:
    values = found.get(THRESHOLDS, np.zeros(0))
    where = f"{name}.{THRESHOLDS}"
    if LEARNED in found:
        why = "thresholds that were learned depend on a temperature that is not in the file"
        problems.append(Problem(f"{name}.{LEARNED}", why, FREEZE))
    elif number or values.dtype.kind != "f" or values.ndim not in (1, 2) or not values.size:
        problems.append(Problem(where, f"{values.dtype} of shape {values.shape}, layer {number}"))
    elif not np.isfinite(values).all():
        problems.append(Problem(where, "is NaN or infinite"))
    elif values.max(initial=0.0) >= np.finfo(np.float32).max:
        problems.append(Problem(where, "holds the largest float32, above which no feature is"))
    else:
        return values.astype(np.float32)
    return None


def _gates(
    name: str, found: Mapping[str, NDArray[Any]], kind: str, wires: int, problems: list[Problem]
) -> Gates | None:
    weights, indices = found[WEIGHT], found.get(INDICES, np.zeros(0))
    width = len(weights) if weights.ndim == 2 else 0
    learned = CHOICE in found
    reads = indices.shape[learned] if indices.ndim == 2 + learned else 0
    sizes = {1 << reads, NUMBERED} if reads == 2 else {1 << reads}
    if not 1 <= reads <= MOST_READS:
        need = "(candidates, reads, tables)" if learned else "(reads, tables)"
        why = f"{indices.dtype} of shape {indices.shape}, need {need}, reads up to {MOST_READS}"
        problems.append(Problem(f"{name}.{INDICES}", why))
    elif not width or weights.shape[1] not in sizes or weights.dtype.kind != "f":
        why = f"{weights.dtype} of shape {weights.shape}, of {reads} wires need (tables, {sizes})"
        problems.append(Problem(f"{name}.{WEIGHT}", why))
    elif np.isnan(weights).any():
        problems.append(Problem(f"{name}.{WEIGHT}", "NaN"))
    elif why := wires_why(indices, (*indices.shape[:learned], reads, width), wires):
        problems.append(Problem(f"{name}.{INDICES}", why))
    elif learned and (found[CHOICE].shape != indices.shape or np.isnan(found[CHOICE]).any()):
        why = f"of shape {found[CHOICE].shape}, need {indices.shape}, and no NaN"
        problems.append(Problem(f"{name}.{CHOICE}", why))
    elif (kind or "raw") == "raw" and weights.shape[1] != 1 << (1 << reads):
        why = f"{weights.shape[1]} weights of {reads} wires: warp or light, which is not in it"
        problems.append(Problem(f"{name}.{WEIGHT}", why, "--read parametrization=warp, or light"))
    elif kind in KINDS[1:] and weights.shape[1] != 1 << reads:
        problems.append(Problem(f"{name}.{WEIGHT}", f"of the sixteen gates, not {kind}"))
    else:
        if learned:
            chosen = found[CHOICE].argmax(axis=0)[None]
            indices = np.take_along_axis(indices, chosen, axis=0)[0]
        tables = _tables(weights.astype(np.float32), kind or "raw", reads)
        # Reversed, since the first wire stands in the low bit here.
        return Gates(tables, indices.T[:, ::-1].astype(np.int64))
    return None


def _tables(weights: NDArray[np.float32], kind: str, reads: int) -> NDArray[np.bool_]:
    """Return tables whose index has the last wire in its low bit."""
    if kind == "raw":
        # These have the first wire in the low bit.
        return likeliest(weights)[:, [0, 2, 1, 3]]
    if kind == "light":
        return weights > 0
    entries = np.arange(1 << reads)
    sums = np.zeros_like(weights)
    # In float32, from the lowest coefficient on, as the layer itself adds.
    for number, column in enumerate(weights.T):
        odd = np.bitwise_count(entries & number) & 1
        sums = sums + column[:, None] * (1 - 2 * odd.astype(np.float32))
    return sums < 0
