"""Recipes: the bundled ones fit, and mistakes are named."""

import json

import numpy as np
import pytest

from nnlogic.core.errors import UsageError
from nnlogic.nn import Stack, fit_thresholds
from nnlogic.train import load_recipe, recipe_names
from nnlogic.train.layered import make_network
from nnlogic.train.recipe_file import parse_recipe

SHAPES = {"jets": (16, 5), "jets_small": (16, 5), "mnist": (784, 10), "digits": (64, 10)}
PER_FAMILY = {
    f"jets_{name}"
    for name in ("additive", "ensemble", "kan", "linear", "luts", "poly", "subnet", "tree")
}


def table(**change):
    layer = {"name": "fc", "width": 2}
    return {"name": "r", "dataset": "digits", "layers": [layer], **change}


@pytest.mark.parametrize("name", SHAPES)
def test_bundled_recipes_are_enumerable(name):
    recipe = load_recipe(name)
    features, classes = SHAPES[name]
    arch = recipe.architecture(
        tuple(f"x{i}" for i in range(features)), tuple(f"c{i}" for i in range(classes))
    )
    arch.require_enumerable(12)
    assert recipe.name == name


@pytest.mark.parametrize("name", sorted(PER_FAMILY))
def test_every_family_has_a_small_recipe_on_equal_terms(name):
    assert {*SHAPES, *PER_FAMILY} <= set(recipe_names())
    recipe = load_recipe(name)
    assert recipe.name == name
    network = make_network(recipe, tuple(f"x{i}" for i in range(16)), tuple("gqtwz"))
    assert isinstance(network, Stack)
    assert any(spec.family == name.removeprefix("jets_") for spec in recipe.layers) or (
        name == "jets_ensemble"
    )
    terms = ("dataset", "input_bits", "epochs", "epoch_rows", "batch", "distill", "float_epochs")
    linear = load_recipe("jets_linear")
    assert [getattr(recipe, key) for key in terms] == [getattr(linear, key) for key in terms]


SEEDS = {
    "digits_predefined": (64, ["conv1", "conv2", "score"]),
    "digits_codex": (64, ["conv1", "conv2", "score"]),
    "digits_nm": (64, ["fc1", "fc2", "score"]),
    "mnist_dense": (784, ["fc1", "fc2", "fc3", "score"]),
}


@pytest.mark.parametrize("name", SEEDS)
def test_recipes_of_the_seed_systems_fit_their_images(name):
    recipe = load_recipe(name)
    features, names = SEEDS[name]
    network = make_network(recipe, tuple(f"x{i}" for i in range(features)), tuple("0123456789"))
    assert [spec.name for spec in recipe.layers] == names
    assert recipe.prunes == (name != "digits_codex")
    rows = np.linspace([0.0] * features, [255.0] * features, 8, dtype=np.float32)
    network.quantizer.set_thresholds(fit_thresholds(rows, network.quantizer.bits, "uniform"))
    periods = {layer.name: getattr(layer, "period", 0) for layer in network.quantnet().layers}
    # One of 3x3 taps in every channel: filters nine apart read the same.
    assert (periods.get("conv2") == 9) == (name == "digits_predefined")


def test_kernels_of_windows_are_pruned_as_other_layers_are():
    def recipe(connect):
        inner = [{"name": "sum", "family": "linear", "width": 2, "fan_in": 1, "connect": connect}]
        window = {"name": "w", "family": "window", "width": 2, "frame": [8, 8], "layers": inner}
        score = {"name": "fc", "family": "linear", "width": 10, "fan_in": 2}
        return parse_recipe(table(layers=[window, score]), "t.toml")

    assert recipe("pruned").prunes
    assert recipe("3:9").prunes
    assert not recipe("random").prunes


def test_layers_with_a_family():
    layers = [
        {"name": "fc1", "family": "tree", "width": 4, "fan_in": 2, "branches": [2, 2]},
        {"name": "fc2", "width": 3, "connect": "pruned", "weight_bits": 4},
        {
            "name": "sum",
            "family": "ensemble",
            "width": 2,
            "layers": [{"name": "a", "family": "poly", "width": 2, "degree": 3}],
        },
    ]
    recipe = parse_recipe(table(layers=layers, distill=0.5), "here")
    tree, linear, ensemble = recipe.layers
    assert tree.options == {"branches": (2, 2)}
    assert (linear.family, linear.options) == ("linear", {"weight_bits": 4})
    assert ensemble.options["layers"][0].options == {"degree": 3}
    assert recipe.prunes
    meta = recipe.to_meta()
    assert meta["distill"] == 0.5
    assert "temperature" not in meta
    assert meta["layers"][2]["options"]["layers"][0]["family"] == "poly"
    json.dumps(meta)


def test_all_problems_of_families_are_listed():
    layers = [
        {"name": "fc1", "family": "poli", "width": 4},
        {"name": "fc2", "family": "poly", "width": 4, "degre": 2, "bits": 9},
        {"name": "in", "family": "ensemble", "width": 2, "layers": [{"name": "a", "width": "x"}]},
    ]
    with pytest.raises(UsageError, match="width is 'x', need int"):
        parse_recipe(table(layers=layers), "here")
    with pytest.raises(UsageError) as caught:
        parse_recipe(table(layers=layers[:2]), "here")
    for words in ("family 'poli'", "did you mean 'degree'?", "bits 9"):
        assert words in str(caught.value)
    wrong = [{"name": "e", "family": "ensemble", "width": 2, "layers": 3}]
    with pytest.raises(UsageError, match=r"\[\[layers.layers\]\]"):
        parse_recipe(table(layers=wrong), "here")


def test_unknown_recipe_gets_a_suggestion():
    with pytest.raises(UsageError, match="did you mean 'digits'"):
        load_recipe("digit")


def test_recipe_file(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text('name = "own"\ndataset = "digits"\n[[layers]]\nname = "fc"\nwidth = 10\n')
    recipe = load_recipe(path)
    assert recipe.layers[0].width == 10
    path.write_text("name = \n")
    with pytest.raises(UsageError, match="not TOML"):
        load_recipe(path)
    with pytest.raises(UsageError, match="cannot read"):
        load_recipe(tmp_path / "none.toml")


def test_all_problems_are_listed():
    with pytest.raises(UsageError) as caught:
        parse_recipe(
            table(
                epoch=3,
                batch="many",
                seed=True,
                layers=[{"name": "fc", "widht": 2, "bits": 2.5}],
            ),
            "here",
        )
    text = str(caught.value)
    for words in (
        "unknown attribute 'epoch'",
        "did you mean 'epochs'?",
        "batch is 'many', need int",
        "seed is True, need int",
        "unknown attribute 'widht'",
        "attribute 'width' is missing",
        "bits is 2.5, need int",
    ):
        assert words in text


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"pruning": "admm"}, "known are gradual, random"),
        ({"prune_from": 0.9}, "prune_from <= prune_to"),
        ({"epochs": 0}, "0, at least 1"),
        ({"learning_rate": 0}, "need 0 to 10"),
        ({"input_bits": 9}, "allowed 1 to 8"),
        ({"distill": 1.5}, "need 0 to 1"),
        ({"distill": 0.5, "float_epochs": 0}, "needs a trained teacher"),
        ({"temperature": 0}, "need above 0"),
        ({"epoch_rows": -1}, "at least 0"),
        ({"layers": {"name": "fc"}}, r"\[\[layers\]\]"),
        ({"layers": [{"name": "fc", "width": 2, "activation": "relu"}]}, "'relu', known are"),
    ],
)
def test_values_that_make_no_sense(change, words):
    with pytest.raises(UsageError, match=words):
        parse_recipe(table(**change), "here")


def test_layers_that_do_not_fit_the_data():
    recipe = parse_recipe(table(), "here")
    with pytest.raises(UsageError, match="width 2 for 3 classes"):
        recipe.architecture(("a",), ("x", "y", "z"))
