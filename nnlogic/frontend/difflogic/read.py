"""Gates of difflogic as a QuantNet.

Petersen et al., "Deep differentiable logic gate networks", NeurIPS 2022. A gate is the likeliest of
the sixteen functions of two bits A and B, numbered such that bit ``3 - (2A + B)`` of the number is
its value; classes count the ones of equal slices of the last layer.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.archive import frozen
from nnlogic.core.errors import CheckpointError, Problem, UsageError
from nnlogic.core.formats import IntArray, IntFormat, Port
from nnlogic.core.limits import CLASSES, FEATURES, NEURONS
from nnlogic.frontend.torch_file import as_array, read_arrays
from nnlogic.frontend.votes import by_votes
from nnlogic.quant.ir import INPUT, Enumerated, Layer, QuantNet

GATES = 16
BIT = IntFormat(1)

Gates = tuple[NDArray[np.int64], IntArray]
"""Numbers of the functions, shape (gates,), and the wires of A and B, shape (2, gates)."""


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
    layers = read_gates(path)
    last = len(layers[-1][0])
    if "classes" not in options:
        raise CheckpointError(
            "how many classes there are is not in the file",
            where=str(path),
            why=f"the last layer has {last} gates",
            fix="--read classes=N",
        )
    classes = _number(options, "classes", 2, min(last, CLASSES.value))
    least = int(layers[0][1].max()) + 1
    inputs = _number(options, "inputs", least, FEATURES.value) if "inputs" in options else least
    if last % classes:
        raise UsageError(
            "classes do not divide the last layer", where=str(path),
            why=f"{last} gates for {classes} classes", fix="--read classes=N with the right number",
        )  # fmt: skip
    return _net(path, layers, inputs, classes)


def _number(options: Mapping[str, str], name: str, low: int, high: int) -> int:
    text = options[name]
    if not (text.isdecimal() and len(text) < 10 and low <= int(text) <= high):
        raise UsageError(
            "an option that cannot be", why=f"{name}={text}, need {low} to {high}",
            fix=f"--read {name}=N",
        )  # fmt: skip
    return int(text)


def read_gates(path: Path) -> list[Gates]:
    """Return the gates of every layer, checked against the layer before.

    Raises
    ------
    CheckpointError, ToolNotFound
    """
    state = read_arrays(path)
    names = {str(key).rpartition(".")[0] for key in state} if isinstance(state, dict) else set()
    problems: list[Problem] = []
    order = sorted(names, key=lambda name: _place(name, problems))
    layers: list[Gates] = []
    wires = FEATURES.value
    for name in order if not problems else ():
        weights, indices = (as_array(state.get(f"{name}.{k}")) for k in ("weights", "indices"))
        width = len(weights) if weights.ndim == 2 else 0
        if weights.shape != (width, GATES) or not width or weights.dtype.kind != "f":
            why = f"{weights.dtype} of shape {weights.shape}, need (gates, {GATES})"
            problems.append(Problem(f"{name}.weights", why))
        elif beyond := NEURONS.problems(f"{name}.weights", width):
            problems += beyond
        elif np.isnan(weights).any():
            problems.append(Problem(f"{name}.weights", "NaN"))
        elif indices.shape != (2, width) or indices.dtype.kind not in "iu":
            why = f"{indices.dtype} of shape {indices.shape}, need (2, {width})"
            problems.append(Problem(f"{name}.indices", why))
        elif indices.min() < 0 or indices.max() >= wires:
            why = f"wires {indices.min()}..{indices.max()} of {wires}"
            problems.append(Problem(f"{name}.indices", why))
        else:
            layers.append((weights.argmax(axis=1), indices.astype(np.int64)))
            wires = width
    if problems or not layers:
        raise CheckpointError(
            "gates that make no network", where=str(path),
            problems=problems or [Problem("state_dict", "holds no layers")],
        )  # fmt: skip
    return layers


def _place(name: str, problems: list[Problem]) -> int:
    number = name.rpartition(".")[2]
    if number.isdecimal() and len(number) < 7:
        return int(number)
    problems.append(Problem(name, "is no numbered layer"))
    return 0


def _net(path: Path, gates: list[Gates], inputs: int, classes: int) -> QuantNet:
    layers: list[Layer] = []
    source, wires = INPUT, inputs
    tables = [
        # The index of a table has A in its low bit.
        frozen([gate >> 3 - (2 * (i & 1) + (i >> 1)) & 1 for i in range(4)], np.int64)
        for gate in range(GATES)
    ]
    for number, (chosen, indices) in enumerate(gates):
        layers.append(
            Enumerated(
                f"gates{number}", (source,),
                tuple((int(a), int(b)) for a, b in indices.T),
                tuple(tables[int(gate)] for gate in chosen),
                (BIT,) * len(chosen), (BIT,) * wires,
            )
        )  # fmt: skip
        source, wires = f"gates{number}", len(chosen)
    deciding, output = by_votes(layers[-1], classes)
    net = QuantNet(
        name=path.stem,
        inputs=tuple(Port(f"x{i}", BIT) for i in range(inputs)),
        layers=(*layers, *deciding),
        output_wires=(output,),
        info={"class_names": [str(c) for c in range(classes)]},
    )
    net.verify()
    return net
