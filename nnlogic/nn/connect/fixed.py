"""Wires that stay as they were chosen before training."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class Fixed(nn.Module):
    """Wires that do not change.

    Parameters
    ----------
    wires : int64 Tensor, shape (outputs, fan_in)
    inputs : int
        Number of wires to read from.
    period : int
        Outputs this far apart read the same wires; 0 where nothing is said of that.
    """

    index: Tensor
    readers: Tensor

    def __init__(self, wires: Tensor, inputs: int, *, period: int = 0) -> None:
        super().__init__()
        self.inputs, self.period = inputs, period
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
