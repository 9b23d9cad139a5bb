"""Recipes that name a table of the user, and classes that weigh alike."""

from dataclasses import replace

import pytest
import torch

import nnlogic
from nnlogic.core.errors import UsageError
from nnlogic.nn.population import LutPopulation
from nnlogic.train import load_recipe, train
from nnlogic.train.population_recipe import PopulationRecipe
from nnlogic.train.population_steps import member_merits
from nnlogic.train.recipe_data import as_seen_from
from nnlogic.train.recipe_file import parse_recipe, recipe_text
from nnlogic.train.tasks import Classification

POPULATION = 'shape = "sums"\nhidden = 2\nsteps = 12\nbatch = 16\ndistill = 0.0\nmembers = 1\n'
LAYERS = (
    "epochs = 1\nfloat_epochs = 0\n"
    '[[layers]]\nname = "score"\nwidth = 2\nfan_in = 2\nactivation = "signed_uniform"\n'
)
HEAD = 'name = "mine"\ndataset = "rows/mine.csv"\nlabel = "kind"\ndrop = ["b"]\n'


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "rows").mkdir()
    lines = [f"{i},{i % 7},{i % 5},{('no', 'yes')[i % 3 == 0]}" for i in range(90)]
    (tmp_path / "rows" / "mine.csv").write_text("\n".join(["a,b,c,kind", *lines]) + "\n")
    return tmp_path


@pytest.mark.parametrize("body", [POPULATION, LAYERS], ids=["population", "layers"])
def test_a_table_is_found_from_the_recipe_and_its_path_stays_here(folder, body):
    (folder / "mine.toml").write_text(HEAD + body)
    result = train(folder / "mine.toml", out=folder / "out", device="cpu")
    net = nnlogic.load(result.checkpoint)
    assert [p.name for p in net.inputs] == ["a", "c"]
    assert net.info["dataset"]["name"] == "mine"
    assert net.info["training"]["recipe"]["dataset"] == "mine.csv"
    assert str(folder) not in result.checkpoint.read_bytes().decode("latin1")


def test_a_recipe_that_moves_still_finds_its_table(folder):
    (folder / "mine.toml").write_text(HEAD + POPULATION)
    recipe = load_recipe(folder / "mine.toml")
    (folder / "deep").mkdir()
    moved = folder / "deep" / "mine.toml"
    moved.write_text(recipe_text(as_seen_from(recipe, moved.parent)))
    assert 'dataset = "../rows/mine.csv"' in moved.read_text()
    assert train(moved, out=folder / "out", device="cpu").accuracy["table"] > 0


@pytest.mark.parametrize("body", [POPULATION, LAYERS], ids=["population", "layers"])
def test_keys_of_tables_do_not_go_with_a_known_data_set(body):
    table = {"label": "kind", "dataset": "digits", "name": "x"}
    text = f'name = "x"\n{body}'
    import tomllib

    with pytest.raises(UsageError, match="only for a table of your own"):
        parse_recipe({**tomllib.loads(text), **table}, "x.toml")


def test_recipes_of_before_keep_their_identity():
    meta = PopulationRecipe("a", "digits", widths=(10,)).to_meta()
    assert not {"label", "test", "drop", "missing", "balance"} & set(meta)


def test_balance_weighs_classes_alike():
    y = torch.tensor([0] * 9 + [1])
    counts = torch.bincount(y)
    alike, each = Classification(2, counts), Classification(2, counts, 1.0)
    assert alike.weights(y) is None
    weights = each.weights(y)
    assert (weights[:9].sum() - weights[9:].sum()).abs() < 1e-6
    net = LutPopulation(1, 1, 1, 2, widths=(2,))
    codes = torch.zeros((10, 1), dtype=torch.uint8)
    plain = member_merits(net, alike, codes, y)
    balanced = member_merits(net, each, codes, y, weights)
    assert plain[0] in (0.9, 0.1)
    assert balanced[0] == pytest.approx(0.5)


def test_balance_beyond_one_is_refused():
    recipe = replace(PopulationRecipe("a", "digits", widths=(10,)), balance=1.5)
    assert [p.where for p in recipe.problems()] == ["balance"]
