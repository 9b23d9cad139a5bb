"""N:M sparsity: N connections in every run of M consecutive wires."""

from __future__ import annotations

import torch

from nnlogic.core.errors import UsageError
from nnlogic.nn.connect.kind import Ends, Kind
from nnlogic.nn.connect.learned import Learned


def _read(name: str, inputs: int) -> tuple[int, int]:
    """Return N and the number of groups."""
    n, m = (int(part) for part in name.split(":"))
    if not 1 <= n <= m or inputs % m:
        why = f"{name} of {inputs} wires"
        fix = "N from 1 to M, and M that divides the number of wires"
        raise UsageError("no such N:M sparsity", why=why, fix=fix)
    return n, inputs // m


def _groups(name: str, inputs: int) -> int:
    return _read(name, inputs)[1]


def _fan_in(name: str, inputs: int) -> int:
    n, groups = _read(name, inputs)
    return n * groups


def _make(name: str, ends: Ends, generator: torch.Generator | None) -> Learned:
    groups = _groups(name, ends.inputs)
    return Learned(ends.inputs, ends.outputs, ends.fan_in, generator, groups=groups)


CONNECT = Kind("N:M", r"\d{1,6}:\d{1,6}", make=_make, groups=_groups, fan_in=_fan_in)
