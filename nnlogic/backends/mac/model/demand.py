"""What a neuron asks of a field of P: weights, range, and an offset that makes it easy to read."""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd

import numpy as np

from nnlogic.core.formats import IntArray, IntFormat
from nnlogic.quant.layer import Sums


@dataclass(frozen=True, eq=False)
class Demand:
    """A neuron's sum ``S = scale * F + offset`` with ``F = weights @ x + start``.

    Attributes
    ----------
    neuron : int
    weights : int64 array, shape (inputs,)
        The neuron's weights over `scale`.
    scale, offset, start : int
    bits : int
        ``0 <= F < 2**bits`` for every input.
    """

    neuron: int
    weights: IntArray
    scale: int
    offset: int
    start: int
    bits: int


def demand_of(sums: Sums, neuron: int, formats: tuple[IntFormat, ...]) -> Demand | None:
    """Return what a neuron asks for; None for a neuron that reads nothing.

    Without thresholds, `offset` leaves the sum itself in the field, its sign bit inverted where
    it has one. With one threshold the top bit of the field says whether it is reached; with more,
    the thresholds get as many zeros at their end as the range allows, which shortens comparisons.
    """
    row = sums.weights[neuron]
    if not row.any():
        return None
    bias = int(sums.bias[neuron])
    scale = gcd(*(int(w) for w in row))
    if sums.thresholds is None:
        scale &= -scale  # multiplying by anything but a power of two would take LUTs
    weights = row // scale
    low = sum(int(w) * (f.lo if w > 0 else f.hi) for w, f in zip(weights, formats, strict=True))
    high = sum(int(w) * (f.hi if w > 0 else f.lo) for w, f in zip(weights, formats, strict=True))
    if sums.thresholds is None:
        start, bits = _sum_start(low, high, bias // scale)
    else:
        steps = [-((bias - int(t)) // scale) for t in sums.thresholds[neuron]]
        start, bits = _code_start(low, high, sorted({t for t in steps if low < t <= high}))
    return Demand(neuron, weights, scale, bias - scale * start, start, bits)


def _sum_start(low: int, high: int, whole: int) -> tuple[int, int]:
    fmt = IntFormat.holding(low + whole, high + whole)
    return whole + (1 << fmt.bits - 1 if fmt.signed else 0), fmt.bits


def _code_start(low: int, high: int, steps: list[int]) -> tuple[int, int]:
    bits = max(1, (high - low).bit_length())
    if len(steps) == 1:
        bits = 1 + max((steps[0] - 1 - low).bit_length(), (high - steps[0]).bit_length())
        return (1 << bits - 1) - steps[0], bits
    last = (1 << bits) - 1 - high
    best, most = -low, -1
    for step in steps:
        for j in range(bits + 1):
            start = -low + (low - step) % (1 << j)
            if start > last:
                continue
            zeros = sum(_zeros(t + start, bits) for t in steps)
            if zeros > most:
                best, most = start, zeros
    return best, bits


def _zeros(value: int, most: int) -> int:
    return (value & -value).bit_length() - 1 if value else most


def packed(demands: list[Demand], a_bits: int, p_bits: int) -> list[tuple[Demand, int]] | None:
    """Return the demands with their shifts, lowest first, or None when they do not fit one P.

    The constant on port A must fit for every wire; only the topmost weights are not widened by
    the fields' bits, so every demand is tried on top.
    """
    if sum(d.bits for d in demands) > p_bits:
        return None
    for top in sorted(demands, key=lambda d: (-d.bits, d.neuron)):
        order = [*(d for d in demands if d is not top), top]
        at, placed = 0, []
        for d in order:
            placed.append((d, at))
            at += d.bits
        if at - top.bits >= a_bits:
            continue
        word = port_a(placed)
        if -(1 << a_bits - 1) <= word.min() and word.max() < 1 << a_bits - 1:
            return placed
    return None


def port_a(placed: list[tuple[Demand, int]]) -> IntArray:
    """Return the constant on port A for every wire, int64; shifts are below 27."""
    return np.sum([d.weights << shift for d, shift in placed], axis=0, dtype=np.int64)
