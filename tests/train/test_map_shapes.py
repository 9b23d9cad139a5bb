"""Networks on windows for a table that is a map: from a shape to a stream of LUTs."""

from __future__ import annotations

import numpy as np
import pytest

import nnlogic
from nnlogic.core.archive import digest
from nnlogic.data import Dataset
from nnlogic.data.maps import as_map
from nnlogic.run import open_run
from nnlogic.run.own_data import fit_table
from nnlogic.run.trained import compiled_luts
from nnlogic.train.budget import Pace
from nnlogic.train.map_shapes import map_shapes
from nnlogic.train.population_recipe import check_fit
from nnlogic.train.shapes import in_words, rescaled


def edges(shape, rows=240, seed=0):
    """Maps with a bright half: left or right."""
    rng = np.random.default_rng(seed)
    y = np.arange(rows) % 2
    x = rng.integers(0, 2, (rows, *shape))
    half = shape[-1] // 2
    x[y == 0, ..., :half] |= rng.integers(0, 2, x[y == 0, ..., :half].shape)
    x[y == 1, ..., half:] |= rng.integers(0, 2, x[y == 1, ..., half:].shape)
    x = x.reshape(rows, -1).astype(np.float32)
    a, b = rows // 2, 3 * rows // 4
    names = tuple(f"p{i}" for i in range(x.shape[1]))
    return Dataset(
        "edges", x[:a], y[:a], x[a:b], y[a:b], x[b:], y[b:], names, ("left", "right"),
        digest(x, y), "made here",
    )  # fmt: skip


@pytest.mark.parametrize("shape", [(8, 8), (1, 40), (28, 28), (3, 8, 8), (2, 1, 24)])
def test_shapes_fit_the_map_and_the_budget(shape):
    data = as_map(edges(shape), shape)
    found = map_shapes(data, 300, shape)
    assert 1 <= len(found) <= 2
    for recipe in found:
        assert recipe.problems() == []
        check_fit(recipe, len(data.feature_names), 2)
        assert "on" in in_words(recipe)
        kernels = sum(sum(w.widths) for w in recipe.windows)
        assert kernels + sum(recipe.widths) < 400
        assert sum(sum(w.widths) for w in rescaled(recipe, 0.5, 2).windows) < kernels


def test_a_map_becomes_a_proved_stream_whose_kernels_count_once(tmp_path):
    data = edges((1, 12))
    made = fit_table(data, {}, tmp_path / "out", luts=80, pace=Pace(steps=20), shape=(1, 12))
    run = open_run(made.run)
    assert run.report.backend == "stream"
    assert not run.report.failed
    assert "on 1x3" in made.candidates[0].shape
    estimate = run.report.resource("total", "estimate").luts
    assert abs(compiled_luts(made.checkpoint, jobs=1)["total"] - estimate) <= 0.2 * estimate + 8
    net = nnlogic.load(made.checkpoint)
    assert (net.evaluate(net.encode(data.x_test))[:, -1] == data.y_test).mean() == pytest.approx(
        made.accuracy["test"]
    )
