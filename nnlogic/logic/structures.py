"""Structures for Sum, Threshold and Argmax, LUT by LUT; `nnlogic.logic.arith` picks the best."""

from __future__ import annotations

from nnlogic.logic import adders
from nnlogic.logic.cone import Cone, ConeBuilder
from nnlogic.logic.passes.propagate_constants import propagate_constants
from nnlogic.tables.ir import Argmax, Sum, Threshold, block_inputs

Arithmetic = Sum | Threshold | Argmax


def n_inputs_of(block: Arithmetic) -> int:
    """Return the number of input signals of a block with local numbering."""
    return max(block_inputs(block), default=-1) + 1


def structure(block: Arithmetic, k: int) -> Cone:
    """Build a block gate by gate from LUTs of at most `k` inputs."""
    builder = ConeBuilder(n_inputs_of(block))
    width = len(block.result.signals)
    if isinstance(block, Argmax):
        bits = _tournament(builder, block, k)
    elif isinstance(block, Sum):
        terms = adders.terms_of(block.words, block.weights)
        bits = adders.weighted_sum(builder, terms, block.bias, width, k)
    else:
        bits = _thresholds(builder, block, k)
    bits += [builder.constant(False)] * (width - len(bits))
    return _tidy(builder.cone(bits[:width]))


def _tidy(cone: Cone) -> Cone:
    return propagate_constants(cone).cone


def _thresholds(builder: ConeBuilder, block: Threshold, k: int) -> list[int]:
    terms = adders.terms_of(block.words, block.weights)
    low = sum(min(0, t.weight) for word in terms for t in word) + block.bias
    high = sum(max(0, t.weight) for word in terms for t in word) + block.bias
    width = max(1, (high - low).bit_length())
    total = adders.weighted_sum(builder, terms, block.bias - low, width, k)
    reached = [adders.at_least(builder, total, t - low, k) for t in block.thresholds]
    # Thresholds do not decrease, so the bits of the count toggle as they are reached in turn.
    return [
        adders.parity(builder, [r for i, r in enumerate(reached) if ((i ^ (i + 1)) >> b) & 1], k)
        for b in range(len(reached).bit_length())
    ]


def _tournament(builder: ConeBuilder, block: Argmax, k: int) -> list[int]:
    width = max(1, (len(block.words) - 1).bit_length())
    entries = [
        (bits, [builder.constant(bool((i >> b) & 1)) for b in range(width)])
        for i, bits in enumerate(adders.aligned(builder, block.words))
    ]
    while len(entries) > 1:
        winners: list[tuple[list[int], list[int]]] = []
        for left, right in zip(entries[::2], entries[1::2], strict=False):
            better = adders.greater(builder, right[0], left[0], k)
            bits, index = (
                [adders.select(builder, a, b, better, k) for a, b in zip(x, y, strict=True)]
                for x, y in zip(left, right, strict=True)
            )
            winners.append((bits, index))
        entries = [*winners, *entries[len(winners) * 2 :]]
    return entries[0][1]


def all_pairs(block: Argmax, k: int) -> Cone:
    """Build an argmax from comparisons of all pairs, and the index as ORs of winners."""
    builder = ConeBuilder(n_inputs_of(block))
    words = adders.aligned(builder, block.words)
    n = len(words)
    beaten = {
        (i, j): adders.greater(builder, words[j], words[i], k)
        for i in range(n)
        for j in range(i + 1, n)
    }
    wins = []
    for i in range(n):
        flags = [(beaten[i, j], False) for j in range(i + 1, n)]
        flags += [(beaten[j, i], True) for j in range(i)]
        wins.append(_all_of(builder, flags, k))
    width = len(block.result.signals)
    bits = [
        _any_of(builder, [w for i, w in enumerate(wins) if (i >> b) & 1], k) for b in range(width)
    ]
    return _tidy(builder.cone(bits))


def _all_of(builder: ConeBuilder, flags: list[tuple[int, bool]], k: int) -> int:
    waiting = list(flags)
    while len(waiting) > 1 or (waiting and not waiting[0][1]):
        taken, waiting = waiting[:k], waiting[k:]
        wanted = sum(int(value) << b for b, (_, value) in enumerate(taken))
        waiting.append((builder.lut([s for s, _ in taken], 1 << wanted), True))
    return waiting[0][0] if waiting else builder.constant(True)


def _any_of(builder: ConeBuilder, signals: list[int], k: int) -> int:
    waiting = list(signals)
    while len(waiting) > 1:
        taken, waiting = waiting[:k], waiting[k:]
        n = len(taken)
        waiting.append(builder.lut(taken, (1 << (1 << n)) - 2))
    return waiting[0] if waiting else builder.constant(False)
