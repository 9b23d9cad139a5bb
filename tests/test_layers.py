"""A stage imports only what stands before it; backends know nothing of each other."""

import ast
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# Folders in the order data flows; what shares a line may import each other. `core` and `tools`
# stand before all of them. The longest pattern that fits a module says where it stands.
ORDER = [
    ["core"], ["tools"], ["quant"], ["model"], ["frontend"], ["data"], ["nn"], ["train"],
    ["tables"], ["logic"], ["backends/*/model"], ["design"], ["hw"], ["flows"], ["sim"], ["checks"],
    ["backends/*/checks"], ["report"], ["backends", "run"], ["cli"],
]  # fmt: skip
TOP_LEVEL = {"hw", "sim", "flows"}
# A backend has one folder of its name in each of these.
OF_BACKENDS = ("backends", "hw", "sim")
# Which backend may read another: a chain is made of others, and LUTs read the sums of a MAC core.
COMPOSED = {("chain", "dsp"), ("mac", "lut")}
# What may read any backend: those that run and show them.
READERS = {"report", "run", "cli"}
TORCH_ALLOWED = ("nn", "train", "frontend/torch/read")

RANKS = {pattern: rank for rank, line in enumerate(ORDER) for pattern in line}
STAGES = sorted({pattern.split("/")[0] for pattern in RANKS})


def fits(name, pattern):
    return fnmatch(name, pattern) or fnmatch(name, f"{pattern}/*")


def rank_of(name):
    """The place in ORDER of a module, given as ``backends/dsp/model/ir``; None for the package."""
    found = [p for p in RANKS if fits(name, p)]
    return RANKS[max(found, key=lambda p: p.count("/"))] if found else None


def backend_of(name):
    """The backend in whose folder a module lies, or None."""
    top, _, rest = name.partition("/")
    folder = rest.split("/")[0]
    place = ROOT / top if top in TOP_LEVEL else ROOT / "nnlogic" / top
    return folder if top in OF_BACKENDS and (place / folder / "__init__.py").is_file() else None


def modules():
    for stage in STAGES:
        folder = ROOT / stage if stage in TOP_LEVEL else ROOT / "nnlogic" / stage
        for path in sorted(folder.rglob("*.py")):
            name = f"{stage}/{path.relative_to(folder).with_suffix('')}".removesuffix("/__init__")
            yield pytest.param(name, path, id=name)


def imports(tree):
    """Every module or name that is imported, with slashes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.replace(".", "/") for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}".replace(".", "/") for alias in node.names)


def faults(name, source):
    """What the module `name` may not import but does."""
    for imported in imports(ast.parse(source)):
        package, _, other = imported.partition("/")
        if package == "torch" and not any(fits(name, p) for p in TORCH_ALLOWED):
            yield f"{name} imports torch"
        if package != "nnlogic" or rank_of(other) is None or name.startswith("cli/"):
            continue
        if rank_of(other) > rank_of(name):
            yield f"{name} imports {other}, which stands after it"
        ours, theirs = backend_of(name), backend_of(other)
        strange = theirs not in (None, ours) and (ours, theirs) not in COMPOSED
        if strange and name.split("/")[0] not in READERS:
            yield f"{name} imports {other} of the backend {theirs}"


@pytest.mark.parametrize(("name", "path"), list(modules()))
def test_imports_follow_the_data(name, path):
    assert list(faults(name, path.read_text())) == []


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("tables/build", "from nnlogic.logic.ir import LogicNet"),
        ("tables/build", "from nnlogic import logic"),
        ("backends/dsp/model/cut", "import nnlogic.hw.names"),
        ("hw/dsp/engine", "from nnlogic.backends.dsp.checks.program import prove_ops"),
        ("hw/dsp/engine", "from nnlogic.backends.dsp import flow"),
        ("report/dsp", "from nnlogic.backends.dsp.flow import synthesize_engine"),
        ("backends/mac/model/ir", "from nnlogic.backends.dsp.model.ops import LANES"),
        ("hw/mac/core", "from nnlogic.hw.dsp.slice import LogicSlice"),
        ("sim/dsp/run", "from nnlogic.sim.chain.run import run_chain_bench"),
        ("sim/netlist", "from nnlogic.hw.dsp.encode import EngineShape"),
        ("logic/build", "import torch"),
    ],
)
def test_what_may_not_be_imported_is_seen(name, source):
    assert len(list(faults(name, source))) == 1


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("backends/chain/model/cost", "from nnlogic.backends.dsp.model.ir import Program"),
        ("backends/dsp/flow", "from nnlogic.run import directory"),
        ("run/mac_job", "from nnlogic.backends.mac.checks.proof import prove_mac"),
        ("frontend/torch/read", "import torch"),
        ("cli/main", "from nnlogic.cli.compile import command"),
    ],
)
def test_what_may_be_imported_is_not(name, source):
    assert list(faults(name, source)) == []


def test_backends_are_seen():
    names = [param.values[0] for param in modules()]
    assert {backend_of(name) for name in names} >= {"chain", "dsp", "lut", "mac"}


def test_no_module_is_too_long():
    lengths = {p.values[0]: len(p.values[1].read_text().splitlines()) for p in modules()}
    assert {name: n for name, n in lengths.items() if n > 400} == {}
    ordered = sorted(lengths.values())
    assert ordered[len(ordered) // 2] <= 150


def test_a_format_is_known_to_its_folder_and_its_check_alone():
    """Native is what training writes; any other importer can be taken out without an edit."""
    folders = [p.parent for p in (ROOT / "nnlogic" / "frontend").glob("*/__init__.py")]
    names = {p.name for p in folders} - {"native"}
    assert names >= {"torch", "trees", "verilog"}
    for name in names:
        check = ROOT / "nnlogic" / "checks" / "inputs" / f"{name}.py"
        for path in (param.values[1] for param in modules()):
            if path != check and path.parent.name != name:
                used = [n for n in imports(path) if n.startswith(f"nnlogic.frontend.{name}")]
                assert used == [], path
