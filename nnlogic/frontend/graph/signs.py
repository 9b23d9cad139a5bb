"""Signs that are written as two comparisons, ``(x >= 0) - (x < 0)`` in numbers, as one.

Brevitas writes binary quantizers so. One of the two is true for every number, so the first alone
says which: ``2 * (x >= 0) - 1``. As a difference, nothing says that it is monotone, and a sum would
be compared twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from nnlogic.frontend.graph.clamps import source
from nnlogic.frontend.graph.program import Graph, Node, Ref
from nnlogic.frontend.graph.straight_through import needed

OTHER = {"ge": "lt", "lt": "ge", "gt": "le", "le": "gt"}
"""The comparison that is true where one is not."""


def with_signs(graph: Graph) -> Graph:
    """Return the graph with one comparison in place of differences of two that are opposite."""
    made: dict[str, Node] = {}
    nodes: list[Node] = []
    for node in graph.nodes:
        if _is_sign(node, made):
            (out,) = node.outputs
            double = replace(
                node, name=f"{node.name}_double", op="mul.Scalar", args=(node.args[0], 2.0),
                kwargs={}, outputs=(f"{out}_double",),
            )  # fmt: skip
            nodes.append(double)
            node = replace(node, op="sub.Scalar", args=(Ref(double.outputs[0]), 1.0), kwargs={})
        made.update((out, node) for out in node.outputs)
        nodes.append(node)
    if len(nodes) == len(graph.nodes):
        return graph
    return replace(graph, nodes=needed(nodes, graph.outputs))


def _is_sign(node: Node, made: Mapping[str, Node]) -> bool:
    if node.op != "sub.Tensor" or len(node.args) != 2 or node.kwargs.get("alpha", 1) != 1:
        return False
    # Numbers, not truth values, are subtracted.
    sides = [side for side in node.args if isinstance(side, Ref)]
    found = (made.get(source(side, made)) for side in sides)
    tests = [test for test in found if test is not None]
    if len(tests) != 2:
        return False
    if any(side.name in test.outputs for side, test in zip(sides, tests, strict=True)):
        return False
    kinds = [test.op.partition(".") for test in tests]
    if OTHER.get(kinds[0][0]) != kinds[1][0] or kinds[0][2] != kinds[1][2]:
        return False
    first, second = ([source(arg, made) for arg in test.args] for test in tests)
    return first == second
