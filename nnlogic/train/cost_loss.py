"""The LUT cost as a loss term: differentiable, on the weights as they are being trained."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from nnlogic.nn.network import LogicLayer, Network
from nnlogic.train.cost import LUT_INPUTS, CostModel, cost_model, formula

NOTICEABLE = 0.01
"""Influence at which an input bit counts as half a bit."""
TINY = 1e-12
SURELY_READ = 1 - 1e-4


def influences(contributions: Tensor, thresholds: Tensor) -> Tensor:
    """Return how likely each input bit of linear neurons changes the output code.

    Codes are taken as uniform and independent, the sum of the other bits as Gaussian.

    Parameters
    ----------
    contributions : tensor, shape (neurons, bits)
        What each input bit adds to the sum, magnitude; zero where there is none.
    thresholds : tensor, shape (neurons, levels - 1)
        In standard deviations of the sum from its mean.

    Returns
    -------
    tensor, shape (neurons, bits), 0 to 1
    """
    half = contributions / 2
    variance = half.square().sum(1, keepdim=True)
    rest = (variance - half.square()).clamp_min(0) + 1e-3 * variance + TINY
    rest = rest.sqrt()[:, :, None]
    center = (thresholds * (variance + TINY).sqrt())[:, None, :]
    upper = torch.special.ndtr((center + half[:, :, None]) / rest)
    lower = torch.special.ndtr((center - half[:, :, None]) / rest)
    return (upper - lower).sum(2).clamp_max(1.0)


def noticed(influence: Tensor) -> Tensor:
    """Return how far input bits count, 0 to 1: a soft form of "the function depends on it"."""
    return influence / (influence + NOTICEABLE)


class LutCost(nn.Module):
    """Predicted compiled LUT6 of a network of linear layers, with gradients to its weights.

    The gradient lowers the weights of input bits that hardly matter, most where the neuron is
    wide and so each bit is dear, until they round to zero or cross no threshold; and the weights
    by which a dear neuron is read, since a neuron nothing reads is not built. It knows no scale:
    weights of one neuron that shrink together change nothing.

    Of each neuron only the strongest `fan_in` connections are priced: pruning cuts the others.

    Parameters
    ----------
    network : Network
    model : CostModel, optional
        Default: calibrated for effort fast.
    """

    _input_values: Tensor

    def __init__(self, network: Network, model: CostModel | None = None) -> None:
        super().__init__()
        self.price = (model or cost_model("fast")).weights
        # Not a submodule: the network's parameters belong to its own optimizer.
        self._blocks = tuple(network.blocks)
        # Input codes stand for values one apart around zero, see `input_levels`.
        count = 1 << max(network.arch.input_bits)
        self.register_buffer("_input_values", torch.arange(count) - (count - 1) / 2)

    def forward(self) -> Tensor:
        """Return the LUT6 of all neurons, a scalar; the argmax is not counted."""
        total = self._input_values.new_zeros(())
        live: Tensor | None = None
        for index in reversed(range(len(self._blocks))):
            block = self._blocks[index]
            before = self._blocks[index - 1].activation.values() if index else self._input_values
            reads, gates = layer_gates(block, before.detach())
            width = gates.sum((1, 2)) - LUT_INPUTS
            luts = formula(width, float(block.activation.bits), self.price)
            total = total + (luts if live is None else luts * live).sum()
            live = _read_at_all(reads, gates.amax(2), live, block.linear.weight.shape[1])
        return total


def lut_penalty(network: Network, weight: float) -> Callable[[], Tensor] | None:
    """Return `weight` times the LUT cost of a network, as a term of its loss; None for zero."""
    if not weight:
        return None
    cost = LutCost(network).to(network.quantizer.thresholds.device)
    return lambda: weight * cost()


def layer_gates(block: LogicLayer, values: Tensor) -> tuple[Tensor, Tensor]:
    """Return the connections a layer's neurons will keep, and how far each of their bits counts.

    Parameters
    ----------
    block : LogicLayer
    values : tensor, shape (2**bits,)
        Value of each input code.

    Returns
    -------
    reads : int64 tensor, shape (neurons, fan_in)
    gates : tensor, shape (neurons, fan_in, bits), 0 to 1
    """
    # Not rounded: a weight that rounds to zero would have no gradient.
    weight = block.linear.weight * block.linear.mask
    kept, reads = weight.abs().topk(block.linear.fan_in, dim=1)
    contributions = kept[:, :, None] * _bit_steps(values)
    spread = contributions.detach().square().sum((1, 2)).sqrt() / 2
    mean = weight.detach().gather(1, reads).sum(1) * values.mean()
    thresholds = (_bounds(block) - mean[:, None]) / (spread[:, None] + TINY)
    gates = noticed(influences(contributions.flatten(1), thresholds))
    return reads, gates.view(contributions.shape)


def _bit_steps(values: Tensor) -> Tensor:
    """Return how far each bit of a code moves its value on average, shape (bits,)."""
    codes = torch.arange(len(values), device=values.device)
    bits = len(values).bit_length() - 1
    return torch.stack([(values - values[codes ^ (1 << b)]).abs().mean() for b in range(bits)])


@torch.no_grad()
def _bounds(block: LogicLayer) -> Tensor:
    """Return the thresholds of the output code in the space of the sums, (neurons, levels - 1)."""
    bounds = block.activation.thresholds().to(block.linear.weight.dtype)
    affine = block.affine()
    if "bias" in affine:
        return bounds - affine["bias"][:, None]
    gain = affine["gamma"] / (affine["var"] + TINY).sqrt()
    gain = torch.where(gain.abs() < TINY, torch.full_like(gain, TINY), gain)
    return (bounds - affine["beta"][:, None]) / gain[:, None] + affine["mean"][:, None]


def _read_at_all(reads: Tensor, gates: Tensor, live: Tensor | None, inputs: int) -> Tensor:
    """Return how far each input of a layer is read: one minus the product of not being read."""
    read = gates if live is None else gates * live[:, None]
    unread = torch.log1p(-read.clamp_max(SURELY_READ)).flatten()
    return 1 - torch.exp(unread.new_zeros(inputs).index_add(0, reads.flatten(), unread))
