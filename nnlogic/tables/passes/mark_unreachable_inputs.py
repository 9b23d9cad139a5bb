"""Exact don't-cares: table inputs that no input of the network can produce (exact SDC)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nnlogic.core.formats import IntArray
from nnlogic.tables.ir import Block, Function, Instance, TableNet
from nnlogic.tables.passes.effort import Effort
from nnlogic.tables.passes.reach import Reach
from nnlogic.tables.passes.rebuild import make_function


def mark_unreachable_inputs(
    net: TableNet, effort: Effort, timeout: float = 600.0
) -> tuple[TableNet, Reach]:
    """Shrink the care set of every table to the inputs that occur.

    The sets are those of the network as it is given. They stay sound for all tables together:
    take an input of the network and the tables in topological order. As long as every table
    keeps its values on its care set, each one reads what it read before, which is in its care
    set, and so emits what it emitted before.

    Returns
    -------
    net : TableNet
    reach : Reach
        What was found, and what was left out.
    """
    reach = Reach.of(net, effort, timeout)
    functions: list[Function] = []
    index: dict[str, int] = {}
    blocks: list[Block] = []
    for at, block in enumerate(net.blocks):
        if isinstance(block, Instance):
            function = restricted(net.functions[block.function], reach.care[net.n_inputs + at])
            number = index.setdefault(function.digest, len(functions))
            if number == len(functions):
                functions.append(function)
            block = replace(block, function=number)
        blocks.append(block)
    return replace(net, functions=tuple(functions), blocks=tuple(blocks)), reach


def restricted(function: Function, occurring: IntArray) -> Function:
    """Return the function with only these indices in its care set."""
    care = np.zeros(1 << function.n_inputs, dtype=bool)
    care[occurring] = True
    return make_function(function.table(), care)
