"""What a network says at its end: the class with the largest score, or quantities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nnlogic.core.formats import IntFormat, Port
from nnlogic.quant.ir import Argmax, Layer
from nnlogic.quant.quantity import Quantity, stated

ARGMAX = "argmax"


@dataclass(frozen=True)
class Said:
    """The end of a QuantNet.

    Attributes
    ----------
    layers : tuple of Layer
        That follow the scores.
    outputs : tuple of (Port, layer name, wire)
    info : dict
        What the outputs mean.
    """

    layers: tuple[Layer, ...]
    outputs: tuple[tuple[Port, str, int], ...]
    info: dict[str, Any]


def classes_said(source: str, formats: Sequence[IntFormat], classes: Sequence[str]) -> Said:
    """Return scores and the index of the largest, the lowest one in a tie.

    Parameters
    ----------
    source : str
        Layer whose wires are the scores, one a class.
    formats : sequence of IntFormat
        Of that layer.
    classes : sequence of str
    """
    chosen = IntFormat.holding(0, len(classes) - 1)
    scores = [
        (Port(f"score_{name}", fmt), source, i)
        for i, (name, fmt) in enumerate(zip(classes, formats, strict=True))
    ]
    return Said(
        (Argmax(ARGMAX, (source,), (chosen,)),),
        (*scores, (Port("class", chosen), ARGMAX, 0)),
        {"class_names": list(classes)},
    )


def quantities_said(
    source: str, formats: Sequence[IntFormat], quantities: Sequence[Quantity]
) -> Said:
    """Return codes that stand for quantities, one a wire of `source`."""
    outputs = [
        (Port(q.port, fmt), source, i)
        for i, (q, fmt) in enumerate(zip(quantities, formats, strict=True))
    ]
    return Said((), tuple(outputs), stated(quantities))
