"""Clamps that are written as choices, ``where(x > top, top, x)``, as minimum and maximum.

The two give the same for every number, also where the bound is cast to the type of x: between a
bound and its cast lies no number of that type. As a choice, nothing says that it is monotone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from nnlogic.frontend.graph import ops
from nnlogic.frontend.graph.program import Graph, Node, Ref

LESS, MORE = "minimum.default", "maximum.default"
CHOSEN = {"gt.Tensor": LESS, "ge.Tensor": LESS, "lt.Tensor": MORE, "le.Tensor": MORE}
"""What ``where(x > bound, bound, x)`` is, by the comparison."""


def with_clamps(graph: Graph) -> Graph:
    """Return the graph with minimum and maximum in place of choices that are such."""
    made: dict[str, Node] = {}
    nodes = []
    for node in graph.nodes:
        found = _clamp(node, made)
        if found is not None:
            op, x, bound = found
            node = replace(node, op=op, args=(x, bound), kwargs={})
        made.update((out, node) for out in node.outputs)
        nodes.append(node)
    return replace(graph, nodes=tuple(nodes))


def _clamp(node: Node, made: Mapping[str, Node]) -> tuple[str, Any, Any] | None:
    if node.op != "where.self" or not isinstance(node.args[0], Ref):
        return None
    test = made.get(source(node.args[0], made))
    if test is None or test.op not in CHOSEN or len(test.args) != 2:
        return None
    first, second = (source(a, made) for a in test.args)
    _, then, other = node.args
    if (source(then, made), source(other, made)) == (second, first):
        return CHOSEN[test.op], other, then
    # where(x > bottom, x, bottom)
    if (source(then, made), source(other, made)) == (first, second):
        return (MORE if CHOSEN[test.op] == LESS else LESS), then, other
    return None


def source(value: Any, made: Mapping[str, Node]) -> str:
    """Return the name of a tensor before it was copied or cast; of a constant its text."""
    if not isinstance(value, Ref):
        return repr(value)
    name = value.name
    while name in made and made[name].op in ops.CAST | ops.SAME:
        first = made[name].args[0]
        if not isinstance(first, Ref) or "dropout" in made[name].op:
            break
        name = first.name
    return name
