"""A stage imports only what stands before it; heavy packages stay where they belong."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# Folders in the order data flows; `core` and `tools` stand before all of them.
ORDER = [
    "core", "tools", "quant", "model", "frontend", "data", "nn", "train", "tables", "logic", "dsp",
    "mixed", "design", "hw", "flows", "sim", "checks", "report", "run", "cli",
]  # fmt: skip
TOP_LEVEL = {"hw", "sim", "flows"}
FOLDERS = {n: ROOT / n if n in TOP_LEVEL else ROOT / "nnlogic" / n for n in ORDER}
TORCH_ALLOWED = {"nn", "train", "frontend/torch/read.py"}


def modules():
    for stage, folder in FOLDERS.items():
        for path in sorted(folder.rglob("*.py")):
            yield pytest.param(stage, path, id=str(path.relative_to(ROOT)))


def imports(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            if node.module == "nnlogic":
                yield from (f"nnlogic.{alias.name}" for alias in node.names)


@pytest.mark.parametrize(("stage", "path"), list(modules()))
def test_imports_follow_the_data(stage, path):
    for name in imports(path):
        parts = name.split(".")
        if parts[0] == "torch":
            inside = str(path.relative_to(FOLDERS[stage]))
            assert {stage, f"{stage}/{inside}"} & TORCH_ALLOWED, f"{name} in {path.name}"
        if parts[0] == "nnlogic" and len(parts) > 1 and parts[1] in ORDER and stage != "cli":
            assert ORDER.index(parts[1]) <= ORDER.index(stage), f"{stage} imports {name}"


def test_no_module_is_too_long():
    paths = [param.values[1] for param in modules()]
    lengths = {path: len(path.read_text().splitlines()) for path in paths}
    assert {p.name: n for p, n in lengths.items() if n > 400} == {}
    ordered = sorted(lengths.values())
    assert ordered[len(ordered) // 2] <= 150
