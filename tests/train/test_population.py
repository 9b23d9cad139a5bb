"""Training a population on a CPU, and its recipes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

import nnlogic
from nnlogic.core.errors import UsageError
from nnlogic.frontend.native import read_golden
from nnlogic.train import PopulationRecipe, load_recipe, train
from nnlogic.train.population_rows import PopulationRows
from nnlogic.train.population_steps import PopulationSteps
from nnlogic.train.recipe_file import parse_recipe
from nnlogic.train.tasks import Classification

LUTS = PopulationRecipe(
    "tiny", "digits", input_bits=2, widths=(40,), members=2, steps=300, batch=128, copies=0,
    distill=0,
)  # fmt: skip
SUMS = PopulationRecipe(
    "tiny", "digits", shape="sums", input_bits=2, hidden=4, members=2, steps=120, batch=128,
    copies=0, distill=0, bit_cost=1e-5, rate_tables=0.1,
)  # fmt: skip


def planted_rows():
    generator = torch.Generator().manual_seed(0)
    codes = torch.randint(0, 16, (3000, 4), generator=generator).to(torch.uint8)
    y = ((codes[:, 0] > 7) ^ (codes[:, 2] > 7)).long()
    few, some = codes[:500], y[:500]
    return PopulationRows(
        x=codes, y=y, x_val=few, y_val=some, x_rank=few, y_rank=some, input_bits=4,
        task=Classification(2), plain_rows=len(y),
    )  # fmt: skip


def test_luts_learn_a_planted_function():
    recipe = replace(LUTS, input_bits=4, widths=(8,), steps=400)
    job = PopulationSteps(recipe, planted_rows())
    job.capture()
    job.run(recipe.steps)
    assert job.finished
    assert job.merits().max() > 0.95


def test_penalty_takes_table_bits_away():
    pool = planted_rows()
    left = {}
    for cost in (0.0, 0.01):
        job = PopulationSteps(replace(SUMS, input_bits=4, bit_cost=cost, steps=300), pool)
        job.run(300)
        left[cost] = float(job.model.penalty().detach().sum())
    assert left[0.01] < 0.8 * left[0.0]


@pytest.mark.parametrize("recipe", [LUTS, SUMS], ids=["luts", "sums"])
def test_checkpoint_of_the_best_member(recipe, tmp_path):
    result = train(recipe, out=tmp_path, device="cpu")
    net = nnlogic.load(result.checkpoint)
    rows, golden = read_golden(result.checkpoint)
    assert (net.evaluate(net.encode(rows)) == golden).all()
    assert net.info["accuracy"]["validation"] == result.accuracy["validation"]
    assert result.accuracy["table"] > 0.2
    with pytest.raises(UsageError, match="already holds"):
        train(recipe, out=tmp_path, device="cpu")


def test_same_seed_same_network(tmp_path):
    nets = []
    for name in ("a", "b"):
        result = train(replace(LUTS, steps=20), out=tmp_path / name, device="cpu")
        nets.append(nnlogic.load(result.checkpoint))
    codes = np.random.default_rng(0).integers(0, 4, (200, 64))
    assert (nets[0].evaluate(codes) == nets[1].evaluate(codes)).all()


def test_train_takes_either_kind_of_recipe(tmp_path):
    path = tmp_path / "r.toml"
    path.write_text(
        'name = "n"\ndataset = "digits"\nshape = "luts"\nwidths = [20]\ninput_bits = 1\n'
        "steps = 5\nbatch = 16\ncopies = 0\ndistill = 0.0\nmembers = 1\n"
    )
    result = train(path, out=tmp_path / "out")
    assert nnlogic.load(result.checkpoint).name == "n"
    whole = result.checkpoint.read_bytes()
    assert train(path, out=tmp_path / "out", resume=True).checkpoint.read_bytes() == whole


def test_recipe_file(tmp_path):
    path = tmp_path / "r.toml"
    path.write_text('name = "n"\ndataset = "digits"\nshape = "luts"\nwidths = [20, 10]\n')
    assert load_recipe(path).widths == (20, 10)
    path.write_text('name = "n"\ndataset = "digits"\n')
    with pytest.raises(UsageError, match="'layers' is missing"):
        load_recipe(path)


def test_all_mistakes_of_a_recipe_at_once():
    table = {"name": "n", "dataset": "digits", "shape": "tree", "soft": 2, "members": 0}
    with pytest.raises(UsageError) as caught:
        parse_recipe(table, "r.toml")
    assert {p.where for p in caught.value.problems} == {"shape", "soft", "members"}
    with pytest.raises(UsageError) as caught:
        parse_recipe({**table, "withs": [3]}, "r.toml")
    assert "did you mean 'widths'" in str(caught.value.problems)
