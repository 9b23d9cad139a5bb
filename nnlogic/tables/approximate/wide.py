"""Cheaper stand-ins for a linear neuron too wide for a table, fitted to the observed rows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nnlogic.core.bits import Bools
from nnlogic.core.formats import IntArray
from nnlogic.tables.approximate.patch import Patch, distinct_inputs
from nnlogic.tables.approximate.sampled import Sampled, cover, grow
from nnlogic.tables.approximate.small_tables import SmallTables, add_cover, add_forest
from nnlogic.tables.evaluate import block_values, word_values
from nnlogic.tables.ir import Threshold, Word

FORESTS = ((1, 8), (1, 32), (3, 32), (5, 32), (5, 64), (5, 128))
"""Trees, and leaves of each."""
SUBSPACE = 0.3
"""Share of the inputs a tree of a forest may use."""
SHORTER = ((1, 16), (1, 8), (1, 4), (2, 4), (3, 4), (3, 2), (4, 2), (4, 1), (5, 1), (6, 1))
"""Bits of a weight, and the number of inputs divided by the number kept."""
MOST_PATTERNS = 20_000
COVER_PATTERNS = 2_000


def sampled_options(block: Threshold, observed: Bools, k: int) -> Iterator[tuple[str, Patch]]:
    """Yield networks of small tables learned from what a neuron answers on observed rows.

    Parameters
    ----------
    block : Threshold
    observed : bool array, shape (signals, rows)
        The first `MOST_PATTERNS` rows are used.
    k : int
        Most inputs of a table.
    """
    values = observed[:, :MOST_PATTERNS]
    inputs = values[list(distinct_inputs(block))]
    raw = block.result.format.to_raw(block_values(block, values))
    outcome = [((raw >> b) & 1).astype(bool) for b in range(len(block.outputs))]
    functions = [Sampled.of(inputs, bit) for bit in outcome]
    single = [grow(f, _leaves(alone=True)) for f in functions]
    forest = [
        [grow(f, _leaves(alone=False), share=SUBSPACE, seed=i) for i in range(_trees())]
        for f in functions
    ]
    for trees, leaves in FORESTS:
        tables = SmallTables(len(inputs), k)
        grown = [[one] for one in single] if trees == 1 else [f[:trees] for f in forest]
        outputs = [add_forest(tables, [t.first(leaves) for t in each]) for each in grown]
        yield f"sampled, {trees} x {leaves} leaves", tables.patch(outputs)
    if max(f.n_on + f.n_off for f in functions) <= COVER_PATTERNS:
        tables = SmallTables(len(inputs), k)
        yield "sampled, cover", tables.patch([add_cover(tables, cover(f)) for f in functions])


def _leaves(*, alone: bool) -> int:
    return max(leaves for trees, leaves in FORESTS if (trees == 1) == alone)


def _trees() -> int:
    return max(trees for trees, _ in FORESTS)


def shorter_options(block: Threshold, observed: Bools) -> Iterator[tuple[str, Patch]]:
    """Yield the same neuron with fewer inputs and shorter weights, thresholds fitted anew.

    Inputs are kept in the order of weight times spread on the observed rows.

    Parameters
    ----------
    block : Threshold
    observed : bool array, shape (signals, rows)
    """
    values = observed[:, :MOST_PATTERNS]
    words = np.stack([word_values(word, values) for word in block.words])
    weights = np.array(block.weights, dtype=np.int64)
    exact = weights @ words + block.bias
    order = np.argsort(-np.abs(weights) * words.std(axis=1), kind="stable")
    number = {s: i for i, s in enumerate(distinct_inputs(block))}
    width = len(block.outputs)
    for bits, divisor in SHORTER:
        kept = np.sort(order[: max(1, len(order) // divisor)])
        short = _shortened(weights[kept], bits)
        kept, short = kept[short != 0], short[short != 0]
        if not kept.size:
            continue
        total = short @ words[kept]
        fitted = [_fitted(total, exact >= t) for t in block.thresholds]
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


def _shortened(weights: IntArray, bits: int) -> IntArray:
    """Round weights to signed integers of `bits` bits; one bit keeps the sign."""
    if bits == 1:
        return np.sign(weights)
    top = (1 << (bits - 1)) - 1
    return np.rint(weights * (top / max(1, int(np.abs(weights).max())))).astype(np.int64)


def _fitted(total: IntArray, wanted: Bools) -> int:
    """Return the threshold on `total` that answers most rows as `wanted`."""
    levels, group = np.unique(total, return_inverse=True)
    on = np.bincount(group, weights=wanted, minlength=len(levels))
    off = np.bincount(group, weights=~wanted, minlength=len(levels))
    # Threshold at level i: on-rows below it and off-rows at or above it are wrong.
    wrong = np.concatenate([[0.0], np.cumsum(on)]) + np.concatenate(
        [[off.sum()], off.sum() - np.cumsum(off)]
    )
    best = int(np.argmin(wrong))
    return int(levels[best]) if best < len(levels) else int(levels[-1]) + 1
