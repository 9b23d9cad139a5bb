"""Linear neurons with fewer inputs and shorter weights, learned from what a neuron answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.bits import Bools
from nnlogic.core.formats import IntArray
from nnlogic.tables.approximate.patch import Patch, distinct_inputs
from nnlogic.tables.approximate.wide import MOST_PATTERNS
from nnlogic.tables.evaluate import word_values
from nnlogic.tables.ir import Threshold, Word

SHORTER = (
    (1, 16), (1, 8), (2, 16), (1, 4), (2, 8), (1, 2), (2, 4), (3, 8), (3, 4), (2, 2), (1, 1),
    (3, 2), (2, 1.5), (3, 1.5), (2, 1), (4, 2), (4, 1.5), (3, 1), (4, 1), (5, 1), (6, 1),
)  # fmt: skip
"""Bits of a weight, and the number of inputs divided by the number kept."""
SCALES = 2.0 ** np.linspace(-1.0, 1.5, 11)
"""Of weights before they are rounded, times what makes the largest one fit."""
RIDGE = 1e-3
REFINED = 4
"""Most thresholds of a neuron whose weights are tried one by one."""
REFINE_ROWS = 6_000
PASSES = 3


def shorter_options(block: Threshold, observed: Bools) -> Iterator[tuple[str, Patch]]:
    """Yield the same neuron with fewer inputs and shorter weights, learned on the observed rows.

    What rows never show is free, and a linear function completes it. Inputs leave one after
    another, always the one whose loss the others, refitted by least squares, make up for best.
    Weights are rounded at several scales; then each may move by one as long as fewer rows are
    answered otherwise than by the exact neuron, or as many with a smaller weight. Thresholds are
    fitted anew each time.

    Parameters
    ----------
    block : Threshold
    observed : bool array, shape (signals, rows)
        The first `MOST_PATTERNS` rows are used.
    """
    values = observed[:, :MOST_PATTERNS]
    words = np.stack([word_values(word, values) for word in block.words])
    weights = np.array(block.weights, dtype=np.int64)
    exact = weights @ words + block.bias
    wanted = exact >= np.array(block.thresholds, dtype=np.int64)[:, None]
    number = {s: i for i, s in enumerate(distinct_inputs(block))}
    width = len(block.outputs)
    fits = _fits(words, weights, {_kept(len(words), divisor) for _, divisor in SHORTER})
    for bits, divisor in SHORTER:
        kept, real = fits[_kept(len(words), divisor)]
        short = _shortened(real, words[kept], wanted, bits)
        if len(wanted) <= REFINED:
            short = _refined(short, words[kept], wanted, bits)
        kept, short = kept[short != 0], short[short != 0]
        if not kept.size:
            continue
        total = short @ words[kept]
        fitted = [_Split.of(total, row).threshold for row in wanted]
        part = Threshold(
            tuple(
                Word(tuple(number[s] for s in block.words[i].signals), block.words[i].signed)
                for i in kept
            ),
            tuple(int(w) for w in short),
            0,
            tuple(int(t) for t in np.maximum.accumulate(fitted)),
            Word(tuple(range(len(number), len(number) + width)), block.result.signed),
            "",
            0,
        )
        yield f"{len(kept)} inputs, {bits}-bit weights", Patch((), (part,), part.outputs)


def _kept(inputs: int, divisor: float) -> int:
    return max(1, int(inputs / divisor))


def _fits(
    words: IntArray, weights: IntArray, sizes: set[int]
) -> dict[int, tuple[IntArray, NDArray[np.float64]]]:
    """Return, for some numbers of inputs, which ones to keep and their least-squares weights.

    Backward elimination with the inverse of the covariance, as in an optimal brain surgeon:
    without input ``i`` the square error grows by ``w_i**2 / inverse_ii``.
    """
    centred = words - words.mean(1, keepdims=True)
    covariance = centred @ centred.T / words.shape[1]
    inverse = np.linalg.inv(covariance + RIDGE * np.eye(len(words)))
    alive, real = np.arange(len(words)), weights.astype(np.float64)
    out = {}
    while True:
        if len(alive) in sizes:
            out[len(alive)] = (alive, real)
        if len(alive) == min(sizes):
            return out
        diagonal = np.diagonal(inverse)
        worst = int(np.argmin(real**2 / diagonal))
        column = inverse[:, worst] / diagonal[worst]
        real = np.delete(real - column * real[worst], worst)
        inverse = inverse - np.outer(column, inverse[worst])
        inverse = np.delete(np.delete(inverse, worst, 0), worst, 1)
        alive = np.delete(alive, worst)


def _most(bits: int) -> int:
    """Return the largest weight of so many bits; one bit keeps the sign."""
    return max(1, (1 << (bits - 1)) - 1)


def _shortened(real: NDArray[np.float64], words: IntArray, wanted: Bools, bits: int) -> IntArray:
    """Round weights to signed integers, at the scale at which fewest rows are answered wrongly."""
    most = _most(bits)
    unit = most / max(1e-12, float(np.abs(real).max()))
    tried = [np.clip(np.rint(real * unit * s), -most, most).astype(np.int64) for s in SCALES]
    return min(tried, key=lambda short: _wrong(short @ words, wanted))


def _refined(short: IntArray, words: IntArray, wanted: Bools, bits: int) -> IntArray:
    """Move weights by one while that answers more rows rightly, or as many with less."""
    words, wanted, most = words[:, :REFINE_ROWS], wanted[:, :REFINE_ROWS], _most(bits)
    short = short.copy()
    total = short @ words
    best = _wrong(total, wanted)
    for _ in range(PASSES):
        before = best
        for i in range(len(short)):
            for step in (-1, 1):
                now = int(short[i]) + step
                if abs(now) > most:
                    continue
                moved = total + step * words[i]
                wrong = _wrong(moved, wanted)
                if wrong < best or (wrong == best and abs(now) < abs(short[i])):
                    short[i], total, best = now, moved, wrong
                    break
        if best == before:
            break
    return short


def _wrong(total: IntArray, wanted: Bools) -> int:
    return sum(_Split.of(total, row).wrong for row in wanted)


@dataclass(frozen=True)
class _Split:
    """The threshold on a sum that answers most rows as wanted, and how many it does not."""

    threshold: int
    wrong: int

    @staticmethod
    def of(total: IntArray, wanted: Bools) -> _Split:
        low = int(total.min())
        level = total - low
        on = np.bincount(level, weights=wanted)
        off = np.bincount(level, minlength=len(on)) - on
        # Threshold at level i: on-rows below it and off-rows at or above it are wrong.
        wrong = np.concatenate([[0.0], np.cumsum(on)]) + np.concatenate(
            [[off.sum()], off.sum() - np.cumsum(off)]
        )
        best = int(np.argmin(wrong))
        return _Split(low + best, int(wrong[best]))
