"""The LUT cost as a loss term: differentiable, on the weights as they are being trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from nnlogic.nn.family import chain_cost
from nnlogic.nn.stack import Stack
from nnlogic.predict.cost import LUT_INPUTS, CostModel, cost_model, formula
from nnlogic.predict.estimate import adder_luts


@dataclass(frozen=True)
class LutPrice:
    """The calibrated model's prices, as `nnlogic.nn.gates.Price` asks for them.

    Attributes
    ----------
    model : CostModel
    """

    model: CostModel

    def table(self, in_bits: Tensor, out_bits: Tensor) -> Tensor:
        """Return the LUT6 of functions by the input bits that count and their output bits."""
        luts: Tensor = formula(in_bits - LUT_INPUTS, out_bits, self.model.weights)
        return luts

    def adder(self, entering: Tensor, sum_bits: Tensor, bounds: int) -> Tensor:
        """Return the LUT6 of sums by the bits that enter, those of the sum, and its thresholds."""
        luts: Tensor = adder_luts((entering - sum_bits).clamp_min(0), sum_bits, bounds)
        return luts


class LutCost(nn.Module):
    """Predicted compiled LUT6 of a network, with gradients to its parameters.

    The gradient lowers the weights of input bits that hardly matter, most where the neuron is
    wide and so each bit is dear, until they round to zero or cross no threshold; and the weights
    by which a dear neuron is read, since a neuron nothing reads is not built. It knows no scale:
    weights of one neuron that shrink together change nothing. Sums of tables are made cheaper by
    smaller ranges of their tables, learned numbers of bits by fewer bits.

    Of each linear neuron only the strongest `fan_in` connections are priced: pruning cuts the
    others.

    Parameters
    ----------
    network : Stack
    model : CostModel, optional
        Default: calibrated for effort fast.
    """

    def __init__(self, network: Stack, model: CostModel | None = None) -> None:
        super().__init__()
        self.price = LutPrice(model or cost_model("fast"))
        # Not a submodule: the network's parameters belong to its own optimizer.
        self._network = (network,)

    def forward(self) -> Tensor:
        """Return the LUT6 of all neurons and sums, a scalar; the argmax is not counted."""
        (network,) = self._network
        live = torch.ones(len(network.classes), device=network.quantizer.thresholds.device)
        return chain_cost(list(network.traced()), live, self.price)[0]


def lut_penalty(network: Stack, weight: float) -> Callable[[], Tensor] | None:
    """Return `weight` times the LUT cost of a network, as a term of its loss; None for zero."""
    if not weight:
        return None
    cost = LutCost(network)
    return lambda: weight * cost()
