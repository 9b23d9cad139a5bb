"""Gates of difflogic as a QuantNet.

Petersen et al., "Deep differentiable logic gate networks", NeurIPS 2022. A gate is the likeliest of
the sixteen functions of two bits A and B; classes count the ones of equal slices of the last layer.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from nnlogic.core.errors import CheckpointError, Problem
from nnlogic.core.limits import FEATURES, NEURONS
from nnlogic.frontend.gates import NUMBERED, Gates, gate_net, likeliest, ordered, wires_why
from nnlogic.frontend.torch_file import as_array, read_arrays
from nnlogic.quant.ir import QuantNet


def load_difflogic(path: Path, options: Mapping[str, str]) -> QuantNet:
    """Read a network of gates.

    Parameters
    ----------
    path : Path
    options : mapping of str to str
        See `nnlogic.frontend.difflogic.format.Difflogic.options`.

    Returns
    -------
    QuantNet
        Inputs are single bits.

    Raises
    ------
    CheckpointError
        All problems of the file are listed; or the number of classes was not given.
    UsageError
        An option is no number, or does not fit the file.
    ToolNotFound
        torch is not installed.
    """
    return gate_net(path, read_gates(path), options)


def read_gates(path: Path) -> list[Gates]:
    """Return the gates of every layer, checked against the layer before.

    Raises
    ------
    CheckpointError, ToolNotFound
    """
    state = read_arrays(path)
    names = {str(key).rpartition(".")[0] for key in state} if isinstance(state, dict) else set()
    problems: list[Problem] = []
    order = ordered(names, problems)
    layers: list[Gates] = []
    wires = FEATURES.value
    for name in order if not problems else ():
        weights, indices = (as_array(state.get(f"{name}.{k}")) for k in ("weights", "indices"))
        width = len(weights) if weights.ndim == 2 else 0
        if weights.shape != (width, NUMBERED) or not width or weights.dtype.kind != "f":
            why = f"{weights.dtype} of shape {weights.shape}, need (gates, {NUMBERED})"
            problems.append(Problem(f"{name}.weights", why))
        elif beyond := NEURONS.problems(f"{name}.weights", width):
            problems += beyond
        elif np.isnan(weights).any():
            problems.append(Problem(f"{name}.weights", "NaN"))
        elif why := wires_why(indices, (2, width), wires):
            problems.append(Problem(f"{name}.indices", why))
        else:
            layers.append(Gates(likeliest(weights), indices.T.astype(np.int64)))
            wires = width
    if problems or not layers:
        raise CheckpointError(
            "gates that make no network", where=str(path),
            problems=problems or [Problem("state_dict", "holds no layers")],
        )  # fmt: skip
    return layers
