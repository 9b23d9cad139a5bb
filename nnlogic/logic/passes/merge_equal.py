"""Structural hashing: nodes with the same table on the same signals become one."""

from __future__ import annotations

from nnlogic.logic.cone import Cone
from nnlogic.logic.rewrite import Rewrite, compacted
from nnlogic.logic.truth import permuted


def merge_equal(cone: Cone, protected: frozenset[int] = frozenset()) -> Rewrite:
    """Merge equal nodes into the first of them, whatever the order of their inputs."""
    n_in = cone.n_inputs
    alias = list(range(n_in + cone.n_nodes))
    known: dict[tuple[tuple[int, ...], int], int] = {}
    fanins: list[tuple[int, ...]] = []
    for i, (fanin, table) in enumerate(zip(cone.fanins, cone.tables, strict=True)):
        inputs = tuple(alias[s] for s in fanin)
        fanins.append(inputs)
        order = sorted(range(len(inputs)), key=inputs.__getitem__)
        ordered = tuple(inputs[b] for b in order)
        key = (ordered, table if ordered == inputs else permuted(table, order))
        alias[n_in + i] = known.setdefault(key, n_in + i)
    return compacted(cone, alias, fanins, cone.tables)
