"""The LUT cost as a loss term: differentiable, on the weights as they are being trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from nnlogic.nn.family import chain_cost
from nnlogic.nn.gates import layer_gates, read_at_all
from nnlogic.nn.network import Network
from nnlogic.nn.stack import Stack
from nnlogic.train.cost import LUT_INPUTS, CostModel, cost_model, formula
from nnlogic.train.estimate import adder_luts


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
    network : Network or Stack
    model : CostModel, optional
        Default: calibrated for effort fast.
    """

    _input_values: Tensor

    def __init__(self, network: Network | Stack, model: CostModel | None = None) -> None:
        super().__init__()
        self.price = LutPrice(model or cost_model("fast"))
        # Not a submodule: the network's parameters belong to its own optimizer.
        self._network = (network,)
        # Input codes stand for values one apart around zero, see `input_levels`.
        bits = network.arch.input_bits if isinstance(network, Network) else network.input_bits
        count = 1 << max(bits)
        self.register_buffer("_input_values", torch.arange(count) - (count - 1) / 2)

    def forward(self) -> Tensor:
        """Return the LUT6 of all neurons and sums, a scalar; the argmax is not counted."""
        (network,) = self._network
        if isinstance(network, Stack):
            live = self._input_values.new_ones(len(network.classes))
            return chain_cost(list(network.traced()), live, self.price)[0]
        return self._linear(network)

    def _linear(self, network: Network) -> Tensor:
        total = self._input_values.new_zeros(())
        live: Tensor | None = None
        blocks = network.blocks
        for index in reversed(range(len(blocks))):
            block = blocks[index]
            before = blocks[index - 1].activation.values() if index else self._input_values
            reads, gates = layer_gates(block, before.detach())
            out_bits = total.new_tensor(float(block.activation.bits))
            luts = self.price.table(gates.sum((1, 2)), out_bits)
            total = total + (luts if live is None else luts * live).sum()
            live = read_at_all(reads, gates.amax(2), live, block.linear.weight.shape[1])
        return total


def lut_penalty(network: Network | Stack, weight: float) -> Callable[[], Tensor] | None:
    """Return `weight` times the LUT cost of a network, as a term of its loss; None for zero."""
    if not weight:
        return None
    cost = LutCost(network).to(network.quantizer.thresholds.device)
    return lambda: weight * cost()
