"""Connections drawn at random before training."""

from __future__ import annotations

import torch
from torch import Tensor

from nnlogic.nn.connect.fixed import Fixed
from nnlogic.nn.connect.kind import Ends, Kind


def balanced_wires(
    inputs: int, outputs: int, fan_in: int, generator: torch.Generator | None = None
) -> Tensor:
    """Choose wires at random so that all inputs are read about equally often.

    Inputs read least so far come first, ties broken at random: how often two inputs are read
    differs by at most one.

    Returns
    -------
    int64 Tensor, shape (outputs, fan_in)
        Increasing within a row.
    """
    wires = torch.zeros((outputs, fan_in), dtype=torch.int64)
    used = torch.zeros(inputs)
    for row in wires:
        order = torch.argsort(used + 0.5 * torch.rand(inputs, generator=generator))
        row.copy_(order[:fan_in].sort().values)
        used[row] += 1
    return wires


def _make(_: str, ends: Ends, generator: torch.Generator | None) -> Fixed:
    wires = balanced_wires(ends.inputs, ends.outputs, ends.fan_in, generator)
    return Fixed(wires, ends.inputs)


CONNECT = Kind("random", make=_make, fixed=True)
