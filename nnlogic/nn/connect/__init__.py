"""Which wires a neuron reads: fixed before training, learned, or what pruning leaves."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from nnlogic.core.errors import UsageError
from nnlogic.nn.connect.fixed import Fixed, balanced_wires, periodic_wires
from nnlogic.nn.connect.learned import Learned
from nnlogic.nn.connect.pruned import kept, strongest

__all__ = [
    "CONNECTIONS",
    "Connection",
    "Fixed",
    "Learned",
    "balanced_wires",
    "connect",
    "kept",
    "mask_of",
    "periodic_wires",
    "strongest",
]

Connection = Fixed | Learned
"""Has ``wires()``, and ``forward``: values (samples, inputs) to (samples, outputs, fan_in)."""

CONNECTIONS: Mapping[str, Callable[[int, int, int, torch.Generator | None], Connection]] = {
    "random": lambda i, o, f, g: Fixed(balanced_wires(i, o, f, g), i),
    "periodic": lambda i, o, f, g: Fixed(periodic_wires(i, o, f), i),
    "learned": Learned,
}
"""Kinds of connections by the name a recipe uses."""


def connect(
    kind: str,
    inputs: int,
    outputs: int,
    fan_in: int,
    generator: torch.Generator | None = None,
) -> Connection:
    """Return connections of exactly `fan_in` different wires per output.

    Parameters
    ----------
    kind : str
        A name in `CONNECTIONS`.
    inputs, outputs : int
    fan_in : int
        Between 1 and `inputs`.
    generator : torch.Generator, optional

    Raises
    ------
    UsageError
        No such kind, or a fan-in that cannot be.
    """
    if kind not in CONNECTIONS:
        known = ", ".join(CONNECTIONS)
        raise UsageError("no such connections", why=repr(kind), fix=f"known are {known}")
    if not 1 <= fan_in <= inputs:
        raise UsageError("fan-in out of range", why=f"{fan_in} of {inputs} wires")
    return CONNECTIONS[kind](inputs, outputs, fan_in, generator)


def mask_of(wires: Tensor, inputs: int) -> Tensor:
    """Return wires as a float mask of ones and zeros, shape (outputs, inputs)."""
    return torch.zeros(len(wires), inputs).scatter_(1, wires, 1.0)
