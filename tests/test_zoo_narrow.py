"""Tables taken away from a trained network: what is left is what the network then computes."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from benchmarks.zoo.narrow import Narrowing, job_of, rated
from nnlogic.model.window import WindowSpec
from nnlogic.train.population_recipe import PopulationRecipe
from nnlogic.train.population_rows import PopulationRows
from nnlogic.train.population_steps import PopulationSteps
from nnlogic.train.tasks import Classification

RECIPE = PopulationRecipe(
    "tiny", "x", input_bits=1, widths=(12, 8), members=2, steps=30, batch=64, copies=0, distill=0,
    frame=(4, 5), windows=(WindowSpec((2, 2), (3,), pool=(1, 2)),), seed=1,
)  # fmt: skip


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def test_what_is_left_is_what_the_network_computes():
    random = torch.Generator().manual_seed(5)
    x = torch.randint(0, 2, (400, 20), generator=random, dtype=torch.uint8)
    y = (x[:, :5].sum(1) > 2).long()
    parts = {"x_val": x, "y_val": y, "x_rank": x, "y_rank": y, "teacher": None}
    rows = PopulationRows(x=x, y=y, plain_rows=400, task=Classification(2), input_bits=1, **parts)
    job = PopulationSteps(RECIPE, rows)
    job.run(RECIPE.steps)
    kernels = [layer for kernel in job.model.maps for layer in kernel.kernel]
    narrow = Narrowing(job.model, 0, rows, RECIPE)
    narrow.take(0, 5)
    narrow.take(1, 4)
    assert narrow.widths() == [7, 4]
    left = replace(RECIPE, widths=(7, 4))

    def same():
        made = job_of(replace(left, members=1), rows, [_of(k, 0) for k in kernels],
                      narrow.tables())  # fmt: skip
        assert torch.equal(narrow.scores.t(), made.model.hard_scores(x)[0])
        wires = made.model.dense_wires(x, 0)
        found = rated(wires, y, narrow.tables(), narrow.outputs, narrow.votes)
        assert found == pytest.approx(float(made.merits()[0]))

    same()
    before = float(narrow.losses(narrow.scores).mean())
    narrow.sweep()
    same()
    assert float(narrow.losses(narrow.scores).mean()) <= before


def _of(layer, member):
    """A layer with only one member's tables."""
    from nnlogic.nn.population.tables import Tables

    own = Tables(1, layer.wires.shape[-1], layer.logits.shape[1], 1, torch.Generator())
    own.load_state_dict({k: v[member : member + 1] for k, v in layer.state_dict().items()})
    return own
