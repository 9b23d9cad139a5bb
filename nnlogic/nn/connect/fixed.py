"""Connections chosen before training."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn


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


class Fixed(nn.Module):
    """Wires that do not change.

    Parameters
    ----------
    wires : int64 Tensor, shape (outputs, fan_in)
    inputs : int
        Number of wires to read from.
    """

    index: Tensor
    readers: Tensor

    def __init__(self, wires: Tensor, inputs: int) -> None:
        super().__init__()
        self.inputs = inputs
        self.outputs, self.fan_in = wires.shape
        self.register_buffer("index", wires.to(torch.int64))
        self.register_buffer("readers", _readers(wires, inputs), persistent=False)
        self.register_load_state_dict_post_hook(_find_readers)

    def wires(self) -> Tensor:
        """Return the wires, int64, shape (outputs, fan_in), distinct within a row."""
        return self.index

    def forward(self, x: Tensor) -> Tensor:
        """Return what every output reads, (samples, outputs, fan_in), of (samples, inputs)."""
        out: Tensor = _Gather.apply(x, self.index, self.readers)  # type: ignore[no-untyped-call]
        return out


class _Gather(torch.autograd.Function):
    # Backward sums over the readers of an input in a fixed order, the same on every device.
    @staticmethod
    def forward(ctx: Any, x: Tensor, index: Tensor, readers: Tensor) -> Tensor:
        ctx.save_for_backward(readers)
        return x.index_select(1, index.reshape(-1)).view(-1, *index.shape)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        (readers,) = ctx.saved_tensors
        flat = grads[0].reshape(len(grads[0]), -1)
        padded = torch.cat([flat, flat.new_zeros(len(flat), 1)], 1)
        picked = padded.index_select(1, readers.reshape(-1))
        return picked.view(-1, *readers.shape).sum(-1), None, None


def _find_readers(module: nn.Module, _: object) -> None:
    # Wires that were just loaded have other readers.
    if isinstance(module, Fixed):
        module.readers = _readers(module.index, module.inputs).to(module.index.device)


def _readers(wires: Tensor, inputs: int) -> Tensor:
    # Per input, the places (output * fan_in + slot) that read it, padded with one beyond them.
    flat = wires.reshape(-1).tolist()
    places: list[list[int]] = [[] for _ in range(inputs)]
    for place, wire in enumerate(flat):
        places[wire].append(place)
    most = max(1, *(len(p) for p in places))
    return torch.tensor([p + [len(flat)] * (most - len(p)) for p in places])
