"""Autoencoders: features learned from themselves, and the encoder as a network of its own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

import nnlogic
from nnlogic.core.errors import Different
from nnlogic.data import sensor
from nnlogic.frontend.native import read_golden, write_quantized
from nnlogic.quant.part import encoder_of
from nnlogic.train import PopulationRecipe, load_recipe, train

MEMBERS = {
    "task": "autoencoder", "members": 2, "steps": 200, "batch": 64, "copies": 0, "distill": 0.0,
    "input_bits": 3,
}  # fmt: skip
RECIPES = {
    "luts": PopulationRecipe("auto", "", widths=(30, 12, 40), latent=1, **MEMBERS),
    "sums": PopulationRecipe("auto", "", shape="sums", hidden=3, rate_tables=0.1, **MEMBERS),
}


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def table(tmp_path):
    """Five columns that two numbers decide."""
    a, b = np.random.default_rng(0).normal(size=(2, 900))
    x = np.stack([a, b, a + b, a - b, 10 * a], axis=1).round(4)
    path = tmp_path / "mine.csv"
    lines = [",".join(map(str, row)) for row in x.tolist()]
    path.write_text("\n".join(["p,q,r,s,t", *lines]) + "\n")
    return path


@pytest.mark.parametrize("name", RECIPES)
def test_the_encoder_is_the_first_half_bit_for_bit(name, table, tmp_path):
    recipe = replace(RECIPES[name], dataset=str(table))
    result = train(recipe, out=tmp_path / "out", device="cpu")
    whole = nnlogic.load(result.checkpoint)
    path = tmp_path / "out" / "auto.encoder.safetensors"
    encoder = nnlogic.load(path)
    assert set(result.error["table"]) == set("pqrst")
    assert [p.name for p in whole.outputs] == [f"value_{c}" for c in "pqrst"]
    assert (encoder.quantities, encoder.class_output) == ((), None)
    assert {p.name for p in encoder.outputs} == {f"code_{i}" for i in range(len(encoder.outputs))}
    x, codes = read_golden(path)
    np.testing.assert_array_equal(encoder.evaluate(encoder.encode(x)), codes)
    inner = whole.trace(whole.encode(x))[recipe.latent_layer]
    np.testing.assert_array_equal(inner, codes)
    run = nnlogic.compile(path, tmp_path / "run", effort="fast", jobs=1)
    assert not run.report.failed
    assert run.report.rung(1).verdict == "pass"
    # Planted: torch gives another code for one row.
    codes[7, 0] ^= 1
    wrong = tmp_path / "wrong.safetensors"
    write_quantized(wrong, encoder, golden=(x, codes))
    with pytest.raises(Different):
        nnlogic.compile(wrong, tmp_path / "spoiled", effort="fast", jobs=1)


def test_what_has_few_degrees_of_freedom_is_learned(table, tmp_path):
    recipe = replace(RECIPES["sums"], dataset=str(table), steps=600, input_bits=5)
    result = train(recipe, out=tmp_path / "out", device="cpu")
    net = nnlogic.load(result.checkpoint)
    rows = np.loadtxt(table, delimiter=",", skiprows=1)
    off = net.decode(net.evaluate(net.encode(rows))) - rows
    assert np.sqrt((off**2).mean(0) / rows.var(0)).max() < 0.5


def test_an_encoder_keeps_only_what_it_needs():
    net = nnlogic.load("examples/jets/jets.safetensors")
    first = net.layers[0].name
    part = encoder_of(net, first)
    assert [la.name for la in part.layers] == [first]
    x = np.random.default_rng(0).integers(0, 8, (50, len(net.inputs)))
    x = np.minimum(x, [p.format.hi for p in net.inputs])
    np.testing.assert_array_equal(part.evaluate(x), net.trace(x)[first])
    assert "accuracy" not in part.info


def test_the_sensor_is_the_same_everywhere_and_as_it_is_described():
    rows = sensor.events(2000, 1)
    np.testing.assert_array_equal(rows, sensor.events(2000, 1))
    assert rows.shape == (2000, sensor.ROWS * sensor.COLUMNS)
    quiet = rows[rows.sum(1) < 100]
    assert 0.2 < len(quiet) / len(rows) < 0.45  # events without a shower, or with one at the edge
    assert (quiet < 30).mean() > 0.99
    assert rows.max() == sensor.MOST
    # A shower is local: the largest cell's neighbours hold more than cells far from it.
    loud = rows[rows.sum(1) > 500].reshape(-1, sensor.ROWS, sensor.COLUMNS).astype(int)
    at = loud.reshape(len(loud), -1).argmax(1)
    down, across = np.divmod(at, sensor.COLUMNS)
    y, x = np.mgrid[: sensor.ROWS, : sensor.COLUMNS]
    far = np.maximum(abs(y - down[:, None, None]), abs(x - across[:, None, None]))
    assert loud[far == 1].mean() > 3 * loud[far >= 3].mean()


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"latent": 2}, {"latent"}),
        ({"task": "regression"}, {"latent"}),
        ({"label": "p"}, {"label"}),
    ],
)
def test_recipes_that_make_no_sense(change, where, table):
    recipe = replace(RECIPES["luts"], dataset=str(table))
    assert recipe.problems() == []
    assert {p.where for p in replace(recipe, **change).problems()} == where


def test_the_recipe_that_comes_along_is_sound():
    recipe = load_recipe("sensor")
    assert recipe.problems() == []
    assert recipe.latent_layer == "edges0_code"
