"""A stage imports only what stands before it; backends, and importers, know nothing of others."""

import ast
import re
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# Folders in the order data flows; what shares a line may import each other. `core` and `tools`
# stand before all of them. The longest pattern that fits a module says where it stands.
ORDER = [
    ["core"], ["tools"], ["quant"], ["model"], ["predict"], ["frontend"], ["data"], ["nn"],
    ["train"], ["tables"], ["predict/whole"], ["logic"], ["backends/*/model"], ["design"], ["hw"],
    ["flows"], ["sim"], ["checks"], ["backends/*/checks"], ["export", "faults", "properties"],
    ["report"],
    ["job", "approximate", "plan", "refine"], ["backends"], ["run"], ["cli"],
]  # fmt: skip
TOP_LEVEL = {"hw", "sim", "flows"}
# A backend has one folder of its name in each of these.
OF_BACKENDS = ("backends", "hw", "sim")
# Which backend may read another: a chain is made of others, and LUTs read the sums of a MAC core.
COMPOSED = {("chain", "dsp"), ("chain", "mac"), ("mac", "lut"), ("stream", "lut")}
TORCH_ALLOWED = (
    "nn", "train", "frontend/torch/read", "frontend/torch_file", "frontend/graph", "frontend/pt2",
    "frontend/onnx", "checks/inputs/pt2",
)  # fmt: skip
# What importers of trees share, whatever wrote them; and float networks, which are quantized.
SHARED = (
    "frontend/pt2/archive", "frontend/pt2/perceptron",
    "frontend/trees/document", "frontend/trees/ensemble", "frontend/trees/limits",
    "frontend/trees/net", "frontend/trees/order", "frontend/trees/rounded",
    "frontend/trees/format/LEAF_BITS",
)  # fmt: skip

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
    known = (ROOT / "nnlogic" / "backends" / folder / "__init__.py").is_file()
    return folder if top in OF_BACKENDS and known else None


def importer_of(name):
    """The importer whose folder, or whose check of the first rung, a module is; or None.

    Not the native one, training writes what it reads; nor folders that importers share.
    """
    for place in ("frontend/", "checks/inputs/"):
        folder = name.removeprefix(place).split("/")[0] if name.startswith(place) else "native"
        known = (ROOT / "nnlogic" / "frontend" / folder / "format.py").is_file()
        if known and folder != "native":
            return folder
    return None


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
        if strange:
            yield f"{name} imports {other} of the backend {theirs}"
        shared = any(fits(other, part) for part in SHARED)
        if importer_of(other) not in (None, importer_of(name)) and not shared:
            yield f"{name} imports {other} of one importer"


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
        ("run/compile_run", "from nnlogic.backends.lut.stages import RtlStage"),
        ("job/runner", "from nnlogic.backends.lut.stages import RtlStage"),
        ("sim/dsp/run", "from nnlogic.sim.chain.run import run_chain_bench"),
        ("sim/bulk", "from nnlogic.hw.dsp.encode import EngineShape"),
        ("logic/build", "import torch"),
        ("run/source", "from nnlogic.frontend.verilog.load import load_verilog"),
        ("frontend/registry", "from nnlogic.frontend.trees.format import FORMAT"),
        ("checks/inputs/torch", "from nnlogic.checks.inputs.trees import RUNG"),
        ("frontend/lightgbm/read", "from nnlogic.frontend.trees.xgboost import read_xgboost"),
    ],
)
def test_what_may_not_be_imported_is_seen(name, source):
    assert list(faults(name, source))


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("backends/chain/model/cost", "from nnlogic.backends.dsp.model.ir import Program"),
        ("backends/dsp/flow", "from nnlogic.job import directory"),
        ("run/compile_run", "from nnlogic.job.runner import run_stages"),
        ("frontend/torch/read", "import torch"),
        ("frontend/lightgbm/read", "from nnlogic.frontend.trees.order import ordered"),
        ("checks/inputs/torch", "from nnlogic.frontend.torch.read import read_module"),
        ("cli/main", "from nnlogic.cli.verbs.compile import command"),
    ],
)
def test_what_may_be_imported_is_not(name, source):
    assert list(faults(name, source)) == []


def test_backends_are_seen():
    names = [param.values[0] for param in modules()]
    assert {backend_of(name) for name in names} >= {"chain", "dsp", "lut", "mac", "stream"}


def test_importers_are_seen():
    names = [param.values[0] for param in modules()]
    assert {importer_of(name) for name in names} >= {None, "torch", "trees", "verilog"}


BACKENDS = sorted(p.parent.name for p in (ROOT / "nnlogic" / "backends").glob("*/backend.py"))


def named(source):
    """Backends that a module names: as a text of its own, or by their folders."""
    words = "|".join([*BACKENDS, "mixed"])
    return re.findall(rf"""["'](?:{words})["']|\bbackends[./](?:{words})\b""", source)


def test_no_backend_is_named_outside_its_folders():
    found = {
        name: said
        for name, path in (param.values for param in modules())
        if backend_of(name) is None and (said := named(path.read_text()))
    }
    # Whoever names no backend gets one; that is said in one place.
    assert found == {"job/options": ['"lut"']}
    assert named('if kind == "dsp": import nnlogic.backends.mac.rows') != []
    assert len(BACKENDS) == 5


def test_no_module_is_too_long():
    lengths = {p.values[0]: len(p.values[1].read_text().splitlines()) for p in modules()}
    assert {name: n for name, n in lengths.items() if n > 400} == {}
    ordered = sorted(lengths.values())
    assert ordered[len(ordered) // 2] <= 150
