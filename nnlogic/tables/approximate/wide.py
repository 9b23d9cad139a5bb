"""Networks of small tables that stand for a neuron too wide for a table."""

from __future__ import annotations

from collections.abc import Iterator

from nnlogic.core.bits import Bools
from nnlogic.tables.approximate.patch import Patch, distinct_inputs
from nnlogic.tables.approximate.sampled import Sampled, cover, grow
from nnlogic.tables.approximate.small_tables import SmallTables, add_cover, add_forest
from nnlogic.tables.evaluate import block_values
from nnlogic.tables.ir import Threshold

FORESTS = ((1, 8), (1, 32), (3, 32), (5, 32), (5, 64), (5, 128))
"""Trees, and leaves of each."""
SUBSPACE = 0.3
"""Share of the inputs a tree of a forest may use."""
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
