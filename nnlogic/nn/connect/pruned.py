"""Connections found by cutting small weights of a dense layer."""

from __future__ import annotations

import torch
from torch import Tensor

from nnlogic.model.layer import PRUNED
from nnlogic.nn.connect.kind import Kind


def kept(progress: float, inputs: int, fan_in: int) -> int:
    """Return how many connections a neuron keeps when `progress` goes from 0 to 1.

    The number is ``F_f + (F_0 - F_f) * (1 - t)**3`` (Zhu and Gupta 2017), per neuron instead of
    per layer (NullaNet Tiny).
    """
    remaining = (1 - min(max(progress, 0.0), 1.0)) ** 3
    return min(round(fan_in + (inputs - fan_in) * remaining), inputs)


def strongest(weight: Tensor, mask: Tensor, count: int) -> Tensor:
    """Return the mask of the `count` largest magnitudes of each row, among those in `mask`.

    Parameters
    ----------
    weight : float Tensor, shape (outputs, inputs)
    mask : float Tensor of the same shape, 0 or 1
    count : int
    """
    # The offset keeps connections of weight zero before those already cut.
    magnitude = (weight.abs() + 1e-12) * mask
    best = magnitude.topk(count, dim=1).indices
    return mask * torch.zeros_like(mask).scatter_(1, best, 1.0)


def _groups(_: str, __: int) -> int:
    return 1


CONNECT = Kind(PRUNED, groups=_groups)
