"""Networks of learned gates: what their importers share.

A file holds tables and wires, layer by layer. It holds neither how many inputs there are nor how
many classes the last layer is shared among.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.archive import frozen
from nnlogic.core.errors import CheckpointError, Problem, UsageError
from nnlogic.core.formats import IntArray, Port
from nnlogic.core.limits import CLASSES, FEATURES
from nnlogic.frontend.thermometer import BIT, thermometer
from nnlogic.frontend.votes import by_votes
from nnlogic.quant.ir import INPUT, Enumerated, InputQuantizer, Layer, QuantNet

NUMBERED = 16
"""Functions of two bits; bit ``3 - (2A + B)`` of the number of one is its value."""


@dataclass(frozen=True)
class Gates:
    """A layer.

    Attributes
    ----------
    tables : bool array, shape (gates, 2**reads)
        By index, the first wire in the low bit.
    wires : int64 array, shape (gates, reads)
    """

    tables: NDArray[np.bool_]
    wires: IntArray


def likeliest(weights: NDArray[Any]) -> NDArray[np.bool_]:
    """Return the tables of the likeliest of the sixteen gates, of weights (gates, 16)."""
    chosen = weights.argmax(axis=1)[:, None]
    # The index of a table has A in its low bit.
    return (chosen >> [3, 1, 2, 0] & 1).astype(np.bool_)


def ordered(names: Iterable[str], problems: list[Problem]) -> list[str]:
    """Return the names of layers in the order of the numbers they end in."""
    numbers = {}
    for name in names:
        last = name.rpartition(".")[2]
        if last.isdecimal() and len(last) < 7:
            numbers[name] = int(last)
        else:
            problems.append(Problem(name, "is no numbered layer"))
    return sorted(numbers, key=numbers.__getitem__)


def wires_why(indices: NDArray[Any], shape: tuple[int, ...], wires: int) -> str:
    """Return why indices cannot be wires of the layer before; an empty text where they can."""
    if indices.shape != shape or indices.dtype.kind not in "iu" or not indices.size:
        return f"{indices.dtype} of shape {indices.shape}, need {shape}"
    if indices.min() < 0 or indices.max() >= wires:
        return f"wires {indices.min()}..{indices.max()} of {wires}"
    return ""


def gate_net(
    path: Path,
    layers: Sequence[Gates],
    options: Mapping[str, str],
    thresholds: NDArray[np.float32] | None = None,
    info: Mapping[str, str] = MappingProxyType({}),
) -> QuantNet:
    """Return the network whose classes count the ones of equal slices of the last layer.

    Parameters
    ----------
    path : Path
    layers : sequence of Gates
        Each wired within the one before.
    options : mapping of str to str
        ``classes``, and ``inputs`` where the last ones are not read.
    thresholds : float32 array, shape (features, levels) or (levels,), optional
        A bit is 1 above its threshold; bits of a feature stand side by side. Without them inputs
        are single bits.
    info : mapping of str to str
        What travels along.

    Raises
    ------
    CheckpointError
        The number of classes was not given.
    UsageError
        An option is no number, or does not fit the file.
    """
    last = len(layers[-1].tables)
    if "classes" not in options:
        raise CheckpointError(
            "how many classes there are is not in the file",
            where=str(path),
            why=f"the last layer has {last} gates",
            fix="--read classes=N",
        )
    classes = _number(options, "classes", 2, min(last, CLASSES.value))
    levels = 1 if thresholds is None else thresholds.shape[-1]
    least = -(-(int(layers[0].wires.max()) + 1) // levels)
    if thresholds is not None and thresholds.ndim == 2:
        least = max(least, len(thresholds))
    inputs = _number(options, "inputs", least, FEATURES.value) if "inputs" in options else least
    if last % classes:
        raise UsageError(
            "classes do not divide the last layer", where=str(path),
            why=f"{last} gates for {classes} classes", fix="--read classes=N with the right number",
        )  # fmt: skip
    return _net(path, layers, inputs, classes, thresholds, info)


def _number(options: Mapping[str, str], name: str, low: int, high: int) -> int:
    text = options[name]
    if not (text.isdecimal() and len(text) < 10 and low <= int(text) <= high):
        raise UsageError(
            "an option that cannot be", why=f"{name}={text}, need {low} to {high}",
            fix=f"--read {name}=N",
        )  # fmt: skip
    return int(text)


def _net(
    path: Path,
    gates: Sequence[Gates],
    inputs: int,
    classes: int,
    thresholds: NDArray[np.float32] | None,
    info: Mapping[str, str],
) -> QuantNet:
    layers: list[Layer] = []
    quantizer: InputQuantizer | None = None
    first = gates[0].wires
    formats, source, width = (BIT,) * inputs, INPUT, inputs
    if thresholds is not None:
        edges = np.nextafter(thresholds, np.float32(np.inf))
        edges = np.broadcast_to(edges, (inputs, edges.shape[-1]))
        used = np.zeros(edges.size, np.bool_)
        used[first] = True
        encoder = thermometer(edges, used.reshape(edges.shape))
        layers.append(encoder.layer)
        quantizer, formats = encoder.quantizer, encoder.formats
        first = encoder.place.reshape(-1)[first]
        source, width = encoder.layer.name, len(encoder.layer.formats)
    tables: dict[bytes, IntArray] = {}
    for number, layer in enumerate(gates):
        wires = first if number == 0 else layer.wires
        kept = [tables.setdefault(t.tobytes(), frozen(t, np.int64)) for t in layer.tables]
        layers.append(
            Enumerated(
                f"gates{number}", (source,), tuple(tuple(map(int, row)) for row in wires),
                tuple(kept), (BIT,) * len(kept), (BIT,) * width,
            )
        )  # fmt: skip
        source, width = f"gates{number}", len(kept)
    deciding, output = by_votes(layers[-1], classes)
    net = QuantNet(
        name=path.stem,
        inputs=tuple(Port(f"x{i}", fmt) for i, fmt in enumerate(formats)),
        layers=(*layers, *deciding),
        output_wires=(output,),
        quantizer=quantizer,
        info={"class_names": [str(c) for c in range(classes)], **info},
    )
    net.verify()
    return net
