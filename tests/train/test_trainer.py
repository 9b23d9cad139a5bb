"""Training: real, repeatable, resumable, and honest about its accuracies."""

import dataclasses
import json
from contextlib import contextmanager

import numpy as np
import pytest
import torch

from nnlogic import data
from nnlogic.core.errors import CheckpointError, TooWide, UsageError
from nnlogic.data import dataset as datasets
from nnlogic.frontend import load, read_golden
from nnlogic.model.layer import plain_layer
from nnlogic.nn import LayerSpec, load_network
from nnlogic.train import Recipe, load_recipe, train

STACK = Recipe(
    name="toy",
    dataset="toy",
    layers=(
        LayerSpec("enc", 15, "thermometer", bits=1, role="encoder"),
        LayerSpec("luts", 16, "luts", 4, connect="learned"),
        LayerSpec("mix", 8, "poly", 4, bits=2),
        LayerSpec("score", 3, "kan", 0, "none"),
    ),
    epochs=5,
    float_epochs=3,
    epoch_rows=256,
    batch=64,
    learning_rate=0.03,
    distill=0.5,
    temperature=2.0,
    seed=3,
)
RECIPE = Recipe(
    name="toy",
    dataset="toy",
    layers=(plain_layer("fc1", 8, 2), plain_layer("fc2", 3, 4, "signed_uniform", 4)),
    epochs=6,
    float_epochs=2,
    batch=64,
    seed=3,
)


@pytest.fixture(autouse=True)
def toy(monkeypatch):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(900, 5))
    y = (x[:, 0] + x[:, 1] > 0).astype(int) + (x[:, 2] > 0.5)
    names = tuple("abcde"), ("none", "one", "both")
    raw = datasets.Raw(x[:700], y[:700], x[700:], y[700:], *names, "made up")
    known = datasets._sources()
    monkeypatch.setattr(datasets, "_sources", lambda: {**known, "toy": lambda data_dir: raw})


class Stop(Exception):
    pass


class Notes:
    def __init__(self, stop_after=None):
        self.notes, self.stop_after = [], stop_after

    @contextmanager
    def step(self, name, total=0):
        self.notes.append((name, total))
        yield self

    def advance(self, count=1, note=""):
        self.notes.append(note)
        if self.stop_after is not None and sum("loss" in str(n) for n in self.notes) == (
            self.stop_after
        ):
            raise Stop


def test_learns_and_writes_a_checkpoint_that_says_so(tmp_path):
    notes = Notes()
    recipe = dataclasses.replace(RECIPE, epochs=20, float_epochs=10)
    result = train(recipe, out=tmp_path, progress=notes)
    assert result.accuracy["quantized"] > 0.75
    assert result.accuracy["float"] > 0.75
    assert result.epochs == 20
    net = load(result.checkpoint)
    toy = data.load("toy")
    found = net.evaluate(net.encode(toy.x_test))
    assert np.mean(found[:, -1] == toy.y_test) == result.accuracy["quantized"]
    np.testing.assert_array_equal(found, load_network(result.checkpoint).evaluate(toy.x_test))
    x, y = read_golden(result.checkpoint)
    np.testing.assert_array_equal(net.evaluate(net.encode(x)), y)
    assert net.info["accuracy"] == result.accuracy
    assert net.info["dataset"]["digest"] == toy.digest
    assert net.info["training"]["recipe"]["seed"] == 3
    assert [(layer.weights != 0).sum(1).max() for layer in net.layers[:2]] == [2, 4]
    assert ("train toy", 20) in notes.notes
    assert any("validation" in str(n) for n in notes.notes)


def test_same_seed_same_file_and_resume_changes_nothing(tmp_path):
    whole = train(RECIPE, out=tmp_path / "a").checkpoint.read_bytes()
    with pytest.raises(Stop):
        train(RECIPE, out=tmp_path / "b", progress=Notes(stop_after=3))
    assert not (tmp_path / "b" / "toy.safetensors").exists()
    resumed = train(RECIPE, out=tmp_path / "b", resume=True)
    assert resumed.checkpoint.read_bytes() == whole
    history = json.loads((tmp_path / "b" / "history.json").read_text())
    assert [h["epoch"] for h in history] == [1, 2, 3, 4, 5, 6]
    other = train(RECIPE, out=tmp_path / "c", seed=4).checkpoint.read_bytes()
    assert other != whole


def test_a_stack_learns_and_its_checkpoint_says_so(tmp_path):
    recipe = dataclasses.replace(STACK, epochs=14, epoch_rows=0, batch=32)
    result = train(recipe, out=tmp_path)
    assert set(result.accuracy) == {
        *("float", "quantized", "table", "validation"),
        *("float, validation", "quantized, validation"),
    }
    assert result.accuracy["table"] > 0.6
    assert result.accuracy["float"] > 0.8
    assert abs(result.accuracy["quantized"] - result.accuracy["table"]) < 0.01
    net, toy = load(result.checkpoint), data.load("toy")
    for rows, labels, key in (
        (toy.x_test, toy.y_test, "table"),
        (toy.x_val, toy.y_val, "validation"),
    ):
        found = net.evaluate(net.encode(rows))[:, -1]
        assert np.mean(found == labels) == result.accuracy[key]
    x, y = read_golden(result.checkpoint)
    np.testing.assert_array_equal(x, toy.x_val)
    np.testing.assert_array_equal(net.evaluate(net.encode(x)), y)
    assert net.info["accuracy"] == result.accuracy
    assert "perceptron" in net.info["float_is"]
    assert net.info["training"]["recipe"]["layers"][1]["connect"] == "learned"
    parts = {k: v for k, v in result.lut_estimate.items() if k != "total"}
    assert sum(parts.values()) == pytest.approx(result.lut_estimate["total"])
    assert parts["encoder"] > 0


def test_a_stack_resumes_as_if_never_interrupted(tmp_path):
    whole = train(STACK, out=tmp_path / "a").checkpoint.read_bytes()
    with pytest.raises(Stop):
        train(STACK, out=tmp_path / "b", progress=Notes(stop_after=3))
    resumed = train(STACK, out=tmp_path / "b", resume=True)
    assert resumed.checkpoint.read_bytes() == whole
    again = train(STACK, out=tmp_path / "b", resume=True)
    assert again.checkpoint.read_bytes() == whole
    hotter = dataclasses.replace(STACK, temperature=4.0)
    assert train(hotter, out=tmp_path / "c").checkpoint.read_bytes() != whole


def test_a_state_with_the_names_of_before_is_resumed(tmp_path):
    layers = (LayerSpec("fc1", 8, "linear", 2, "pact"), LayerSpec("fc2", 3, "linear", 4, bits=4))
    recipe = dataclasses.replace(STACK, layers=layers, float_epochs=0, distill=0.0)
    whole = train(recipe, out=tmp_path / "a").checkpoint.read_bytes()
    with pytest.raises(Stop):
        train(recipe, out=tmp_path / "b", progress=Notes(stop_after=3))
    file = tmp_path / "b" / "state.pt"
    state = torch.load(file, weights_only=True)
    for part in (state["loop"]["network"], state["loop"]["best"]):
        for name in [n for n in part if n.startswith("layers.")]:
            _, number, rest = name.split(".", 2)
            part[f"layers.{number}.layer.{rest}"] = part.pop(name)
    torch.save(state, file)
    assert train(recipe, out=tmp_path / "b", resume=True).checkpoint.read_bytes() == whole
    state["loop"]["network"].popitem()
    torch.save(state, file)
    with pytest.raises(CheckpointError, match="does not fit the network"):
        train(recipe, out=tmp_path / "b", resume=True)


def test_a_network_learns_from_a_teacher_too(tmp_path):
    taught = dataclasses.replace(RECIPE, distill=0.9)
    result = train(taught, out=tmp_path / "a")
    plain = train(RECIPE, out=tmp_path / "b")
    assert result.checkpoint.read_bytes() != plain.checkpoint.read_bytes()
    assert result.accuracy["quantized"] == result.accuracy["table"]
    assert load(result.checkpoint).info["training"]["recipe"]["distill"] == 0.9


def test_a_folder_with_a_run_is_not_overwritten(tmp_path):
    with pytest.raises(Stop):
        train(RECIPE, out=tmp_path, progress=Notes(stop_after=1))
    with pytest.raises(UsageError, match="already holds a training run"):
        train(RECIPE, out=tmp_path)
    with pytest.raises(UsageError, match="cannot resume another run"):
        train(RECIPE, out=tmp_path, seed=99, resume=True)
    state = tmp_path / "state.pt"
    state.write_bytes(state.read_bytes()[:200])
    with pytest.raises(CheckpointError, match="cannot be read"):
        train(RECIPE, out=tmp_path, resume=True)


def test_early_stop_keeps_the_best_weights(tmp_path):
    recipe = dataclasses.replace(RECIPE, epochs=60, patience=3, float_epochs=0, prune_to=0.1)
    result = train(recipe, out=tmp_path)
    assert result.epochs == result.best_epoch + 3 < 60
    history = json.loads((tmp_path / "history.json").read_text())
    counted = [h["validation"] for h in history if h["epoch"] >= 6]
    assert result.accuracy["validation"] == max(counted)
    assert "float" not in result.accuracy
    net, toy = load(result.checkpoint), data.load("toy")
    found = net.evaluate(net.encode(toy.x_val))[:, -1]
    assert np.mean(found == toy.y_val) == result.accuracy["validation"]


def test_random_pruning_and_bias_instead_of_batch_norm(tmp_path):
    layers = tuple(dataclasses.replace(spec, batch_norm=False) for spec in RECIPE.layers)
    recipe = dataclasses.replace(RECIPE, pruning="random", layers=layers, float_epochs=0)
    net = load(train(recipe, out=tmp_path).checkpoint)
    assert (net.layers[0].weights != 0).sum(1).max() <= 2


def test_divergence_is_reported(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "nnlogic.train.tasks.classification.functional.cross_entropy",
        lambda scores, y, weights: (scores * torch.nan).sum(),
    )
    with pytest.raises(UsageError, match="training diverged"):
        train(RECIPE, out=tmp_path)


def test_too_wide_is_refused_before_training(tmp_path):
    recipe = dataclasses.replace(RECIPE, layers=(plain_layer("fc", 3, 5),), input_bits=4)
    with pytest.raises(TooWide, match="20 bits, limit 12"):
        train(recipe, out=tmp_path)
    assert not list(tmp_path.iterdir())


def test_output_that_cannot_be_written(tmp_path):
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(UsageError, match="cannot write the output"):
        train(RECIPE, out=file / "sub")


def test_a_full_disk_is_reported_and_leaves_no_checkpoint(tmp_path, monkeypatch):
    def full(path, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("nnlogic.train.saved.write_bytes", full)
    with pytest.raises(UsageError, match="No space left"):
        train(RECIPE, out=tmp_path)
    assert not list(tmp_path.iterdir())


def test_threads_are_given_back(tmp_path):
    before = torch.get_num_threads()
    train(dataclasses.replace(RECIPE, epochs=1, float_epochs=0), out=tmp_path)
    assert torch.get_num_threads() == before


def test_digits_recipe_learns(tmp_path):
    recipe = dataclasses.replace(load_recipe("digits"), epochs=12, float_epochs=0)
    assert train(recipe, out=tmp_path).accuracy["quantized"] > 0.6


def test_two_trainings_never_work_in_one_folder(tmp_path):
    from nnlogic.core.lock import locked

    short = dataclasses.replace(RECIPE, epochs=1, float_epochs=1)
    with (
        locked(tmp_path, tmp_path),
        pytest.raises(UsageError, match="another command works there"),
    ):
        train(short, out=tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert train(short, out=tmp_path).checkpoint.exists()
