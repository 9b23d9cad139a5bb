"""Exact don't-cares: table inputs that no input of the network can produce (exact SDC)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nnlogic.core.formats import IntArray
from nnlogic.tables.ir import Block, Function, Instance, TableNet
from nnlogic.tables.passes.copied import Group, groups_of_copies
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
    set, and so emits what it emitted before. Copies care for what occurs at any of them.

    Returns
    -------
    net : TableNet
    reach : Reach
        What was found, and what was left out.
    """
    reach = Reach.of(net, effort, timeout)
    groups = groups_of_copies(net)
    copies: dict[Group, dict[int, IntArray]] = {}
    for unit, group in enumerate(groups, net.n_inputs):
        if group is not None:
            copies.setdefault(group, {})[id(reach.care[unit])] = reach.care[unit]
    cares = {group: np.concatenate(list(found.values())) for group, found in copies.items()}
    made: dict[Group, Function] = {
        group: restricted(net.functions[group[1]], care) for group, care in cares.items()
    }
    functions: list[Function] = []
    index: dict[str, int] = {}
    blocks: list[Block] = []
    for at, (block, group) in enumerate(zip(net.blocks, groups, strict=True)):
        if isinstance(block, Instance):
            function = (
                restricted(net.functions[block.function], reach.care[net.n_inputs + at])
                if group is None
                else made[group]
            )
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
