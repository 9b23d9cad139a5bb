"""Quantities: networks of every kind learn numbers, decoded exactly, and say how far off."""

from __future__ import annotations

import copy
import dataclasses
import tomllib
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch

from nnlogic import load
from nnlogic.core.errors import NNLogicError, UsageError
from nnlogic.core.progress import SILENT
from nnlogic.data import Dataset
from nnlogic.frontend.native import read_golden
from nnlogic.model.layer import LayerSpec, plain_layer
from nnlogic.model.window import WindowSpec
from nnlogic.train import PopulationRecipe, Recipe, train
from nnlogic.train.recipe_file import parse_recipe, recipe_text
from nnlogic.train.tasks import Regression
from nnlogic.train.tasks.regression import grid
from nnlogic.train.trainer import training_of

TASK = {"task": "regression"}
LAYERS = {"epochs": 8, "float_epochs": 0, "batch": 64, "seed": 1, "prune_to": 0.4, **TASK}
MEMBERS = {
    "members": 2, "steps": 300, "batch": 64, "copies": 0, "distill": 0.0, "input_bits": 4, **TASK,
}  # fmt: skip
RECIPES = {
    "network": Recipe(
        "toy", "toy", (plain_layer("fc1", 16, 2), plain_layer("fc2", 2, 4, bits=6)), **LAYERS
    ),
    "stack": Recipe(
        "toy", "toy",
        (
            LayerSpec("fc1", 24, "poly", 2, connect="learned"),
            LayerSpec("fc2", 2, "poly", 4, bits=6, connect="learned"),
        ),
        **LAYERS | {"epochs": 20, "batch": 32},
    ),
    "luts": PopulationRecipe("toy", "toy", widths=(40,), functions=3, **MEMBERS),
    "sums": PopulationRecipe("toy", "toy", shape="sums", hidden=3, rate_tables=0.1, **MEMBERS),
}  # fmt: skip


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("NNLOGIC_CACHE", str(tmp_path / "cache"))


def toy(rows=1500):
    """Two quantities of very different size: one around 1000, one around 0."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, 5)).astype(np.float32)
    energy = 1000.0 + 300.0 * (x[:, 0] + np.maximum(x[:, 1], 0))
    y = np.stack([energy, 0.001 * x[:, 2]], axis=1).astype(np.float64)
    cut = (slice(0, 1000), slice(1000, 1200), slice(1200, rows))
    parts = [a[c] for c in cut for a in (x, y)]
    names = ("energy", "time")
    return Dataset("toy", *parts, tuple("abcde"), (), "digest", "made up", targets=names)


def relative(found, wanted):
    return np.sqrt(np.mean((found - wanted) ** 2, axis=0)) / wanted.std(0)


@pytest.mark.parametrize("name", RECIPES)
def test_every_kind_of_recipe_learns_and_its_checkpoint_decodes(name, tmp_path):
    data = toy()
    result = train(RECIPES[name], out=tmp_path / "out", dataset=data, device="cpu")
    net = load(result.checkpoint)
    assert net.class_output is None
    assert [q.name for q in net.quantities] == ["energy", "time"]
    assert [p.name for p in net.outputs] == ["value_energy", "value_time"]
    codes = net.evaluate(net.encode(data.x_test))
    found = net.decode(codes)
    assert relative(found, data.y_test).max() < 0.75
    for i, q in enumerate(net.quantities):
        exact = [(Fraction(int(c)) + q.offset) * Fraction(2) ** q.exponent for c in codes[:50, i]]
        assert [Fraction(v) for v in found[:50, i]] == exact
        said = result.error["table"][q.name]
        off = np.abs(found[:, i] - data.y_test[:, i])
        assert said["rmse"] == pytest.approx(np.sqrt(np.mean(off**2)))
        assert said["mae"] == pytest.approx(off.mean())
        assert said["p90"] == pytest.approx(np.quantile(off, 0.9))
    assert net.info["error"] == result.error
    assert result.accuracy == {}
    assert "class_names" not in net.info or net.info["class_names"] == []
    x, y = read_golden(result.checkpoint)
    np.testing.assert_array_equal(net.evaluate(net.encode(x)), y)


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("loss", ["squared", "absolute"])
def test_members_are_rated_by_what_is_compiled(name, loss):
    data = toy()
    training = training_of(replace(RECIPES[name], loss=loss), data, torch.device("cpu"))
    training.prepare(None, SILENT)
    while not training.finished:
        training.advance()
    training.finish(SILENT)
    for member, merit in enumerate(training.merits()):
        net = training.quantnet(member)
        off = (net.decode(net.evaluate(net.encode(data.x_val))) - data.y_val) / data.y_train.std(0)
        mean = np.mean(off**2 if loss == "squared" else np.abs(off))
        assert -merit == pytest.approx(mean, rel=1e-4)


def test_the_pinball_loss_leaves_its_share_of_rows_above():
    rng = np.random.default_rng(1)
    data = toy(4000)
    noisy = {k: getattr(data, k) for k in ("y_train", "y_val", "y_test")}
    noisy = {k: y[:, :1] + rng.exponential(400, (len(y), 1)) for k, y in noisy.items()}
    data = replace(data, **noisy, targets=("energy",))
    shares = {}
    for quantile in (0.1, 0.9):
        recipe = replace(RECIPES["sums"], loss="quantile", quantile=quantile, steps=800)
        training = training_of(recipe, data, torch.device("cpu"))
        training.prepare(None, SILENT)
        while not training.finished:
            training.advance()
        training.finish(SILENT)
        net = training.quantnet(training.best())
        found = net.decode(net.evaluate(net.encode(data.x_test)))
        shares[quantile] = np.mean(data.y_test <= found)
    assert 0.03 < shares[0.1] < 0.25
    assert 0.75 < shares[0.9] < 0.97


def test_windows_give_sums_of_a_frame(tmp_path):
    rng = np.random.default_rng(2)
    height, place = rng.uniform(0.2, 1.0, 3000), rng.integers(2, 14, 3000)
    time = np.arange(16)
    x = height[:, None] * np.exp(-0.5 * ((time - place[:, None]) / 1.2) ** 2)
    x = (x + rng.normal(0, 0.02, x.shape)).astype(np.float32)
    y = np.stack([height * 50, place * 25.0], axis=1)
    cut = (slice(0, 2000), slice(2000, 2400), slice(2400, 3000))
    parts = [a[c] for c in cut for a in (x, y)]
    names = tuple(f"s{i}" for i in range(16))
    data = Dataset("pulses", *parts, names, (), "d", "made up", targets=("energy", "time"))
    recipe = PopulationRecipe(
        "pulses", "pulses", input_bits=3, frame=(1, 16), widths=(120, 48), members=1, steps=600,
        windows=(WindowSpec(size=(1, 3), widths=(12,), padding=(0, 1)),), batch=128, copies=0,
        distill=0.0, votes=(1,) * 12 + (2,) * 12, **TASK,
    )  # fmt: skip
    result = train(recipe, out=tmp_path / "out", dataset=data, device="cpu")
    net = load(result.checkpoint)
    found = net.decode(net.evaluate(net.encode(data.x_test)))
    assert relative(found, data.y_test).max() < 0.6
    again = parse_recipe(tomllib.loads(recipe_text(recipe)), "x")
    assert again == recipe


@pytest.mark.parametrize("levels", [2, 7, 64])
@pytest.mark.parametrize("scale", [1e-9, 1.0, 3e7])
def test_a_grid_reaches_over_the_quantities(levels, scale):
    y = np.random.default_rng(3).normal(5, 2, 5000) * scale
    q = grid("y", y, levels)
    low, high = q.decode([0, levels - 1])
    assert low - q.step <= np.quantile(y, 0.001)
    assert high + q.step >= np.quantile(y, 0.999)
    assert (high - low) / 2 <= np.quantile(y, 0.999) - np.quantile(y, 0.001) + q.step


def test_a_constant_quantity_trains(tmp_path):
    data = toy()
    flat = {k: np.full_like(getattr(data, k), 7.25) for k in ("y_train", "y_val", "y_test")}
    result = train(
        replace(RECIPES["sums"], steps=60), out=tmp_path, dataset=replace(data, **flat),
        device="cpu",
    )  # fmt: skip
    assert result.error["table"]["energy"]["rmse"] < 0.5


def test_a_teacher_of_quantities_is_followed(tmp_path, monkeypatch):
    from nnlogic.train import teacher

    fit = teacher.fit
    monkeypatch.setattr(teacher, "TEACHERS", 2)
    monkeypatch.setattr(teacher, "fit", lambda *a, **k: fit(*a, **{**k, "steps": 150}))
    recipe = replace(RECIPES["sums"], distill=1.0, input_bits=3)
    result = train(recipe, out=tmp_path / "a", dataset=toy(), device="cpu")
    assert result.error["float"]["energy"]["rmse"] < 0.6 * toy().y_test[:, 0].std()
    assert result.error["table"]["energy"]["rmse"] < 0.8 * toy().y_test[:, 0].std()
    stack = replace(RECIPES["stack"], distill=0.5, float_epochs=4)
    assert set(train(stack, out=tmp_path / "b", dataset=toy(), device="cpu").error) == {
        "table", "quantized", "quantized, validation", "validation", "float", "float, validation",
    }  # fmt: skip
    network = replace(RECIPES["network"], float_epochs=2)
    assert "float" in train(network, out=tmp_path / "c", dataset=toy(), device="cpu").error


@pytest.mark.parametrize("name", ["sums", "luts", "stack"])
def test_going_on_gives_what_one_run_gives(name):
    def prepared(saved=None):
        training = training_of(RECIPES[name], toy(), torch.device("cpu"))
        training.prepare(saved, SILENT)
        return training

    first = prepared()
    first.advance()
    saved = copy.deepcopy(first.state())
    first.advance()
    second = prepared(saved)
    second.advance()
    for key, value in first.model.state_dict().items():
        assert torch.equal(value, second.model.state_dict()[key]), key


def test_classes_and_quantities_are_told_apart(tmp_path):
    classes = replace(
        toy(), y_train=(toy().y_train[:, 0] > 1000).astype(int), class_names=("a", "b"), targets=()
    )
    for name, recipe in RECIPES.items():
        with pytest.raises(UsageError, match="has classes, and the task is regression"):
            train(recipe, out=tmp_path / name, dataset=classes)
        other = replace(recipe, task="classification")
        with pytest.raises(UsageError, match="has quantities"):
            train(other, out=tmp_path / name, dataset=toy())


def test_a_last_layer_without_uniform_codes_is_refused(tmp_path):
    layers = (LayerSpec("fc", 2, "kan", bits=4, activation="codebook"),)
    with pytest.raises(NNLogicError, match="no uniform codes"):
        train(replace(RECIPES["stack"], layers=layers), out=tmp_path, dataset=toy())


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"task": "guess"}, {"task"}),
        ({"loss": "cubic"}, {"loss"}),
        ({"quantile": 0.9}, {"quantile"}),
        ({"loss": "quantile", "quantile": 1.0}, {"quantile"}),
        ({"balance": 0.5}, {"balance"}),
        ({"balance": 1.5, "task": "classification"}, {"balance"}),
        ({"loss": "absolute", "task": "classification"}, {"loss"}),
    ],
)
@pytest.mark.parametrize("name", ["network", "luts"])
def test_keys_that_make_no_sense_are_refused(name, change, where):
    assert {p.where for p in replace(RECIPES[name], **change).problems()} == where


def test_output_bits_belong_to_sums_of_quantities():
    assert replace(RECIPES["sums"], output_bits=9).problems() == []
    for name, change in (("luts", {}), ("sums", {"task": "classification"})):
        (problem,) = replace(RECIPES[name], output_bits=9, **change).problems()
        assert problem.where == "output_bits"
    assert replace(RECIPES["sums"], output_bits=40).problems()[0].where == "output_bits"


def test_recipes_of_before_keep_their_identity():
    for kind in (
        PopulationRecipe("a", "digits", widths=(10,)),
        Recipe("a", "digits", (plain_layer("fc", 10, 2),)),
    ):
        unused = {"task", "loss", "quantile", "output_bits", "balance"}
        assert not unused & set(kind.to_meta())


def test_losses_are_in_standard_deviations():
    y = np.random.default_rng(4).normal(100, 20, (500, 1))
    task = Regression(["y"], y, 64)
    wanted = task.wanted(y)
    nothing = task.middle.expand(500, 1)
    assert float(task.loss(nothing, wanted)) == pytest.approx(1.0, abs=0.01)
    assert float(-task.merit(nothing, wanted).mean()) == pytest.approx(1.0, abs=0.01)
    np.testing.assert_allclose(task.said(wanted), y, rtol=1e-5)
    assert dataclasses.asdict(task.quantities[0])["exponent"] == task.quantities[0].exponent
