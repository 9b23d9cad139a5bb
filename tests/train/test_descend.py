"""Exact descent: every table gets its best wires and bits, and no member gets worse."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from nnlogic.core.errors import UsageError
from nnlogic.model.window import WindowSpec
from nnlogic.train.descend import Descent, descend, write
from nnlogic.train.population_recipe import PopulationRecipe
from nnlogic.train.population_rows import PopulationRows
from nnlogic.train.population_steps import PopulationSteps
from nnlogic.train.recipe_file import parse_recipe
from nnlogic.train.tasks import Classification, Regression

FLAT = PopulationRecipe(
    "tiny", "x", input_bits=1, widths=(12, 6), members=2, steps=60, batch=64, copies=0, distill=0,
    rate_wires=0.1, rate_tables=0.1, descend=3, seed=1,
)  # fmt: skip
DEEP = replace(FLAT, widths=(12, 8, 6), votes=(2, 1, 1), share=(1, 2, 1))
ON_MAP = replace(
    FLAT, frame=(4, 5), windows=(WindowSpec((2, 2), (3,), pool=(1, 2)),), distill=0.5, widths=(9, 4)
)


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def rows(*, outputs: int = 2, features: int = 20, quantities: bool = False) -> PopulationRows:
    random = torch.Generator().manual_seed(5)
    x = torch.randint(0, 2, (700, features), generator=random, dtype=torch.uint8)
    total = x[:, :5].sum(1) + x[:, 3] * x[:, 7]
    y = (total > 2).long()
    task = Classification(outputs)
    if quantities:
        numbers = np.stack([total.numpy(), x[:, 9:12].sum(1).numpy()], 1).astype(float)
        task = Regression(("a", "b"), numbers, 5)
        y = task.wanted(numbers)
    teacher = torch.randn((500, outputs), generator=random)
    parts = {"x_val": x[500:], "y_val": y[500:], "x_rank": x[500:], "y_rank": y[500:]}
    return PopulationRows(
        x=x[:500], y=y[:500], teacher=teacher, plain_rows=500, task=task, input_bits=1, **parts
    )


def trained(recipe: PopulationRecipe, data: PopulationRows) -> PopulationSteps:
    job = PopulationSteps(recipe, data)
    job.run(recipe.steps)
    return job


CASES = {
    "flat": (FLAT, rows()),
    "deep": (DEEP, rows()),
    "map": (ON_MAP, rows()),
    "quantities": (replace(FLAT, task="regression"), rows(quantities=True)),
}


@pytest.mark.parametrize("case", CASES)
def test_every_step_of_a_sweep_is_what_the_network_does(case):
    recipe, data = CASES[case]
    job = trained(recipe, data)
    descent = Descent(job.model, 1, data, recipe)
    assert torch.equal(descent.scores.t(), job.model.hard_scores(data.x)[1])
    before = descent.losses(descent.scores).mean()
    assert descent.sweep() > 0
    # What was kept up to date along the way is what the tables give when computed afresh.
    for layer, (pins, bits) in zip(job.model.layers, descent.tables(), strict=True):
        layer.set_hard(1, pins, bits)
        assert np.array_equal(layer.hard(1)[0], pins.numpy())
        assert np.array_equal(layer.hard(1)[1], bits.numpy())
    assert torch.equal(descent.scores.t(), job.model.hard_scores(data.x)[1])
    assert descent.losses(descent.scores).mean() < before


def test_a_table_gets_the_best_of_all_bits():
    recipe = replace(FLAT, share=(2, 2))
    data = rows()
    descent = Descent(trained(recipe, data).model, 0, data, recipe)
    for layer, table in ((0, 3), (1, 2)):
        descent._set(layer, table)
        best = float(descent.losses(descent.scores).double().mean())
        for entry in range(64):
            bits = descent.bits[layer][table].clone()
            bits[entry] ^= 1
            pins, values = descent.pins[layer][table], descent.values[layer]
            index = sum(values[w].long() << j for j, w in enumerate(pins.tolist()))
            other = descent._scores_with(layer, table, bits[index])
            assert float(descent.losses(other).double().mean()) >= best - 1e-7


def test_no_member_gets_worse_and_a_sweep_without_changes_is_the_last():
    recipe = replace(FLAT, descend=30)
    job = trained(recipe, rows())
    before, said = job.ranking(), []
    descend(job, lambda count, note: said.append((count, note)))
    assert (job.ranking() >= before).all()
    assert (job.ranking() > before).any()
    assert sum(count for count, _ in said) == 30 * recipe.members
    assert len(said) < 30 * recipe.members


def test_tables_are_given_up_for_little_and_stay_constant():
    job = trained(FLAT, rows())
    descent = Descent(job.model, 0, job.rows, FLAT)
    descent.sweep()
    prices, before = [1.0, 2.0], [len(live) for live in descent.live()]
    descent.give_up(prices, 0.3)
    gone = sum(price * len(one) for price, one in zip(prices, descent.gone, strict=True))
    assert 0.3 * 24 - 2 <= gone <= 0.3 * 24 + 2
    assert before[1] == 6
    for live, given in zip(descent.live(), descent.gone, strict=True):
        assert not given & set(live)
    loss = float(descent.losses(descent.scores).mean())
    descent.sweep()
    assert float(descent.losses(descent.scores).mean()) <= loss
    for bits, given in zip(descent.bits, descent.gone, strict=True):
        assert all(len(set(bits[table].tolist())) == 1 for table in given)
    write(job.model, 0, descent.tables())
    assert torch.equal(descent.scores.t(), job.model.hard_scores(job.rows.x)[0])


def test_entries_change_where_it_is_sure_and_members_are_chosen():
    job = trained(FLAT, rows())
    careful = Descent(job.model, 0, job.rows, FLAT, sigmas=1e6)
    before = careful.tables()
    careful.share = [2, 2]
    assert careful.sweep() == 0
    assert all(torch.equal(a[1], b[1]) for a, b in zip(before, careful.tables(), strict=True))
    other = job.model.layers[0].hard(0)
    descend(job, members=[1])
    assert all(
        np.array_equal(a, b) for a, b in zip(other, job.model.layers[0].hard(0), strict=True)
    )


def test_it_is_for_tables_that_are_looked_up():
    table = {"name": "n", "dataset": "digits", "shape": "sums", "descend": 5}
    with pytest.raises(UsageError) as caught:
        parse_recipe(table, "r")
    assert [p.where for p in caught.value.problems] == ["descend"]
    assert "descend" not in PopulationRecipe("n", "digits", widths=(10,)).to_meta()
