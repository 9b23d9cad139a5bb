"""Right files of every format, small, made once for a campaign."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tests.conftest import random_quant_net
from tests.frontend import bloom
from tests.helpers_verilog import random_family

ROOT = Path(__file__).parents[3]
ARCHIVES = ROOT / "tests/core/data/archives"
XGBOOST = ROOT / "tests/frontend/data"
RECIPES = ROOT / "nnlogic/train/recipes"
TARGETS = ROOT / "examples/extending/target"
STAGES = ("quant", "tables", "simplified", "logic", "design")


def make(folder: Path) -> None:
    """Write what the formats start from: a checkpoint, a network, a run, a data set."""
    from nnlogic.cli.main import main

    folder.mkdir(parents=True)
    checkpoint(folder / "net.safetensors")
    random_quant_net().save(folder / "toy.safetensors")
    (folder / "bloom.pickle").write_bytes(bloom.packed(bloom.model()))
    torch_files(folder)
    rng = np.random.default_rng(0)
    sets = {f"X_{part}": rng.normal(size=(40, 16)).astype(np.float32) for part in ("train", "test")}
    sets |= {f"y_{part}": rng.integers(0, 5, 40) for part in ("train", "test")}
    names = {"feature_names": [f"f{i}" for i in range(16)], "class_names": list("gqtwz")}
    np.savez(folder / "jets16.npz", **sets, **names)
    argv = ["compile", str(folder / "toy.safetensors"), "-o", str(folder / "run")]
    code = main([*argv, "--effort", "fast", "--jobs", "1"])
    if code:
        raise SystemExit(code)


def checkpoint(path: Path) -> None:
    """Write a network of linear sums as its float parameters."""
    from nnlogic.frontend.native import load_native, write_native
    from nnlogic.model.architecture import Architecture
    from nnlogic.model.assemble import expected_arrays
    from nnlogic.model.layer import plain_layer

    layers = (
        plain_layer("enc", 4, 1, "pact", 2, role="encoder"),
        plain_layer("fc1", 4, 2, "signed_uniform", 2, batch_norm=False),
        plain_layer("out", 3, 2, "qfx", 3),
    )
    arch = Architecture("net", ("a", "b", "c"), (2, 3, 2), ("x", "y", "z"), layers)
    rng = np.random.default_rng(1)
    arrays = {}
    for name, shape in expected_arrays(arch).items():
        array = rng.normal(size=shape)
        if name.endswith((".scale", ".var")):
            array = np.abs(array) + 0.1
        arrays[name] = (np.sort(array) if name.startswith("input.") else array).astype(np.float32)
        if name.endswith(".weight"):
            for row in arrays[name]:
                row[2:] = 0
    info = {"dataset": {"name": "none", "digest": "0"}, "accuracy": {"test": 0.5}}
    write_native(path, arch, arrays, info=info)
    rows = rng.normal(size=(8, 3)).astype(np.float32)
    net = load_native(path)
    write_native(path, arch, arrays, info=info, golden=(rows, net.evaluate(net.encode(rows))))


def torch_files(folder: Path) -> None:
    """Write a state_dict, a module, a file of the older layout, and networks of other programs."""
    import torch

    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.ReLU(), torch.nn.Linear(2, 2))
    torch.save(model.state_dict(), folder / "state.pt")
    torch.save(model, folder / "module.pt")
    torch.save(model.state_dict(), folder / "old.pt", _use_new_zipfile_serialization=False)
    g = torch.Generator().manual_seed(0)
    dwn = {
        "config": {"n": 2, "layers": [6, 6], "num_classes": 3},
        "state_dict": {
            "0.luts": torch.randn(6, 4, generator=g),
            "0.mapping.weights": torch.randn(6, 12, generator=g),
            "1.luts": torch.randn(6, 4, generator=g),
            "1.mapping": torch.randint(6, (6, 2), generator=g, dtype=torch.int32),
        },
        "thermometer": {"thresholds": torch.randn(3, 2, generator=g).sort(1).values},
        "scaler": {"mean": torch.zeros(3), "scale": torch.ones(3)},
        "classes": ["a", "b", "c"],
        "feature_names": ["x", "y", "z"],
    }
    torch.save(dwn, folder / "dwn.pt")
    gates: dict[str, torch.Tensor] = {}
    for number, (wires, width) in enumerate(((5, 8), (8, 6))):
        gates[f"{number}.weights"] = torch.randn(width, 16, generator=g)
        gates[f"{number}.indices"] = torch.randint(wires, (2, width), generator=g)
    torch.save(gates, folder / "gates.pth")
    tables: dict[str, torch.Tensor] = {
        "0.thresholds": torch.randn(3, 2, generator=g).sort(1).values
    }
    for number, (wires, width) in enumerate(((6, 8), (8, 6)), 1):
        tables[f"{number}.weight"] = torch.randn(width, 16, generator=g)
        tables[f"{number}.connections.indices"] = torch.randint(wires, (2, width), generator=g)
    torch.save(tables, folder / "tables.pth")


def verilog() -> dict[str, str]:
    """Return the files of a small network of tables."""
    return random_family(sizes=(2, 1), features=3).files()


PLA = b""".i 4
.o 3
.ilb a b c d
.ob x y z
.type fd
.p 4
1-0- 100
0110 -11
--11 010
1111 0-1
.e
"""
BLIF = b""".model top
.inputs a b c
.outputs x y
.names a b n1
11 1
.names n1 c x
1- 1
-1 1
.names a c y
01 1
10 1
.end
"""
AAG = b"aag 5 3 0 2 2\n2\n4\n6\n8\n11\n8 2 4\n10 9 6\ni0 a\no0 x\nc\nmade by hand\n"
TRUTH = b"# two outputs\n0110-001\n1110100-\n"
PATTERNS = b"0101\n1100\n0011\n1111\n"


def aig() -> bytes:
    """Return the binary form of `AAG`."""
    deltas = bytes([8 - 4, 4 - 2, 10 - 9, 9 - 6])
    return b"aig 5 3 0 2 2\n8\n11\n" + deltas + b"i0 a\no0 x\nc\nmade by hand\n"


def kanele() -> dict[str, bytes]:
    """Return the files of a model of learned functions: two layers of tables."""
    rng = np.random.default_rng(5)
    widths, bits = [3, 3, 2], [3, 3, 3]
    tables = {
        f"{n}_{i}_{o}": {"acive": 1, "values_int": rng.integers(-9, 9, 8).tolist()}
        for n in range(2)
        for i in range(widths[n])
        for o in range(widths[n + 1])
    }
    tables["0_1_1"]["acive"] = 0
    config = {"layers": widths, "layers_bitwidth": bits, "base_activation": "nn.SiLU"}
    return {"f.json": json.dumps(tables).encode(), "config.json": json.dumps(config).encode()}


def rows() -> tuple[list[str], np.ndarray, np.ndarray]:
    """Return column names, rows and labels for the network of `make`."""
    rng = np.random.default_rng(2)
    return [f"f{i}" for i in range(5)], rng.normal(size=(12, 5)), rng.integers(0, 3, 12)


def rows_csv() -> bytes:
    """Return the rows as text."""
    names, x, y = rows()
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([*names, "label"])
    writer.writerows([[*map(str, row.round(3)), label] for row, label in zip(x, y, strict=True)])
    return out.getvalue().encode()


def stump(feature: int = 0) -> dict[str, object]:
    """Return a tree of one split, as xgboost has it in its files."""
    figures = {
        "base_weights": [0.1, -0.5, 0.5],
        "loss_changes": [1, 0, 0],
        "sum_hessian": [2, 1, 1],
    }
    return {
        **figures, "categories": [], "categories_nodes": [], "categories_segments": [],
        "categories_sizes": [], "default_left": [0, 0, 0], "id": 0, "left_children": [1, -1, -1],
        "parents": [2147483647, 0, 0], "right_children": [2, -1, -1],
        "split_conditions": [0.25, -0.5, 0.5], "split_indices": [feature, 0, 0],
        "split_type": [0, 0, 0],
        "tree_param": {"num_deleted": "0", "num_feature": "4", "num_nodes": "3",
                       "size_leaf_vector": "1"},
    }  # fmt: skip


def xgboost(trees: Sequence[object] = (), **learner: object) -> bytes:
    """Return a model of two classes with other trees."""
    model = json.loads((XGBOOST / "xgboost_binary.json").read_bytes())
    if trees:
        inner = model["learner"]["gradient_booster"]["model"]
        inner["trees"] = list(trees)
        inner["tree_info"] = [0] * len(trees)
        inner["iteration_indptr"] = list(range(len(trees) + 1))
        inner["gbtree_model_param"]["num_trees"] = str(len(trees))
    for key, value in learner.items():
        model["learner"]["learner_model_param"][key] = value
    return json.dumps(model).encode()
