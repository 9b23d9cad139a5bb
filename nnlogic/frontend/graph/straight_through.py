"""Straight-through forms, ``x + (q(x) - x).detach()``, as the quantizer they carry.

In training such a form passes gradients by. In eval mode it is the quantizer up to the rounding of
two additions, which depends on x: bits of the last place, and no meaning.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from nnlogic.frontend.graph import ops
from nnlogic.frontend.graph.program import Graph, Node, Ref

STRAIGHT_THROUGH = "straight_through"
"""Key of ``info``: how many forms were read as their quantizers."""
ADD, SUB = "add.Tensor", "sub.Tensor"


def without_forms(graph: Graph) -> tuple[Graph, int]:
    """Return the graph with quantizers in place of straight-through forms, and their number."""
    made: dict[str, Node] = {}
    nodes, count = [], 0
    for node in graph.nodes:
        carried = _carried(node, made)
        if carried is not None:
            count += 1
            node = replace(node, op="alias.default", args=(Ref(carried),), kwargs={})
        made.update((out, node) for out in node.outputs)
        nodes.append(node)
    return replace(graph, nodes=needed(nodes, graph.outputs)), count


def needed(nodes: list[Node], outputs: tuple[str, ...]) -> tuple[Node, ...]:
    """Return the nodes that outputs depend on."""
    wanted, kept = set(outputs), []
    for node in reversed(nodes):
        if node.op in ops.NOTHING or wanted & set(node.outputs):
            kept.append(node)
            wanted |= {ref.name for ref in _refs([*node.args, *node.kwargs.values()])}
    return tuple(reversed(kept))


def _refs(values: list[Any]) -> list[Ref]:
    out: list[Any] = []
    for value in values:
        out += _refs(list(value)) if isinstance(value, list | tuple) else [value]
    return [value for value in out if isinstance(value, Ref)]


def _carried(node: Node, made: Mapping[str, Node]) -> str | None:
    """Return the name of the quantized tensor that a form gives; None for any other operation."""
    pair = _operands(node, made)
    if pair is None:
        return None
    first, second = pair
    if node.op == ADD:
        for x, rest in ((first, second), (second, first)):
            inner = _operands(made.get(rest), made)
            if inner is None or made[rest].op != SUB:
                continue
            # x + (q - x), and q + (x - x).
            if inner[1] == x:
                return inner[0]
            if inner[0] == inner[1]:
                return x
    if node.op == SUB:
        inner = _operands(made.get(second), made)
        # x - (x - q)
        if inner is not None and made[second].op == SUB and inner[0] == first:
            return inner[1]
        inner = _operands(made.get(first), made)
        # (q + x) - x
        if inner is not None and made[first].op == ADD and second in inner:
            return inner[0] if inner[1] == second else inner[1]
    return None


def _operands(node: Node | None, made: Mapping[str, Node]) -> tuple[str, str] | None:
    """Return the tensors that a sum or difference is of, as they were before any `detach`."""
    if node is None or node.op not in (ADD, SUB) or node.kwargs.get("alpha", 1) != 1:
        return None
    names = [_source(a.name, made) for a in node.args[:2] if isinstance(a, Ref)]
    return (names[0], names[1]) if len(names) == 2 else None


def _source(name: str, made: Mapping[str, Node]) -> str:
    while name in made and made[name].op in ops.SAME and "dropout" not in made[name].op:
        first = made[name].args[0]
        if not isinstance(first, Ref):
            break
        name = first.name
    return name
