import json
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

ERROR = {"table": {"mass": {"rmse": 1.5, "mae": 1.25, "p90": 2.5}}}
LUTS = {"encoder": 8.0, "network": 34.0, "total": 42.0}


@dataclass(frozen=True)
class Result:
    checkpoint: Path
    accuracy: dict
    error: dict
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
        path = options["out"] / "toy.safetensors"
        return Result(path, {"quantized": 0.725}, ERROR, 9, 7, 1.25, LUTS)

    package.train = train
    monkeypatch.setitem(sys.modules, "nnlogic.train", package)
    monkeypatch.setattr(
        "nnlogic.run.trained.compiled_luts",
        lambda checkpoint, effort, jobs, progress: {"encoder": 6, "network": 40, "total": 46},
    )
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
    assert "table        RMSE 1.5, MAE 1.25, 90 % within 2.5 of mass" in out
    assert "LUT estimate 42 LUT6 (encoder 8, network 34)" in out
    assert "compiled     46 LUT6 (encoder 6, network 40)" in out
    assert "epochs       9, best 7" in out
    assert "compiled" not in nnlogic("train", "toy", "--effort", "none").out
    assert out.endswith("checkpoint   train-toy/toy.safetensors\n")
    assert json.loads(nnlogic("train", "toy", "--json").out) == {
        "checkpoint": "train-toy/toy.safetensors",
        "accuracy": {"quantized": 0.725},
        "error": ERROR,
        "epochs": 9,
        "best_epoch": 7,
        "seconds": 1.25,
        "lut_estimate": LUTS,
        "compiled_luts": {"encoder": 6, "network": 40, "total": 46},
    }


def test_an_unknown_recipe_is_a_usage_error(nnlogic, tmp_path):
    got = nnlogic("train", "no-such-recipe", "-o", tmp_path / "out")
    assert got.code == 2
    assert "no-such-recipe" in got.err
    assert not (tmp_path / "out").exists()


RECIPE = 'dataset = "digits"\ninput_bits = 2\nepochs = 2\nbatch = 64\nfloat_epochs = 1\n'
LINEAR = '[[layers]]\nname = "score"\nwidth = 10\nfan_in = 4\nactivation = "signed_uniform"\n'
STACK = """
[[layers]]
name = "enc"
role = "encoder"
family = "functions"
width = 64
bits = 1
[[layers]]
name = "hidden"
family = "luts"
width = 40
fan_in = 4
[[layers]]
name = "score"
family = "votes"
width = 10
"""
POPULATION = (
    'dataset = "digits"\nshape = "sums"\ninput_bits = 2\nhidden = 3\nhidden_bits = 3\nmembers = 1\n'
    "steps = 20\nbatch = 32\ncopies = 0\ndistill = 0.0\nrefine_steps = 10\nrate_tables = 0.1\n"
)


@pytest.mark.parametrize(
    ("text", "float_too"),
    [(RECIPE + LINEAR, True), (RECIPE + STACK, True), (POPULATION, False)],
    ids=["network", "stack", "population"],
)
def test_every_kind_of_recipe_ends_in_the_same_report(nnlogic, tmp_path, text, float_too):
    recipe = tmp_path / "toy.toml"
    recipe.write_text(f'name = "toy"\n{text}')
    got = nnlogic("train", recipe, "-o", tmp_path / "out", "--json", "--jobs", "1")
    assert got.code == 0, got.err
    report = json.loads(got.out)
    assert {"quantized", "table", "validation"} <= set(report["accuracy"])
    assert ("float" in report["accuracy"]) == float_too
    for counts in (report["lut_estimate"], report["compiled_luts"]):
        assert set(counts) == {"encoder", "network", "output", "total"}
        parts = sum(count for role, count in counts.items() if role != "total")
        assert parts == pytest.approx(counts["total"], abs=0.3)
        assert counts["total"] > 0
    assert (report["compiled_luts"]["encoder"] > 0) == ("functions" in text)


@pytest.fixture
def table(tmp_path):
    lines = [f"{i % 13},{i % 7},{('no', 'yes')[i % 13 > 5]}" for i in range(120)]
    path = tmp_path / "mine.csv"
    path.write_text("\n".join(["a,b,y", *lines]) + "\n")
    return path


def test_a_budget_that_is_missed_is_said_with_numbers_and_the_smallest_kept(nnlogic, table):
    out = table.parent / "out"
    got = nnlogic("train", table, "--luts", 1, "--minutes", 0.001, "-o", out, "--jobs", 1)
    assert got.code == 6, got.err
    assert "too many; it is kept in" in got.err
    assert "balanced" in got.out
    assert "always the most common class" in got.out
    assert (out / "mine.safetensors").exists()
    assert list((out / "run" / "rtl").glob("*.v"))
    again = nnlogic("train", table, "-o", out)
    assert again.code == 2
    assert "not empty" in again.err


def test_a_table_that_is_unfit_leaves_nothing(nnlogic, table):
    got = nnlogic("train", table, "--label", "kind", "-o", table.parent / "out")
    assert got.code == 3
    assert "no such column" in got.err
    assert not (table.parent / "out").exists()


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["toy", "--luts", "9"], "--luts does not go with a recipe"),
        (["mine.csv", "--resume"], "--resume does not go with a table"),
        (["mine.csv", "--data", "."], "--data does not go with a table"),
        (["mine.csv", "--effort", "none"], "a table is always compiled"),
        (["mine.csv", "--label", "a", "--label", "b"], "a row has one class"),
        (["mine.csv", "--loss", "absolute"], "for quantities"),
        (["mine.csv", "--task", "regression", "--quantile", "0.9"], "--loss quantile"),
        (["mine.csv", "--task", "regression", "--balanced"], "these are quantities"),
        (["digits", "--task", "regression"], "--task does not go with a recipe"),
    ],
)
def test_options_of_the_other_kind_are_refused(nnlogic, args, said):
    got = nnlogic("train", *args)
    assert got.code == 2
    assert said in got.err
