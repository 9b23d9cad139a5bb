"""Bits of arithmetic blocks that the range or the divisibility of a sum makes constant."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping

from nnlogic.tables.ir import ArgmaxBlock, Sum, Threshold


def weights_of(block: Sum | Threshold) -> dict[int, int]:
    """Return the weight of every signal in a block's sum; sign bits weigh negative."""
    out: dict[int, int] = {}
    for word, weight in zip(block.words, block.weights, strict=True):
        for b, s in enumerate(word.signals):
            negative = word.signed and b == len(word.signals) - 1
            out[s] = out.get(s, 0) + weight * (-(1 << b) if negative else 1 << b)
    return out


def constant_bits(block: Sum | Threshold | ArgmaxBlock, known: Mapping[int, int]) -> dict[int, int]:
    """Return the outputs of a block that have one value, whatever its inputs are.

    Parameters
    ----------
    block : Sum, Threshold or ArgmaxBlock
        An argmax has none.
    known : mapping of signal to value
        Inputs that are constant.

    Returns
    -------
    dict of signal to 0 or 1
        Found from the interval of the sum, and from the largest power of two that divides all
        its weights; there may be others.
    """
    if isinstance(block, ArgmaxBlock):
        return {}
    weights = weights_of(block)
    low = high = block.bias + sum(w for s, w in weights.items() if known.get(s))
    free = [w for s, w in weights.items() if s not in known]
    common = 0
    for w in free:
        common |= w
    low, high = low + sum(min(0, w) for w in free), high + sum(max(0, w) for w in free)
    step = common & -common if common else 1
    if isinstance(block, Threshold):
        low, high = bisect_right(block.thresholds, low), bisect_right(block.thresholds, high)
        step = 1
    return {
        s: low >> b & 1
        for b, s in enumerate(block.outputs)
        if (1 << b) < step or low >> b == high >> b
    }
