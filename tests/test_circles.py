"""No stage imports what imports it, not even inside a function."""

import ast
from pathlib import Path

import networkx as nx

PACKAGE = Path(__file__).parents[1] / "nnlogic"
MODULES = {
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in PACKAGE.rglob("*.py")
}


def imported(tree):
    """Modules that are imported when the code runs: all but those for type checking."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        if isinstance(node, ast.ImportFrom) and node.module:
            names = (f"{node.module}.{alias.name}" for alias in node.names)
            yield from (name if name in MODULES else node.module for name in names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        yield from imported(node)


def test_a_stage_is_not_imported_by_what_it_imports():
    graph = nx.DiGraph()
    for name, path in MODULES.items():
        graph.add_edges_from((name, other) for other in imported(ast.parse(path.read_text())))
    stages = [name for name in MODULES if name.endswith((".ir", ".blocks", ".slices"))]
    assert len(stages) >= 8
    circles = [c for c in nx.strongly_connected_components(graph) if len(c) > 1]
    assert [sorted(c) for c in circles if c & set(stages)] == []
