"""The contract of what the trainer drives: one network and many members behave alike."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

from nnlogic.core.progress import SILENT
from nnlogic.data import Dataset
from nnlogic.model.layer import LayerSpec, plain_layer
from nnlogic.train import PopulationRecipe, Recipe
from nnlogic.train.trainer import training_of

LAYERS = {"epochs": 2, "float_epochs": 0, "batch": 32, "seed": 1, "prune_to": 0.4}
MEMBERS = {"members": 3, "steps": 150, "batch": 32, "copies": 0, "distill": 0.0, "input_bits": 2}
RECIPES = {
    "network": Recipe(
        "toy", "toy", (plain_layer("fc1", 8, 2), plain_layer("fc2", 3, 4, bits=4)), **LAYERS
    ),
    "stack": Recipe(
        "toy", "toy", (LayerSpec("fc1", 8, "poly", 2), LayerSpec("fc2", 3, "kan", bits=4)), **LAYERS
    ),
    "luts": PopulationRecipe("toy", "toy", widths=(12,), **MEMBERS),
    "sums": PopulationRecipe("toy", "toy", shape="sums", hidden=2, hidden_bits=3, **MEMBERS),
}


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def dataset():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(700, 5)).astype(np.float32)
    y = (x[:, 0] + x[:, 1] > 0).astype(np.int64) + (x[:, 2] > 0.5)
    parts = (x[:400], y[:400], x[400:550], y[400:550], x[550:], y[550:])
    return Dataset("toy", *parts, tuple("abcde"), ("none", "one", "both"), "digest", "made up")


def prepared(name, dataset, saved=None):
    training = training_of(RECIPES[name], dataset, torch.device("cpu"))
    training.prepare(saved, SILENT)
    return training


@pytest.mark.parametrize("name", RECIPES)
def test_the_loss_of_a_batch_reaches_the_parameters_of_all_members(name, dataset):
    training = prepared(name, dataset)
    training.model.train()
    loss = training.loss(torch.arange(64))
    assert loss.shape == ()
    loss.backward()
    learned = [(n, p) for n, p in training.model.named_parameters() if p.requires_grad]
    for key, parameter in learned:
        assert parameter.grad is not None, key
        if training.members > 1:
            assert parameter.shape[0] == training.members
            assert all(own.any() for own in parameter.grad.flatten(1)), key


@pytest.mark.parametrize("name", RECIPES)
def test_rounds_lead_to_members_that_are_rated_and_exported(name, dataset):
    training = prepared(name, dataset)
    before = copy.deepcopy(training.model.state_dict())
    while not training.finished:
        done = training.done
        assert "loss" in training.advance()
        assert done < training.done <= training.total
    training.finish(SILENT)
    assert any(not torch.equal(v, before[k]) for k, v in training.model.state_dict().items())
    rated = training.merits()
    assert rated.shape == (training.members,)
    for member, rate in enumerate(rated):
        net = training.quantnet(member)
        found = net.evaluate(net.encode(dataset.x_val))[:, -1]
        assert np.mean(found == dataset.y_val) == pytest.approx(float(rate), abs=1e-6)
    assert 0 <= training.best() < training.members
    accuracy = training.measure(SILENT)["accuracy"]
    assert accuracy["validation"] == pytest.approx(float(rated[training.best()]))
    assert {"quantized", "table", "validation"} <= set(accuracy)
    assert training.facts()["training"]["recipe"] == RECIPES[name].to_meta()


@pytest.mark.parametrize("name", RECIPES)
def test_state_is_all_there_is_to_go_on(name, dataset):
    first = prepared(name, dataset)
    first.advance()
    saved = copy.deepcopy(first.state())
    first.advance()
    torch.manual_seed(99)
    second = prepared(name, dataset, saved)
    assert second.done < first.done
    second.advance()
    assert second.done == first.done
    for key, value in first.model.state_dict().items():
        assert torch.equal(value, second.model.state_dict()[key]), key


@pytest.mark.parametrize("name", ["network", "stack", "luts"])
def test_balance_lets_rare_classes_count_in_loss_and_choice(name, dataset):
    rare = replace(dataset, y_train=np.where(np.arange(400) < 380, 0, dataset.y_train))

    def made(balance):
        recipe = replace(RECIPES[name], balance=balance)
        training = training_of(recipe, rare, torch.device("cpu"))
        training.prepare(None, SILENT)
        training.model.train()
        return training

    plain, balanced = made(0.0), made(1.0)
    rows = torch.arange(360, 400)
    alike, each = (float(t.loss(rows).detach()) for t in (plain, balanced))
    assert alike != pytest.approx(each, rel=1e-3)
    assert balanced.task.weights(torch.tensor([0, 1]))[1] > 5
