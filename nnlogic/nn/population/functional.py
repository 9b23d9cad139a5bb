"""Differentiable lookup tables and learned wires.

Tensors are wire-major with a leading axis of members: ``(members, wires, samples)``. A population
trains many networks of one shape at once, which keeps a GPU busy where one small network cannot.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor

K = 6
ROWS = 1 << K
HALF_ROWS = 1 << (K // 2)


def on_gpu(x: Tensor) -> bool:
    """Whether the kernels of `nnlogic.nn.population.fused` serve for `x`."""
    return x.is_cuda and find_spec("triton") is not None


class ChooseWires(torch.autograd.Function):
    """Choose one candidate wire per pin by the largest logit.

    The gradient of a logit is the one a softmax selection would have, with the candidates'
    values centred at one half; the gradient of the input goes to the chosen wire alone, or
    spreads over all candidates by their softmax (learned connections of DWN, Bacellar et al. 2024,
    in this straight-through form).
    """

    @staticmethod
    def forward(ctx: Any, logits: Tensor, x: Tensor, spread: bool) -> Tensor:
        """Return wires: logits (m, pins, wires), x (m or 1, wires, b) -> (m, pins, b)."""
        ctx.spread = spread
        chosen = logits.argmax(-1)
        members, pins = chosen.shape
        wires = x.shape[1]
        if x.shape[0] == 1:
            flat = chosen.reshape(-1)
        else:
            base = torch.arange(members, device=x.device)[:, None] * wires
            flat = (chosen + base).reshape(-1)
        ctx.save_for_backward(logits, x, flat)
        return x.reshape(-1, x.shape[2]).index_select(0, flat).view(members, pins, -1)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        """Return the gradients of logits and of x."""
        (grad,) = grads
        logits, x, flat = ctx.saved_tensors
        grad_logits = grad_x = None
        share = torch.softmax(logits, -1)
        if ctx.needs_input_grad[0]:
            # Eight bits of mantissa suffice for a sum over samples that only steers a choice.
            dtype = torch.bfloat16 if grad.is_cuda else grad.dtype
            centred, slope = (x - 0.5).to(dtype), grad.to(dtype)
            if x.shape[0] == 1:
                pull = (slope.flatten(0, 1) @ centred[0].t()).view_as(logits).float()
            else:
                pull = torch.bmm(slope, centred.transpose(1, 2)).float()
            grad_logits = share * (pull - (share * pull).sum(-1, keepdim=True))
        if ctx.needs_input_grad[1]:
            if ctx.spread:
                # Rounding to eight bits is far below what one batch says of the next.
                dtype = torch.bfloat16 if grad.is_cuda else grad.dtype
                grad_x = torch.bmm(share.transpose(1, 2).to(dtype), grad.to(dtype)).to(grad.dtype)
            else:
                flat_x = torch.zeros_like(x, dtype=grad.dtype).flatten(0, 1)
                grad_x = flat_x.index_add_(0, flat, grad.flatten(0, 1)).view_as(x)
        return grad_logits, grad_x, None


def choose_wires(logits: Tensor, x: Tensor, spread: bool) -> Tensor:
    """Return the wires chosen by `logits`, see `ChooseWires`."""
    out: Tensor = ChooseWires.apply(logits, x, spread)  # type: ignore[no-untyped-call]
    return out


def products(z: Tensor) -> Tensor:
    """Return the 8 minterm products of three wires: (m, n, 3, b) -> (m, n, 8, b), wire 0 lowest."""
    y = 1 - z
    low = torch.stack(
        [
            y[:, :, 0] * y[:, :, 1],
            z[:, :, 0] * y[:, :, 1],
            y[:, :, 0] * z[:, :, 1],
            z[:, :, 0] * z[:, :, 1],
        ],
        2,
    )
    return torch.cat([low * y[:, :, 2:3], low * z[:, :, 2:3]], 2)


def multilinear(tables: Tensor, z: Tensor) -> Tensor:
    """Interpolate 64-entry tables at points of the unit cube.

    Parameters
    ----------
    tables : Tensor, shape (members, n, 64)
        Entry ``sum(bit_i << i)``.
    z : Tensor, shape (members, n, 6, samples)

    Returns
    -------
    Tensor, shape (members, n, samples)
    """
    members, n, _, samples = z.shape
    low, high = products(z[:, :, :3]), products(z[:, :, 3:])
    square = tables.reshape(members * n, HALF_ROWS, HALF_ROWS).transpose(1, 2)
    mixed = torch.bmm(square, high.reshape(members * n, HALF_ROWS, samples))
    return (low * mixed.view(members, n, HALF_ROWS, samples)).sum(2)


def lookup(tables: Tensor, wires: Tensor) -> Tensor:
    """Return table entries: (m, n, 64) at bits (m, n, 6, b) -> (m, n, b) of the tables' dtype."""
    weights = (1 << torch.arange(K, device=wires.device)).view(1, 1, K, 1)
    index = (wires.to(torch.int16) * weights.to(torch.int16)).sum(2).long()
    return tables.gather(2, index)


def hard_with_soft_gradient(hard: Tensor, soft: Tensor) -> Tensor:
    """Return `hard`, with the gradient of `soft`."""
    return hard + (soft - soft.detach())
