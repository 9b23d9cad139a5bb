"""LogicNet -> TableNet: every node a table, for a run that begins with logic."""

from __future__ import annotations

import numpy as np

from nnlogic.core.archive import frozen
from nnlogic.logic.ir import LogicNet
from nnlogic.tables.ir import Function, Instance, TableNet


def tabled(logic: LogicNet) -> TableNet:
    """Return the nodes of a network as tables, on the same signals."""
    index: dict[tuple[int, int], int] = {}
    blocks = []
    rows = zip(logic.fanins.tolist(), logic.fan_in_counts.tolist(), logic.tables.tolist(),
               logic.origins, logic.node_layers.tolist(), strict=True)  # fmt: skip
    for node, (fanin, count, table, origin, layer) in enumerate(rows):
        function = index.setdefault((count, table), len(index))
        out = (logic.n_inputs + node,)
        blocks.append(Instance(function, tuple(fanin[:count]), out, origin, layer))
    functions = tuple(Function(count, frozen([[table]], np.uint64)) for count, table in index)
    tables = TableNet(
        logic.name, logic.inputs, logic.outputs, functions, tuple(blocks),
        tuple(int(s) for s in logic.output_signals), logic.layers,
    )  # fmt: skip
    tables.verify()
    return tables
