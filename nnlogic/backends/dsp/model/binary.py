"""Layers of binarized networks as operation graphs: weights and activations are -1 or +1.

A bit stands for the sign of its value, 0 for -1. ``sum(w * x)`` is twice the number of bits that
agree with their weight, less the number of weights, so a neuron counts its inputs, each as it
is or complemented by its weight, and compares; complements cost nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nnlogic.backends.dsp.model.ir import OpGraph
from nnlogic.backends.dsp.model.lower import ZERO, Literal, OpBuilder, finish
from nnlogic.backends.dsp.model.ops import AND, XOR
from nnlogic.backends.dsp.model.popcount import OR, Slot, counts
from nnlogic.core.errors import InputError, Problem
from nnlogic.core.formats import IntArray, IntFormat, Port

ONE: Literal = (-1, 1)
BIT = IntFormat(1)


def binary_layer(name: str, weights: IntArray, thresholds: IntArray, *, pool: int = 1) -> OpGraph:
    """Return neurons that fire when ``sum(weights * x) >= threshold``.

    Parameters
    ----------
    name : str
    weights : int array, shape (neurons, inputs)
        -1, +1, or 0 where a neuron does not read an input.
    thresholds : int array, shape (neurons,)
    pool : int
        Output ``i`` is the maximum of neurons ``i * pool .. (i + 1) * pool - 1``.

    Returns
    -------
    OpGraph
        Inputs ``x0 ..`` and outputs ``y0 ..``, one bit each, 0 for -1.

    Raises
    ------
    InputError
        Shapes that do not fit, or other weights.
    """
    weights, thresholds = np.asarray(weights, np.int64), np.asarray(thresholds, np.int64)
    _check(name, weights, thresholds, pool)
    ops, sums = _agreeing(weights)
    fires = []
    for bits, row, threshold in zip(sums, weights, thresholds.tolist(), strict=True):
        least = -(-(threshold + int(np.abs(row).sum())) // 2)
        fires.append(_at_least(ops, bits, least))
    outputs = [_any(ops, fires[i : i + pool]) for i in range(0, len(fires), pool)]
    return finish(ops, outputs, name, _bits("x", weights.shape[1]), _bits("y", len(outputs)))


def score_layer(name: str, weights: IntArray, bias: IntArray) -> OpGraph:
    """Return ``scores = weights @ x + bias`` and the index of the first largest.

    Parameters
    ----------
    name : str
    weights : int array, shape (classes, inputs)
        -1 or +1, or 0 where a class does not read an input.
    bias : int array, shape (classes,)

    Returns
    -------
    OpGraph
        Inputs ``x0 ..`` of one bit; outputs ``score0 ..``, signed, and ``class``.

    Raises
    ------
    InputError
        Shapes that do not fit, or other weights.
    """
    weights, bias = np.asarray(weights, np.int64), np.asarray(bias, np.int64)
    _check(name, weights, bias, 1)
    ops, sums = _agreeing(weights)
    span = int((np.abs(weights).sum(axis=1) + np.abs(bias)).max())
    width = span.bit_length() + 1
    offsets = bias - np.abs(weights).sum(axis=1)
    words = [
        _plus(ops, [ZERO, *bits], int(offset), width)
        for bits, offset in zip(sums, offsets, strict=True)
    ]
    index = _first_largest(ops, words)
    scores = tuple(Port(f"score{i}", IntFormat(width, signed=True)) for i in range(len(words)))
    outputs = (*scores, Port("class", IntFormat(len(index))))
    wanted = [bit for word in words for bit in word] + index
    return finish(ops, wanted, name, _bits("x", weights.shape[1]), outputs)


def pooled_filters(filters: IntArray, pool: int) -> IntArray:
    """Return convolution filters as neurons of one patch that holds a whole pooling window.

    Parameters
    ----------
    filters : int array, shape (filters, channels, height, width)
    pool : int
        Side of the pooling window, and its stride.

    Returns
    -------
    int64 array, shape (filters * pool**2, patch codes)
        Neurons of a filter follow each other; patch codes are ordered as `Window` has them, for
        a window of ``height + pool - 1`` by ``width + pool - 1`` with stride `pool`.
    """
    number, channels, height, width = filters.shape
    shape = (number, pool, pool, height + pool - 1, width + pool - 1, channels)
    out = np.zeros(shape, np.int64)
    for row in range(pool):
        for column in range(pool):
            out[:, row, column, row : row + height, column : column + width] = np.moveaxis(
                filters, 1, 3
            )
    return out.reshape(number * pool**2, -1)


def _check(name: str, weights: IntArray, thresholds: IntArray, pool: int) -> None:
    problems = []
    if weights.ndim != 2 or 0 in weights.shape or thresholds.shape != weights.shape[:1]:
        problems.append(Problem(name, f"weights {weights.shape}, per neuron {thresholds.shape}"))
    elif pool < 1 or len(weights) % pool:
        problems.append(Problem(name, f"{len(weights)} neurons, {pool} to a pooling window"))
    if (np.abs(weights) > 1).any():
        problems.append(Problem(name, f"weights up to {np.abs(weights).max()}, need -1, 0 or 1"))
    if problems:
        raise InputError("not a layer of a binarized network", problems=problems)


def _bits(letter: str, count: int) -> tuple[Port, ...]:
    return tuple(Port(f"{letter}{i}", BIT) for i in range(count))


def _agreeing(weights: IntArray) -> tuple[OpBuilder, list[list[Literal]]]:
    """How many inputs agree with their weight, for every neuron."""
    number, inputs = weights.shape
    ops = OpBuilder(inputs)
    slots: list[Slot] = []
    for i, column in enumerate(weights.T.tolist()):
        slots.append({n: (i, int(w < 0)) for n, w in enumerate(column) if w})
    return ops, counts(ops, [[s for s in slots if s]], number)


def _at_least(ops: OpBuilder, bits: Sequence[Literal], least: int) -> Literal:
    """Whether an unsigned word is at least a constant."""
    if least <= 0:
        return ONE
    if least >> len(bits):
        return ZERO
    out = ONE
    for b, bit in enumerate(bits):
        out = ops.apply(AND if least >> b & 1 else OR, bit, out)
    return out


def _plus(ops: OpBuilder, bits: Sequence[Literal], constant: int, width: int) -> list[Literal]:
    """Add a constant to a word, modulo ``2**width``."""
    padded = [*bits, *[ZERO] * width][:width]
    slots: list[list[Slot]] = [[{0: bit}] for bit in padded]
    for b, column in enumerate(slots):
        if constant >> b & 1:
            column.append({0: ONE})
    total = counts(ops, slots, 1)[0]
    return [*total, *[ZERO] * width][:width]


def _any(ops: OpBuilder, literals: Sequence[Literal]) -> Literal:
    """OR of literals, as a balanced tree."""
    if len(literals) == 1:
        return literals[0]
    half = len(literals) // 2
    return ops.apply(OR, _any(ops, literals[:half]), _any(ops, literals[half:]))


def _first_largest(ops: OpBuilder, words: Sequence[Sequence[Literal]]) -> list[Literal]:
    """Index of the first largest of signed words, by a tournament."""
    width = max(1, (len(words) - 1).bit_length())
    players = [
        (list(word), [ONE if i >> b & 1 else ZERO for b in range(width)])
        for i, word in enumerate(words)
    ]
    while len(players) > 1:
        following = []
        for (left, low), (right, high) in zip(players[::2], players[1::2], strict=False):
            later = _less(ops, left, right)
            best, index = (
                [_mux(ops, later, r, w) for w, r in zip(first, second, strict=True)]
                for first, second in ((left, right), (low, high))
            )
            following.append((best, index))
        players = following + players[len(players) & ~1 :]
    return players[0][1]


def _less(ops: OpBuilder, left: Sequence[Literal], right: Sequence[Literal]) -> Literal:
    """Whether the first of two signed words is smaller."""
    out = ZERO
    for b, (x, y) in enumerate(zip(left, right, strict=True)):
        if b == len(left) - 1:
            x, y = y, x
        differ = ops.apply(XOR, x, y)
        out = _mux(ops, differ, y, out)
    return out


def _mux(ops: OpBuilder, select: Literal, one: Literal, zero: Literal) -> Literal:
    differ = ops.apply(XOR, one, zero)
    return ops.apply(XOR, zero, ops.apply(AND, select, differ))
