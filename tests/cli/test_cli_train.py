import json
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

LUTS = {"encoder": 8.0, "network": 34.0, "total": 42.0}


@dataclass(frozen=True)
class Result:
    checkpoint: Path
    accuracy: dict
    epochs: int
    best_epoch: int
    seconds: float
    lut_estimate: dict


@pytest.fixture
def fake_train(monkeypatch):
    package = ModuleType("nnlogic.train")
    package.calls = []

    def train(recipe, *, progress, **options):
        package.calls.append((recipe, options))
        return Result(options["out"] / "toy.safetensors", {"quantized": 0.725}, 9, 7, 1.25, LUTS)

    package.train = train
    package.is_population = lambda recipe: False
    monkeypatch.setitem(sys.modules, "nnlogic.train", package)
    return package


def test_options_are_passed_on(nnlogic, fake_train):
    assert nnlogic("train", "toy").code == 0
    assert (
        nnlogic("train", "a/b.toml", "-o", "x", "--data", "d", "--seed", "3", "--resume").code == 0
    )
    assert nnlogic("train", "a/b.toml").code == 0
    base = {"data_dir": None, "seed": None, "resume": False}
    assert fake_train.calls == [
        ("toy", {"out": Path("train-toy"), **base}),
        ("a/b.toml", {"out": Path("x"), "data_dir": Path("d"), "seed": 3, "resume": True}),
        ("a/b.toml", {"out": Path("train-b"), **base}),
    ]


def test_result_for_people_and_for_machines(nnlogic, fake_train):
    out = nnlogic("train", "toy").out
    assert "quantized    72.50 % correct" in out
    assert "LUT estimate 42 LUT6 (encoder 8, network 34)" in out
    assert "epochs       9, best 7" in out
    assert out.endswith("checkpoint   train-toy/toy.safetensors\n")
    assert json.loads(nnlogic("train", "toy", "--json").out) == {
        "checkpoint": "train-toy/toy.safetensors",
        "accuracy": {"quantized": 0.725},
        "epochs": 9,
        "best_epoch": 7,
        "seconds": 1.25,
        "lut_estimate": LUTS,
    }


def test_an_unknown_recipe_is_a_usage_error(nnlogic, tmp_path):
    got = nnlogic("train", "no-such-recipe", "-o", tmp_path / "out")
    assert got.code == 2
    assert "no-such-recipe" in got.err
    assert not (tmp_path / "out").exists()
