"""Connections that repeat from neuron to neuron, chosen before training."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from nnlogic.nn.connect.fixed import Fixed
from nnlogic.nn.connect.kind import Ends, Kind


def periodic_wires(inputs: int, outputs: int, fan_in: int, period: int = 0) -> Tensor:
    """Return a pre-defined periodic pattern (after Kundu et al. 2020).

    Neuron ``j`` uses pattern ``p = j mod period``, whose wires are
    ``((p * fan_in + i) * stride) mod inputs`` for ``i = 0 .. fan_in - 1``; `stride` is the number
    next to ``inputs / golden ratio`` that has no factor in common with `inputs`. So wires within a
    pattern differ, ``period * fan_in`` consecutive steps read all inputs equally often up to one,
    and neurons with the same pattern are functions of the same wires, whose logic can be shared.

    Parameters
    ----------
    inputs, outputs, fan_in : int
    period : int
        Number of patterns; 0 for the fewest that read every input, ``ceil(inputs / fan_in)``.

    Returns
    -------
    int64 Tensor, shape (outputs, fan_in)
        Increasing within a row.
    """
    period = period or math.ceil(inputs / fan_in)
    golden = inputs * (math.sqrt(5) - 1) / 2
    stride = min(
        (s for s in range(1, inputs + 1) if math.gcd(s, inputs) == 1),
        key=lambda s: abs(s - golden),
    )
    step = (torch.arange(outputs) % period)[:, None] * fan_in + torch.arange(fan_in)
    return (step * stride % inputs).sort(1).values


def _make(_: str, ends: Ends, __: torch.Generator | None) -> Fixed:
    wires = periodic_wires(ends.inputs, ends.outputs, ends.fan_in)
    return Fixed(wires, ends.inputs, period=math.ceil(ends.inputs / ends.fan_in))


CONNECT = Kind("periodic", make=_make, fixed=True)
