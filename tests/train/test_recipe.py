"""Recipes: the bundled ones fit, and mistakes are named."""

import pytest

from nnlogic.core.errors import UsageError
from nnlogic.train import load_recipe, recipe_names
from nnlogic.train.recipe import parse_recipe

SHAPES = {"jets": (16, 5), "jets_small": (16, 5), "mnist": (784, 10), "digits": (64, 10)}


def table(**change):
    layer = {"name": "fc", "width": 2}
    return {"name": "r", "dataset": "digits", "layers": [layer], **change}


@pytest.mark.parametrize("name", SHAPES)
def test_bundled_recipes_are_enumerable(name):
    assert set(recipe_names()) == set(SHAPES)
    recipe = load_recipe(name)
    features, classes = SHAPES[name]
    arch = recipe.architecture(
        tuple(f"x{i}" for i in range(features)), tuple(f"c{i}" for i in range(classes))
    )
    arch.require_enumerable(12)
    assert recipe.name == name


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
