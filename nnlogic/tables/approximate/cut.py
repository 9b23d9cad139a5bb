"""Sums without their lowest columns: approximate adders and constant multipliers.

After the truncated adders and multipliers of approximate arithmetic libraries such as Lop: partial
products below a column are left out, and their mean is added as a constant. Weights are constants,
so what is left is an arithmetic block like any other, and all that is proved of those holds for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from nnlogic.tables.approximate.patch import Patch, distinct_inputs
from nnlogic.tables.blocks import bit_weights
from nnlogic.tables.ir import Sum, Threshold, Word


@dataclass(frozen=True)
class SumError:
    """What a cut sum differs by from the exact one, over all inputs; exact.

    Attributes
    ----------
    least, most : int
        Bounds that are reached.
    rms : float
        Root of the mean square over all combinations of input bits.
    """

    least: int
    most: int
    rms: float


def cut_options(block: Sum | Threshold, columns: int) -> Iterator[tuple[str, Patch, SumError]]:
    """Yield a block without its lowest column, the two lowest, and so on.

    Parameters
    ----------
    block : Sum or Threshold
    columns : int
        Most columns left out.
    """
    before = None
    for low in range(1, columns + 1):
        found = cut(block, low)
        if found is None:
            return
        patch, error = found
        if patch.blocks != before:
            yield f"sum cut below column {low}", patch, error
        before = patch.blocks


def cut(block: Sum | Threshold, low: int) -> tuple[Patch, SumError] | None:
    """Return a block whose bits weigh multiples of ``2**low``, and the error of its sum.

    None where nothing is left to add up, or the range of the result does not hold the new sum.
    """
    weights = bit_weights(block)
    kept = {s: ((w >> (low - 1)) + 1 >> 1) << low for s, w in weights.items()}
    lost = [w - kept[s] for s, w in weights.items()]
    shift = round(sum(lost) / 2)
    least, most = (
        block.bias + shift + sum(f(0, w) for w in kept.values()) for f in (min, max)
    )  # fmt: skip
    if isinstance(block, Sum):
        room = block.result.format
        moved = max(0, room.lo - least) - max(0, most - room.hi)
        shift, least, most = shift + moved, least + moved, most + moved
        if least < room.lo or most > room.hi:
            return None
    if not any(kept.values()):
        return None
    mean = shift - sum(lost) / 2
    error = SumError(
        shift - sum(max(0, r) for r in lost),
        shift - sum(min(0, r) for r in lost),
        (mean**2 + sum(r * r for r in lost) / 4) ** 0.5,
    )
    return _patch(block, kept, shift, low), error


def _patch(block: Sum | Threshold, kept: dict[int, int], shift: int, low: int) -> Patch:
    number = {s: i for i, s in enumerate(distinct_inputs(block))}
    used = {s: w for s, w in kept.items() if w}
    first = len(number)
    part = replace(
        block,
        words=tuple(Word((number[s],)) for s in used),
        weights=tuple(used.values()),
        bias=block.bias + shift,
        result=replace(
            block.result, signals=tuple(range(first, first + len(block.outputs)))
        ),
        origin="", layer=0,
    )  # fmt: skip
    if isinstance(part, Threshold):
        # A multiple of 2**low reaches a threshold where its quotient reaches the next whole one.
        bounds = tuple(-((part.bias - t) >> low) for t in part.thresholds)
        short = tuple(w >> low for w in part.weights)
        part = replace(part, weights=short, bias=0, thresholds=bounds)
    return Patch((), (part,), part.outputs)
