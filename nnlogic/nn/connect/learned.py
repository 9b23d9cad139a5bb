"""Connections learned together with the weights."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from nnlogic.nn.connect.kind import Ends, Kind

GAIN = 4.0


class Learned(nn.Module):
    """Every slot of a neuron picks one of all wires by the largest of its logits.

    Backward, with ``g`` the gradient of the slots, all candidates get ``g x^T`` through the
    Jacobian of the softmax of the logits, straight through the choice; ``x`` gets the gradient of
    the slots that chose it (learned mapping of DWN, Bacellar et al. 2024, in a softmax
    form). The zero point of ``x`` does not matter: the Jacobian takes out what all
    candidates have in common. A neuron never reads a wire twice: slots choose one after another,
    among what is left.

    Parameters
    ----------
    inputs, outputs, fan_in : int
    generator : torch.Generator, optional
        Of the first logits, drawn from a normal distribution. The parameter is a logit over 4, so
        that under Adam a logit moves four times as fast as a weight: a slot must find its wire
        before its weight gives up on the one it has.
    freeze_at : float
        Part of the training after which the choice stays as it is.
    groups : int
        Runs of consecutive wires, equally long; slots are dealt to them in order, equally many
        each, and choose among the wires of their run.
    """

    period = 0

    def __init__(
        self,
        inputs: int,
        outputs: int,
        fan_in: int,
        generator: torch.Generator | None = None,
        *,
        freeze_at: float = 0.75,
        groups: int = 1,
    ) -> None:
        super().__init__()
        self.inputs, self.outputs, self.fan_in = inputs, outputs, fan_in
        self.freeze_at, self.groups = freeze_at, groups
        first = torch.randn((outputs, fan_in, inputs // groups), generator=generator)
        self.logits = nn.Parameter(first / GAIN)

    @torch.no_grad()
    def wires(self) -> Tensor:
        """Return the wires chosen now, int64, shape (outputs, fan_in), distinct within a row."""
        slots, size = self.fan_in // self.groups, self.inputs // self.groups
        free = self.logits.detach().view(-1, slots, size)
        chosen = [free[:, 0].argmax(1)]
        taken = torch.zeros_like(free[:, 0], dtype=torch.bool)
        for slot in range(1, slots):
            taken.scatter_(1, chosen[-1][:, None], True)
            chosen.append(free[:, slot].masked_fill(taken, -torch.inf).argmax(1))
        first = torch.arange(0, self.inputs, size, device=free.device)
        return (torch.stack(chosen, 1).view(-1, self.groups, slots) + first[:, None]).flatten(1)

    def anneal(self, progress: float) -> None:
        """Stop choosing once `progress`, from 0 to 1, reaches `freeze_at`."""
        self.logits.requires_grad_(progress < self.freeze_at)

    def forward(self, x: Tensor) -> Tensor:
        """Return what every output reads, (samples, outputs, fan_in), of (samples, inputs)."""
        out: Tensor = _Choose.apply(x, self.logits, self.wires(), self.groups)  # type: ignore[no-untyped-call]
        return out


class _Choose(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, logits: Tensor, wires: Tensor, groups: int) -> Tensor:
        ctx.save_for_backward(x, logits, wires)
        ctx.groups = groups
        return x.index_select(1, wires.reshape(-1)).view(-1, *wires.shape)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        x, logits, wires = ctx.saved_tensors
        grad = grads[0].reshape(len(x), -1)
        to_x = to_logits = None
        if ctx.needs_input_grad[0]:
            # A product with ones and zeros adds in the same order every time.
            chosen = functional.one_hot(wires.reshape(-1), x.shape[1]).to(grad.dtype)
            to_x = grad @ chosen
        if ctx.needs_input_grad[1]:
            share = (GAIN * logits).softmax(-1)
            # Per run of wires: what its slots want, of the wires in it.
            outputs, groups = len(logits), ctx.groups
            slots = grad.t().view(outputs, groups, -1, len(x)).transpose(0, 1).flatten(1, 2)
            runs = x.to(grad.dtype).view(len(x), groups, -1).transpose(0, 1)
            toward = (slots @ runs).unflatten(1, (outputs, -1)).transpose(0, 1).reshape_as(logits)
            to_logits = GAIN * share * (toward - (share * toward).sum(-1, keepdim=True))
        return to_x, to_logits, None, None


def _make(_: str, ends: Ends, generator: torch.Generator | None) -> Learned:
    return Learned(ends.inputs, ends.outputs, ends.fan_in, generator)


CONNECT = Kind("learned", make=_make)
