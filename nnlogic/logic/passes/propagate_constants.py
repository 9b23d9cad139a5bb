"""Replace signals with a constant value in the nodes that read them."""

from __future__ import annotations

from nnlogic.logic.cone import Cone
from nnlogic.logic.rewrite import Rewrite, compacted
from nnlogic.logic.truth import BUFFER, cofactor, simplified


def propagate_constants(cone: Cone, protected: frozenset[int] = frozenset()) -> Rewrite:
    """Fold constants, inputs without influence, repeated inputs, and buffers."""
    n_in = cone.n_inputs
    alias = list(range(n_in + cone.n_nodes))
    constant: dict[int, int] = {}
    fanins: list[tuple[int, ...]] = []
    tables: list[int] = []
    for i, (fanin, table) in enumerate(zip(cone.fanins, cone.tables, strict=True)):
        inputs = [alias[s] for s in fanin]
        for b in range(len(inputs) - 1, -1, -1):
            if inputs[b] in constant:
                table = cofactor(table, len(inputs), b, constant[inputs[b]])
                del inputs[b]
        table, kept = simplified(table, inputs)
        if not kept:
            constant[n_in + i] = table
        elif len(kept) == 1 and table == BUFFER:
            alias[n_in + i] = kept[0]
        fanins.append(kept)
        tables.append(table)
    return compacted(cone, alias, fanins, tables)
