"""Scores that torch rounds, and whose order no rounding can change: as integers in that order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nnlogic.frontend.graph.values import Pending, Sums

MOST_POINTS = 1 << 20
FINEST = 20
"""Bits of a fraction of the largest step that scores are told apart by."""
Floats = NDArray[np.float64]


def apart(x: Pending) -> Pending | None:
    """Return exact sums that compare as rounded ones do; None where rounding may decide.

    Each score lies in an interval at each of its sums. Where those of different classes do not
    meet, their order is certain. Integers are then looked for that stand in the same order, finer
    and finer, and compared with the intervals at every sum.

    Parameters
    ----------
    x : Pending
        On sums; a function that no rounding makes anything but monotone.
    """
    base = x.base
    if not isinstance(base, Sums) or base.weights is None or not x.monotone:
        return None
    ids = x.ids.reshape(-1).numpy()
    counts = base.count[ids]
    longest = int(counts.max())
    if longest * max(len(ids), int(np.prod(base.shape))) > MOST_POINTS:
        return None
    low, high = (x.function(p).double().reshape(longest, -1).numpy()
                 for p in base.points(slice(0, longest)))  # fmt: skip
    if not (np.isfinite(low).all() and np.isfinite(high).all()):
        return None
    bounds = [
        (np.minimum(low[:n, k], high[:n, k]), np.maximum(low[:n, k], high[:n, k]))
        for k, n in enumerate(counts)
    ]
    if _meet(bounds):
        return None
    middles = [(a + b) / 2 for a, b in bounds]
    unit = np.array([(m[-1] - m[0]) / (len(m) - 1) if len(m) > 1 else 0.0 for m in middles])
    first = np.array([m[0] for m in middles])
    # Scores of a network that has collapsed are constants.
    top = float(np.abs(unit).max()) or float(np.abs(first).max()) or 1.0
    for bits in range(FINEST):
        gain = np.rint(unit / top * 2.0**bits)
        start = np.rint(first / top * 2.0**bits)
        whole = [g * np.arange(len(m)) + s for g, s, m in zip(gain, start, middles, strict=True)]
        if _in_order(middles, whole):
            shape = tuple(x.ids.shape[1:])
            offset = start - gain * base.lo[ids]
            made = Sums(
                base.dtype, shape, base.wires, base.weights[ids], gain, offset,
                np.zeros(len(ids)), base.lo[ids], counts,
            )  # fmt: skip
            return Pending(
                made, x.ids.new_tensor(range(len(ids))).reshape(x.ids.shape), lambda t: t
            )
    return None


def _meet(bounds: list[tuple[Floats, Floats]]) -> bool:
    """Whether a score of one class and one of another may be either way round."""
    ordered = [(np.sort(a), np.sort(b)) for a, b in bounds]
    for k, (low, high) in enumerate(ordered):
        for other_low, other_high in ordered[k + 1 :]:
            start = np.searchsorted(other_high, low, "left")
            stop = np.searchsorted(other_low, high, "right")
            for at in np.flatnonzero(stop > start):
                part = slice(start[at], stop[at])
                # Exact on both sides, they are equal for certain: the first class wins.
                sure = low[at] == high[at] and (other_low[part] == other_high[part]).all()
                if not sure:
                    return True
    return False


def _in_order(middles: list[Floats], whole: list[Floats]) -> bool:
    """Whether integers compare, across classes, as the values they stand for."""
    for k, (mine, own) in enumerate(zip(middles, whole, strict=True)):
        for theirs, other in zip(middles[k + 1 :], whole[k + 1 :], strict=True):
            values, numbers = np.sort(theirs), np.sort(other)
            for side in ("left", "right"):
                found = np.searchsorted(values, mine, side)
                if not np.array_equal(found, np.searchsorted(numbers, own, side)):
                    return False
    return True
