"""Which blocks are copies of one another, and keep one function for all."""

from __future__ import annotations

from nnlogic.tables.ir import Instance, TableNet

Group = tuple[int, int]
"""Layer and function."""


def groups_of_copies(net: TableNet) -> list[Group | None]:
    """Return, per block, the group it belongs to: instances of one function in a shared layer."""
    shared = set(net.shared)
    return [
        (block.layer, block.function)
        if isinstance(block, Instance) and block.layer in shared
        else None
        for block in net.blocks
    ]
