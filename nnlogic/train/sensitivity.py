"""How much the loss of a trained network rises when a layer gets coarser codes or fewer inputs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from nnlogic.core.errors import UsageError
from nnlogic.nn.families.linear import LinearSums
from nnlogic.nn.network import Network

METHODS = ("fisher", "hutchinson")
PROBES = 8


@dataclass(frozen=True, eq=False)
class LayerSensitivity:
    """What a layer's outputs are to the loss.

    Attributes
    ----------
    name : str
    trace : float tensor, shape (neurons,)
        Diagonal of the Hessian of the loss in the outputs, averaged over rows, never negative.
    outputs : float tensor, shape (rows, neurons)
        Outputs before rounding.
    span : (float, float)
        Smallest and largest value of a code.
    cut : float tensor, shape (neurons, fan_in)
        Mean square of what the output loses when the weakest 0, 1, ... connections are cut.
    """

    name: str
    trace: Tensor
    outputs: Tensor
    span: tuple[float, float]
    cut: Tensor

    def rounding(self, bits: int) -> float:
        """Return the estimated rise of the loss when outputs are rounded to `bits` bits."""
        low, high = self.span
        step = max(high - low, 1e-12) / ((1 << bits) - 1)
        rounded = low + step * torch.round((self.outputs - low) / step)
        error = (rounded - self.outputs).square().mean(0)
        return float((self.trace * error).sum()) / 2

    def cutting(self, fan_in: int) -> float:
        """Return the estimated rise of the loss when neurons keep their strongest connections."""
        cuts = max(0, self.cut.shape[1] - fan_in)
        return float((self.trace * self.cut[:, cuts]).sum()) / 2


def sensitivities(
    network: Network, codes: Tensor, labels: Tensor, *, method: str = "fisher", seed: int = 0
) -> tuple[LayerSensitivity, ...]:
    """Measure every layer of a trained network.

    Activations clip and do not round here, so that gradients are those of the function itself.

    Parameters
    ----------
    network : Network
        Trained; left as it was.
    codes : int tensor, shape (rows, features)
        Input codes; a few thousand rows are enough.
    labels : int64 tensor, shape (rows,)
    method : {"fisher", "hutchinson"}
        Squared gradients of each row, or Hutchinson's estimate of the Hessian's diagonal from
        random signs (HAWQ-V2, Dong et al. 2020), which costs about `PROBES` times more.
    seed : int
        Of the random signs.

    Raises
    ------
    UsageError
        Unknown method.
    """
    if method not in METHODS:
        raise UsageError("unknown sensitivity", why=f"{method!r}, known are {', '.join(METHODS)}")
    values = [network.values(codes)]
    with _unrounded(network):
        for block in network.blocks:
            values.append(block(values[-1]))
        loss = functional.cross_entropy(values[-1], labels, reduction="sum")
        outputs = values[1:]
        grads = torch.autograd.grad(loss, outputs, create_graph=method == "hutchinson")
        if method == "fisher":
            traces = [g.square().mean(0) for g in grads]
        else:
            generator = torch.Generator().manual_seed(seed)
            traces = [_diagonal(g, a, generator) for g, a in zip(grads, outputs, strict=True)]
    return tuple(
        LayerSensitivity(
            block.spec.name,
            trace.detach(),
            out.detach(),
            _span(block),
            _cut_errors(block, x.detach()),
        )
        for block, trace, x, out in zip(network.blocks, traces, values, outputs, strict=False)
    )


def weight_importance(network: Network, codes: Tensor, labels: Tensor) -> dict[str, Tensor]:
    """Return how much each weight matters: the mean square over rows of the loss's gradient.

    Parameters
    ----------
    network : Network
        Trained; left as it was.
    codes : int tensor, shape (rows, features)
    labels : int64 tensor, shape (rows,)

    Returns
    -------
    dict of str to float tensor, shape (neurons, inputs)
        By the name of the layer.
    """
    reads, sums = [], []
    with _unrounded(network):
        values = network.values(codes)
        for block in network.blocks:
            reads.append(values.detach())
            z = block.linear(values)
            sums.append(z)
            values = block.activation(block.norm(z) if block.norm is not None else z + block.bias)
        loss = functional.cross_entropy(values, labels, reduction="sum")
        grads = torch.autograd.grad(loss, sums)
    # The gradient of a weight in one row is that of its sum times what it is multiplied with.
    return {
        block.spec.name: g.square().t() @ x.square() / len(codes)
        for block, g, x in zip(network.blocks, grads, reads, strict=True)
    }


@contextmanager
def _unrounded(network: Network) -> Iterator[None]:
    training = network.training
    network.eval()
    for block in network.blocks:
        block.activation.quantized = False
    try:
        yield
    finally:
        for block in network.blocks:
            block.activation.quantized = True
        network.train(training)


def _span(block: LinearSums) -> tuple[float, float]:
    values = block.activation.values().detach()
    return float(values.min()), float(values.max())


def _diagonal(grad: Tensor, at: Tensor, generator: torch.Generator) -> Tensor:
    total = torch.zeros_like(at)
    for _ in range(PROBES):
        sign = torch.randint(0, 2, at.shape, generator=generator).to(at.dtype) * 2 - 1
        product = torch.autograd.grad((grad * sign).sum(), at, retain_graph=True)[0]
        total += sign * product
    return (total / PROBES).mean(0).clamp_min(0)


@torch.no_grad()
def _cut_errors(block: LinearSums, x: Tensor) -> Tensor:
    weight = block.linear.effective_weight()
    energy = (weight.square() * x.var(0)).topk(block.linear.fan_in, dim=1).values
    affine = block.affine()
    if "bias" not in affine:
        gain = affine["gamma"].square() / affine["var"].clamp_min(1e-12)
        energy = energy * gain[:, None]
    weakest_first = energy.flip(1)
    return weakest_first.cumsum(1) - weakest_first
