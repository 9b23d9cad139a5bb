"""Projections fitted to rows: what they are, how they round, what they refuse."""

import dataclasses

import numpy as np
import pytest
import torch

from nnlogic.core.errors import UnsupportedModel
from nnlogic.core.progress import SILENT
from nnlogic.model.layer import LayerSpec
from nnlogic.nn.stack import Stack
from nnlogic.quant.numbers import numbers
from nnlogic.train.recipe_data import load_dataset
from nnlogic.train.recipe_file import load_recipe
from nnlogic.train.trainer import training_of


def stack(rows, width=3, fan_in=0, method="pca", connect="random", **options):
    first = LayerSpec(
        "p", width, "projection", fan_in, bits=4, connect=connect,
        options={"method": method, **options},
    )  # fmt: skip
    names = tuple(f"x{i}" for i in range(rows.shape[1]))
    specs = (first, LayerSpec("s", 2, "linear", 2))
    made = Stack("toy", names, ("a", "b"), (6,) * len(names), specs, fan_in_limit=64)
    made.quantizer.set_thresholds((np.linspace(-4, 4, 63).astype(np.float32),) * len(names))
    return made


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    sources = rng.uniform(-1.7, 1.7, (4000, 4))
    mixture = np.array([[1, 0.6, 0, 0.2], [0.1, 1, 0.5, 0], [0, 0.3, 0.7, 0.4], [0.5, 0, 0.2, 1]])
    return (sources @ mixture.T).astype(np.float32), sources


def weights(made):
    return (made.families[0].linear.weight * made.families[0].linear.mask).double().numpy()


def inputs(made, rows):
    return made.values(made.quantizer(torch.from_numpy(rows))).double().numpy()


def test_pca_is_the_eigenvectors_of_the_correlations(rows):
    made = stack(rows[0])
    made.fit(rows[0])
    x = inputs(made, rows[0])
    values, vectors = np.linalg.eigh(np.corrcoef(x.T))
    order = np.argsort(-values)[:3]
    for found, k in zip(weights(made) * x.std(0), order, strict=True):
        assert abs(found @ vectors[:, k]) == pytest.approx(1, abs=1e-4)


def test_ica_finds_the_sources(rows):
    made = stack(rows[0], width=4, method="ica")
    made.fit(rows[0])
    out = inputs(made, rows[0]) @ weights(made).T
    alike = np.abs(np.corrcoef(out.T, rows[1].T)[:4, 4:])
    assert (alike.max(1) > 0.98).all()
    assert sorted(alike.argmax(1)) == [0, 1, 2, 3]


def test_random_ones_are_signs_whatever_the_rows(rows):
    made = stack(rows[0], width=9, fan_in=2, method="random")
    before = weights(made)
    made.fit(rows[0])
    np.testing.assert_array_equal(weights(made), before)
    assert set(np.unique(before)) == {-1, 0, 1}
    assert ((before != 0).sum(1) == 2).all()


def test_what_is_compiled_are_shifts_on_the_strongest_wires(rows):
    made = stack(rows[0], fan_in=3, weights="shift(4)")
    made.fit(rows[0])
    share = np.abs(weights(made))
    assert ((share > 0).sum(1) == 3).all()
    layer = made.eval().quantnet().layers[0]
    powers = {abs(int(v)) for v in numbers("shift(4)").integers}
    assert {abs(int(w)) for w in np.unique(layer.weights)} <= powers | {0}
    got = made.quantnet().evaluate(made.quantnet().encode(rows[0][:500]))
    np.testing.assert_array_equal(got, made.evaluate(rows[0][:500]))


def test_an_input_that_never_changes_gets_no_weight(rows):
    still = rows[0].copy()
    still[:, 2] = 0
    made = stack(still)
    made.fit(still)
    assert not weights(made)[:, 2].any()
    assert np.isfinite(weights(made)).all()


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ({"method": "lda"}, "method 'lda'"),
        ({"width": 5}, "5 components of 4 inputs"),
        ({"connect": "pruned"}, "not pruned in training"),
    ],
)
def test_mistakes(rows, how, why):
    with pytest.raises(UnsupportedModel, match=why):
        stack(rows[0], **how)


def test_training_fits_it_to_training_rows_and_keeps_it():
    recipe = load_recipe("digits")
    first = LayerSpec("p", 6, "projection", 8, bits=2)
    layers = (first, LayerSpec("s", 10, "linear", 3, bits=4))
    recipe = dataclasses.replace(recipe, layers=layers, epochs=1, float_epochs=0, fan_in_limit=64)
    training = training_of(recipe, load_dataset(recipe, None), torch.device("cpu"))
    fitted = training.model.families[0].linear.weight.detach().clone()
    assert len(fitted.abs().unique()) > 6
    training.prepare(None, SILENT)
    training.advance()
    assert torch.equal(training.model.families[0].linear.weight, fitted)
