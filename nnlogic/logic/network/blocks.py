"""A large network in blocks that can be rebuilt apart from each other.

A block is an interval of a topological order, so blocks depend on each other in one direction
only, and each may be replaced by any network of the same function of its inputs.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from nnlogic.logic.cone import Cone, ConeBuilder
from nnlogic.logic.network.windows import Window


def depth_first(cone: Cone) -> list[int]:
    """Return the nodes in an order of a depth-first search from the outputs, fan-ins first."""
    order: list[int] = []
    done = [False] * (cone.n_inputs + cone.n_nodes)
    stack = [(s, False) for s in reversed(cone.outputs)]
    while stack:
        at, leaving = stack.pop()
        if leaving:
            order.append(at)
        elif at >= cone.n_inputs and not done[at]:
            done[at] = True
            stack.append((at, True))
            stack += [(s, False) for s in reversed(cone.fanins[at - cone.n_inputs])]
    return order


def blocks_of(cone: Cone, size: int, offset: int = 0) -> list[Window]:
    """Cut a network into blocks of about `size` nodes, the first one shorter by `offset`.

    The nodes of a block are listed in topological order.
    """
    order = depth_first(cone)
    first = max(1, size - offset)
    cuts = [0, *range(first, len(order), size), len(order)]
    place = {s: i for i, s in enumerate(order)}
    last_use: dict[int, int] = dict.fromkeys(cone.outputs, len(order))
    for at in order:
        for s in cone.fanins[at - cone.n_inputs]:
            last_use[s] = max(last_use.get(s, -1), place[at])
    out = []
    for low, high in pairwise(cuts):
        nodes = order[low:high]
        inside = set(nodes)
        leaves = sorted({s for n in nodes for s in cone.fanins[n - cone.n_inputs]} - inside)
        roots = [n for n in nodes if last_use[n] >= high]
        if nodes:
            out.append(Window(tuple(leaves), tuple(nodes), tuple(roots)))
    return out


def joined(cone: Cone, blocks: Sequence[Window], parts: Sequence[Cone]) -> Cone:
    """Assemble a network from new networks for all its blocks."""
    builder = ConeBuilder(cone.n_inputs)
    value = dict(enumerate(range(cone.n_inputs)))
    for block, part in zip(blocks, parts, strict=True):
        outputs = builder.add(part, [value[s] for s in block.leaves])
        value.update(zip(block.roots, outputs, strict=True))
    return builder.cone([value[s] for s in cone.outputs])
