"""A network of few bits that starts as a float network: ranges from rows, layer by layer.

A quantizer gives levels of one scale per layer; every neuron gets a gain of its own before it, in
the norm, and the layer after it undoes the gain in its weights. Both are fitted to what the neuron
gives on the rows, with the rounding of all layers before it (bias correction of Nagel et al. 2019).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from nnlogic.frontend.pt2.perceptron import FloatLayer
from nnlogic.model.architecture import Architecture
from nnlogic.model.layer import plain_layer
from nnlogic.nn.families.linear import LinearSums
from nnlogic.nn.network import Network

RANGES = 24
"""Ranges that are tried for every neuron."""
LEAST = 1e-6


def plan(
    name: str,
    layers: Sequence[FloatLayer],
    features: Sequence[str],
    classes: Sequence[str],
    *,
    input_bits: int,
    bits: int,
    score_bits: int,
    weight_bits: int,
    fan_in: Sequence[int],
) -> Architecture:
    """Return the architecture of a float network's quantized twin.

    Parameters
    ----------
    name : str
    layers : sequence of FloatLayer
    features, classes : sequence of str
    input_bits, bits, score_bits, weight_bits : int
        Of input codes, of what hidden layers give, of scores, of weights.
    fan_in : sequence of int
        Most connections of a neuron, per layer; 0 for all.
    """
    specs = []
    for i, (layer, most) in enumerate(zip(layers, fan_in, strict=True)):
        last = i == len(layers) - 1
        kind = "signed_uniform" if last or not layer.one_sided else "pact"
        label = "score" if last else f"fc{i + 1}"
        width = score_bits if last else bits
        specs.append(plain_layer(label, len(layer.weight), most, kind, width, weight_bits))
    return Architecture(
        name, tuple(features), (input_bits,) * len(features), tuple(classes), tuple(specs)
    )


@torch.no_grad()
def calibrated(network: Network, layers: Sequence[FloatLayer], x: Tensor, codes: Tensor) -> None:
    """Set all parameters of a network so that it does what a float network does on some rows.

    Parameters
    ----------
    network : Network
        From `plan`, with its input thresholds.
    layers : sequence of FloatLayer
    x : float64 tensor, shape (rows, features)
    codes : tensor, shape (rows, features)
    """
    values = network.values(codes).double()
    gain, shift = fitted(values, x)
    for block, layer in zip(network.blocks, layers, strict=True):
        weight, bias = layer.weight * gain, layer.weight @ shift + layer.bias
        block.linear.weight.copy_(weight)
        sums = values @ weight.T
        z = sums + bias
        wanted = z if layer.function is None else layer.function(z)
        if layer.function is None:
            reach = _of_scores(block, z)
        else:
            reach = _of_neurons(block, z, wanted)
        _set_norm(block, sums, bias, reach)
        values = block.activation((z / reach).float()).double()
        gain, shift = fitted(values, wanted)


def fitted(values: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor]:
    """Return gain and shift, per column, with which values are nearest to what is wanted."""
    mean, target = values.mean(0), wanted.mean(0)
    spread = (values - mean).square().mean(0)
    gain = ((values - mean) * (wanted - target)).mean(0) / spread.clamp_min(LEAST)
    return gain, target - gain * mean


def _of_scores(block: LinearSums, z: Tensor) -> Tensor:
    """Return one range for all scores, with which most rows keep their class."""
    top = float(z.abs().max()) or 1.0
    best, kept = top, -1.0
    block.activation.set_scale(2 * 1.0 / ((1 << block.spec.bits) - 1))
    for step in range(1, RANGES + 1):
        reach = top * step / RANGES
        coded = block.activation((z / reach).float())
        share = float((coded.argmax(1) == z.argmax(1)).double().mean())
        # Ties count for the class that stands first, so they lose rows here already.
        if share >= kept:
            best, kept = reach, share
    return torch.tensor(best, dtype=torch.float64)


def _of_neurons(block: LinearSums, z: Tensor, wanted: Tensor) -> Tensor:
    """Return a range for every neuron, with which its levels are nearest to its function."""
    levels = (1 << block.spec.bits) - 1
    block.activation.set_scale((1.0 if block.spec.activation == "pact" else 2.0) / max(1, levels))
    top = z.abs().amax(0).clamp_min(LEAST)
    best, least = top.clone(), torch.full_like(top, torch.inf)
    for step in range(1, RANGES + 1):
        reach = top * step / RANGES
        coded = block.activation((z / reach).float()).double()
        gain, shift = fitted(coded, wanted)
        error = (gain * coded + shift - wanted).square().mean(0)
        better = error < least
        best, least = torch.where(better, reach, best), torch.where(better, error, least)
    return best


def _set_norm(block: LinearSums, sums: Tensor, bias: Tensor, reach: Tensor) -> None:
    """Let the norm give ``(sums + bias) / reach``, with the statistics of the rows."""
    norm = block.norm
    if norm is None or norm.running_mean is None or norm.running_var is None:
        raise TypeError("a layer without a norm")
    mean, var = sums.mean(0), sums.var(0, unbiased=False)
    norm.running_mean.copy_(mean)
    norm.running_var.copy_(var)
    norm.weight.copy_((var + norm.eps).sqrt() / reach)
    norm.bias.copy_((mean + bias) / reach)


@torch.no_grad()
def with_statistics(network: Network, codes: Tensor) -> None:
    """Give norms the means of the rows again, after weights have changed."""
    values = network.values(codes)
    for block in network.blocks:
        sums = block.linear(values)
        norm = block.norm
        if norm is not None and norm.running_mean is not None and norm.running_var is not None:
            norm.running_mean.copy_(sums.mean(0))
            norm.running_var.copy_(sums.var(0, unbiased=False))
        values = block(values)
