"""Straight-through pieces: one value forward, another one's gradient backward."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

GRID = 2.0**16
SMALLEST = 2.0**-100


class _ForwardAs(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, soft: Tensor, hard: Tensor) -> Tensor:
        return hard.to(soft.dtype, copy=True)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        return grads[0], None


class _Levels(torch.autograd.Function):
    # values[code], where values = scale * shape and `values` carries the gradient of the shape.
    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: Tensor, values: Tensor, code: Tensor) -> Tensor:
        out = _pick(x, values, code)
        ctx.save_for_backward(x, scale, values, code, out)
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, Tensor | None, None]:
        x, scale, values, code, out = ctx.saved_tensors
        grad = grads[0]
        passed = grad * ((x >= values[0]) & (x <= values[-1]))
        toward = ((grad * out).sum() - (passed * x).sum()) / scale
        per_value = None
        if ctx.needs_input_grad[2]:
            # index_put_ adds in a fixed order on every device, unlike index_add_.
            per_value = torch.zeros_like(values, dtype=grad.dtype)
            per_value.index_put_((code.reshape(-1),), grad.reshape(-1), accumulate=True)
        return passed, toward.to(scale.dtype), per_value, None


def _pick(x: Tensor, values: Tensor, code: Tensor) -> Tensor:
    out = values.to(x.dtype).index_select(0, code.reshape(-1)).view_as(x)
    return out.masked_fill_(x.isnan(), torch.nan)


def forward_as(soft: Tensor, hard: Tensor) -> Tensor:
    """Return `hard`, bit for bit, with the gradient of `soft`; both of one shape."""
    out: Tensor = _ForwardAs.apply(soft, hard)  # type: ignore[no-untyped-call]
    return out


def choose_level(x: Tensor, scale: Tensor, values: Tensor, code: Tensor) -> Tensor:
    """Return ``values[code]``, NaN where `x` is NaN, for ``values = scale * shape``.

    The gradient goes straight through to `x` where it lies between the first and the last value.
    `scale` gets the gradient of a learned step size (Esser et al. 2020, eq. 3): what follows may
    undo any scale of the values, so it is the thresholds, moving with it over `x`, that matter.
    `values` gets, for each, the gradient of the inputs that chose it.

    Parameters
    ----------
    x : float tensor
    scale : float tensor, shape (1,)
    values : float tensor, shape (levels,)
        Made with the scale detached.
    code : int64 tensor of the shape of `x`
    """
    out: Tensor = _Levels.apply(x, scale, values, code)  # type: ignore[no-untyped-call]
    return out


def round_half_up(x: Tensor) -> Tensor:
    """Round to the nearest integer, halves up; the gradient passes straight through."""
    return forward_as(x, torch.floor(x + 0.5))


def scaled(scale: Tensor, shape: Tensor, largest: float) -> Tensor:
    """Return ``scale * shape / max|shape|`` as multiples of ``2**-16``, straight through.

    Sums of a few such numbers are exact floats. The scale gets no gradient, see `choose_level`.

    Parameters
    ----------
    scale : float tensor, shape (1,)
    shape : float tensor
    largest : float
        Bound on the result's magnitude, at most 128.
    """
    # In float64 whatever the parameters are in, so that a copy in float64 gives the same numbers.
    wide = shape.to(torch.float64)
    wide = scale.detach() * wide / wide.abs().max().clamp_min(SMALLEST)
    wide = wide.clamp(-largest, largest)
    return forward_as(wide, torch.round(wide * GRID) / GRID).to(shape.dtype)
