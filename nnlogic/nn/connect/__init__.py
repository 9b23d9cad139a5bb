"""Which wires a neuron reads: fixed before training, learned, or what pruning leaves.

A kind is a file here with a line ``CONNECT = Kind(...)``, or an entry point of `GROUP`.
"""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

from nnlogic.core.errors import UsageError
from nnlogic.core.plugins import discover
from nnlogic.nn.connect.balanced import balanced_wires
from nnlogic.nn.connect.fixed import Fixed
from nnlogic.nn.connect.kind import Ends, Kind
from nnlogic.nn.connect.learned import Learned
from nnlogic.nn.connect.periodic import periodic_wires
from nnlogic.nn.connect.pruned import kept, strongest
from nnlogic.nn.connect.support import support_wires

__all__ = [
    "Connection",
    "Ends",
    "Fixed",
    "Kind",
    "Learned",
    "balanced_wires",
    "connect",
    "fan_in_of",
    "kept",
    "kind_of",
    "kinds",
    "mask_of",
    "periodic_wires",
    "strongest",
    "support_wires",
]

GROUP = "nnlogic.connections"

Connection = Fixed | Learned
"""Has ``wires()``, and ``forward``: values (samples, inputs) to (samples, outputs, fan_in)."""


@cache
def kinds() -> tuple[Kind, ...]:
    """Return all kinds of connections.

    Raises
    ------
    UsageError
        An installed package cannot be used, or offers what is no `Kind`.
    """
    found = discover(__name__, "CONNECT", GROUP)
    for kind in found:
        if not isinstance(kind, Kind):
            raise UsageError(
                "what is offered is no kind of connections", where=GROUP, why=f"{kind!r}"
            )
    return tuple(found)


def kind_of(text: str) -> Kind:
    """Return the kind a recipe means.

    Raises
    ------
    UsageError
        There is none.
    """
    for kind in kinds():
        if kind.matches(text):
            return kind
    known = ", ".join(kind.name for kind in kinds())
    raise UsageError("no such connections", why=repr(text), fix=f"known are {known}")


def fan_in_of(text: str, inputs: int, fan_in: int, default: int = 0) -> int:
    """Return how many wires an output reads.

    Parameters
    ----------
    text : str
        The kind of connections, as a recipe says it.
    inputs : int
    fan_in : int
        As a recipe says it; 0 for what the kind says, or else `default`. What is more than
        there are is all.
    default : int
        0 for all.

    Raises
    ------
    UsageError
        No such kind, or it says another fan-in.
    """
    kind = kind_of(text)
    said = kind.fan_in(text, inputs) if kind.fan_in is not None else 0
    if said and fan_in not in (0, said):
        why = f"fan_in {fan_in}, but {text} of {inputs} wires are {said}"
        raise UsageError("fan-in out of range", why=why, fix=f"fan_in = {said}, or leave it out")
    return min(fan_in or said or default or inputs, inputs)


def connect(
    text: str,
    inputs: int,
    outputs: int,
    fan_in: int,
    generator: torch.Generator | None = None,
    *,
    channels: int = 0,
) -> Connection:
    """Return connections of exactly `fan_in` different wires per output.

    Parameters
    ----------
    text : str
        The kind, as a recipe says it.
    inputs, outputs : int
    fan_in : int
        Between 1 and `inputs`.
    generator : torch.Generator, optional
    channels : int
        Of the window that is read; 0 where it is none.

    Raises
    ------
    UsageError
        No such kind, or a fan-in that cannot be.
    """
    kind = kind_of(text)
    if kind.make is None:
        known = ", ".join(k.name for k in kinds() if k.make is not None)
        raise UsageError(
            "connections of linear sums only", why=repr(text), fix=f"known here are {known}"
        )
    if not 1 <= fan_in <= inputs:
        raise UsageError("fan-in out of range", why=f"{fan_in} of {inputs} wires")
    ends = Ends(inputs, outputs, fan_in_of(text, inputs, fan_in), channels)
    return kind.make(text, ends, generator)


def mask_of(wires: Tensor, inputs: int) -> Tensor:
    """Return wires as a float mask of ones and zeros, shape (outputs, inputs)."""
    return torch.zeros(len(wires), inputs).scatter_(1, wires, 1.0)
