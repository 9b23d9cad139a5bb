"""How far each input bit of a neuron counts, with gradients: what a LUT cost is made from.

A bit counts by its influence, the chance that it changes the output code when input codes are
uniform: of linear neurons in closed form, of any other function by flipping bits of a few rows.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

NOTICEABLE = 0.01
"""Influence at which an input bit counts as half a bit."""
TINY = 1e-12
SURELY_READ = 1 - 1e-4
ROWS = 32
BLUR = 0.1
"""Standard deviations over which a threshold is smoothed."""
LEAST_BITS = 0.1


class Price(Protocol):
    """What logic costs in LUT6."""

    def table(self, in_bits: Tensor, out_bits: Tensor) -> Tensor:
        """Return the LUT6 of functions by the input bits that count and their output bits."""

    def adder(self, entering: Tensor, sum_bits: Tensor, bounds: int) -> Tensor:
        """Return the LUT6 of sums by the bits that enter, those of the sum, and its thresholds."""


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


def linear_gates(
    weight: Tensor, fan_in: int, bounds: Tensor, values: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the connections linear neurons will keep, and how far each of their bits counts.

    Parameters
    ----------
    weight : tensor, shape (neurons, inputs)
    fan_in : int
        Connections a neuron ends up with.
    bounds : tensor, shape (neurons, levels - 1)
        Thresholds of the output code in the space of the sums.
    values : tensor, shape (2**bits,)
        Value of each input code.

    Returns
    -------
    reads : int64 tensor, shape (neurons, fan_in)
    gates : tensor, shape (neurons, fan_in, bits), 0 to 1
    """
    kept, reads = weight.abs().topk(fan_in, dim=1)
    contributions = kept[:, :, None] * _bit_steps(values)
    spread = contributions.detach().square().sum((1, 2)).sqrt() / 2
    mean = weight.detach().gather(1, reads).sum(1) * values.mean()
    thresholds = (bounds - mean[:, None]) / (spread[:, None] + TINY)
    gates = noticed(influences(contributions.flatten(1), thresholds))
    return reads, gates.view(contributions.shape)


def _bit_steps(values: Tensor) -> Tensor:
    """Return how far each bit of a code moves its value on average, shape (bits,)."""
    codes = torch.arange(len(values), device=values.device)
    bits = len(values).bit_length() - 1
    return torch.stack([(values - values[codes ^ (1 << b)]).abs().mean() for b in range(bits)])


def probe_codes(bits: Tensor) -> Tensor:
    """Return rows of random codes, and each of them again with one input bit flipped.

    Parameters
    ----------
    bits : int64 tensor on the CPU, shape (tables, fan_in)

    Returns
    -------
    int64 tensor, shape (1 + fan_in * most bits, ROWS, tables, fan_in)
        First the rows; then bit 0 of wire 0 flipped, bit 1 of wire 0, ...; a bit that a wire does
        not have is not flipped. The same rows at every call.
    """
    most, fan_in = int(bits.max()), bits.shape[1]
    drawn = torch.randint(
        1 << most, (ROWS, *bits.shape), generator=torch.Generator().manual_seed(0)
    )
    rows = drawn & ((1 << bits) - 1)
    flips = torch.zeros((1 + fan_in * most, 1, *bits.shape), dtype=torch.int64)
    for wire in range(fan_in):
        for bit in range(most):
            flips[1 + wire * most + bit, 0, :, wire] = (bits[:, wire] > bit).long() << bit
    return rows ^ flips


def probe(wires: Tensor, x_bits: tuple[int, ...], x_values: Tensor) -> tuple[Tensor, Tensor]:
    """Return the values that `probe_codes` stand for.

    Parameters
    ----------
    wires : int64 tensor, shape (tables, fan_in)
    x_bits : tuple of int
        Of each wire there is.
    x_values : tensor, shape (wires there are, 2**max(x_bits))
        Of each code.

    Returns
    -------
    values : float32 tensor on the device of `wires`, shape (flips, ROWS, tables, fan_in)
    bits : int64 tensor, shape (tables, fan_in)
    """
    read = wires.cpu()
    bits = torch.tensor(x_bits)[read]
    values = x_values.float()[read, probe_codes(bits)]
    return values.to(wires.device), bits


def probed_gates(codes: Tensor, bits: Tensor) -> Tensor:
    """Return how far each input bit counts, from output codes of `probe_codes`.

    Parameters
    ----------
    codes : float tensor, shape (1 + fan_in * most bits, ROWS, tables)
        Output codes, smooth.
    bits : int64 tensor, shape (tables, fan_in)

    Returns
    -------
    tensor, shape (tables, fan_in, most bits), 0 to 1
    """
    change = (codes[1:] - codes[:1]).abs().mean(1).clamp_max(1.0)
    return noticed(change.t().reshape(*bits.shape, int(bits.max())))


def soft_codes(z: Tensor, bounds: Tensor) -> Tensor:
    """Return smooth output codes of sums; they know neither scale nor offset of the sums.

    Parameters
    ----------
    z : tensor, shape (..., tables)
        Sums of probes.
    bounds : tensor, shape (tables, levels - 1)
        Lower bounds of codes 1, 2, ...; infinite for none.
    """
    own = z.flatten(0, -2)
    mean, spread = own.mean(0), (own.var(0) + TINY).sqrt()
    at = ((z - mean) / spread)[..., None]
    cuts = (bounds - mean.detach()[:, None]) / spread.detach()[:, None]
    return torch.special.ndtr((at - cuts) / BLUR).sum(-1)


def present(gates: Tensor, size: Tensor | None, reads: Tensor) -> Tensor:
    """Let gates pull on learned numbers of bits: one bit less takes the last bit of a code away.

    Parameters
    ----------
    gates : tensor, shape (tables, fan_in, bits)
        Bit 0 is the last bit of a code.
    size : tensor, shape (inputs,), or None
        Bits of each wire, with gradients; None where they are fixed.
    reads : int64 tensor, shape (tables, fan_in)
    """
    if size is None:
        return gates
    pull = (size - size.detach())[reads]
    return torch.cat([gates[..., :1] * (1 + pull[..., None]), gates[..., 1:]], -1)


def table_cost(
    gates: Tensor, reads: Tensor, inputs: int, out_bits: Tensor, live: Tensor, price: Price
) -> tuple[Tensor, Tensor]:
    """Return the LUT6 of tables, a scalar, and how far each of the `inputs` wires is read.

    Parameters
    ----------
    gates : tensor, shape (tables, fan_in, bits)
    reads : int64 tensor, shape (tables, fan_in)
    inputs : int
    out_bits, live : tensors, shape (tables,)
        Bits of each output, and how far anything reads it.
    price : Price
    """
    luts = price.table(gates.sum((1, 2)), out_bits.clamp_min(LEAST_BITS))
    return (luts * live).sum(), read_at_all(reads, gates.amax(2), live, inputs)


def read_at_all(reads: Tensor, gates: Tensor, live: Tensor | None, inputs: int) -> Tensor:
    """Return how far each input of a layer is read: one minus the product of not being read."""
    read = gates if live is None else gates * live[:, None]
    unread = torch.log1p(-read.clamp_max(SURELY_READ)).flatten()
    return 1 - torch.exp(unread.new_zeros(inputs).index_add(0, reads.flatten(), unread))


def either(parts: list[Tensor]) -> Tensor:
    """Return how far inputs are read by any of several readers, each of shape (inputs,)."""
    return 1 - (1 - torch.stack(parts)).prod(0)
