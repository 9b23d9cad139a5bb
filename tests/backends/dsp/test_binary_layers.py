"""Layers of binarized networks against plain integer arithmetic."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.dsp import lenet
from benchmarks.dsp.train_lenet import infer
from nnlogic.backends.dsp.model.binary import binary_layer, pooled_filters, score_layer
from nnlogic.backends.dsp.model.conv import PatchLayer, PatchNetwork, Window
from nnlogic.backends.dsp.model.lower import OpBuilder, finish
from nnlogic.backends.dsp.model.machine import Machine
from nnlogic.backends.dsp.model.place import compile_ops
from nnlogic.backends.dsp.model.popcount import counts
from nnlogic.core.errors import InputError
from nnlogic.core.formats import IntFormat, Port


def every(count):
    return np.arange(1 << count)[:, None] >> np.arange(count) & 1


def ports(letter, *widths):
    return tuple(Port(f"{letter}{i}", IntFormat(w)) for i, w in enumerate(widths))


@st.composite
def layers(draw):
    neurons, inputs = draw(st.integers(1, 6)), draw(st.integers(1, 9))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    weights = rng.integers(-1, 2, (neurons, inputs))
    if draw(st.booleans()):
        weights = rng.choice([-1, 1], (neurons, inputs))
    return weights, rng.integers(-inputs - 2, inputs + 3, neurons)


@settings(deadline=None, max_examples=80)
@given(layers())
def test_neurons_are_exact(layer):
    weights, thresholds = layer
    rows = every(weights.shape[1])
    want = (2 * rows - 1) @ weights.T >= thresholds
    assert np.array_equal(binary_layer("l", weights, thresholds).evaluate(rows), want)
    pooled = binary_layer("l", weights, thresholds, pool=len(weights)).evaluate(rows)
    assert np.array_equal(pooled[:, 0], want.any(axis=1))


@settings(deadline=None, max_examples=80)
@given(layers())
def test_scores_and_the_first_largest_are_exact(layer):
    weights, bias = layer
    rows = every(weights.shape[1])
    want = (2 * rows - 1) @ weights.T + bias
    got = score_layer("s", weights, bias).evaluate(rows)
    assert np.array_equal(got[:, :-1], want)
    assert np.array_equal(got[:, -1], want.argmax(axis=1))


def test_counts_of_columns_with_a_gap():
    ops = OpBuilder(4)
    columns = [[{0: (0, 0)}, {0: (1, 1), 1: (1, 0)}], [], [{0: (2, 0)}, {0: (3, 0), 1: (3, 0)}]]
    found = counts(ops, columns, 2)
    assert [len(bits) for bits in found] == [4, 3]
    wires = [bit for bits in found for bit in bits]
    graph = finish(ops, wires, "c", ports("x", 1, 1, 1, 1), ports("y", 4, 3))
    a, b, c, d = (rows := every(4)).T
    want = np.stack([a + (1 - b) + 4 * c + 4 * d, b + 4 * d], axis=1)
    assert np.array_equal(graph.evaluate(rows), want)


def test_neurons_share_what_they_have_in_common():
    weights = np.random.default_rng(0).choice([-1, 1], (40, 60))
    shared = binary_layer("l", weights, np.zeros(40, int)).n_ops
    alone = sum(binary_layer("l", row[None], np.zeros(1, int)).n_ops for row in weights)
    assert shared < 0.6 * alone


def network(filters, thresholds, dense, cuts, head, bias):
    graphs = (
        binary_layer("conv", pooled_filters(filters, 2), np.repeat(thresholds, 4), pool=4),
        binary_layer("fc", dense, cuts),
        score_layer("head", head, bias),
    )
    windows = (Window(4, 4, stride=2, padding=1), None, None)
    machine = Machine(3, input_banks=2, output_slices=3, contexts=2)
    layers = [
        PatchLayer(g.name, w, compile_ops(g, machine)) for g, w in zip(graphs, windows, strict=True)
    ]
    return PatchNetwork(tuple(layers), (6, 6, 2))


def reference(maps, filters, thresholds, dense, cuts, head, bias):
    x = np.pad(2 * maps - 1, ((0, 0), (1, 1), (1, 1), (0, 0)), constant_values=-1)
    view = np.lib.stride_tricks.sliding_window_view(x, (3, 3), (1, 2))
    fires = np.einsum("nrcihw,fihw->nrcf", view, filters) >= thresholds
    x = fires.reshape(len(maps), 3, 2, 3, 2, -1).max(axis=(2, 4)).reshape(len(maps), -1)
    x = (2 * x - 1) @ dense.T >= cuts
    scores = (2 * x - 1) @ head.T + bias
    return np.hstack([scores, scores.argmax(axis=1)[:, None]])


@pytest.fixture(scope="module")
def weights():
    rng = np.random.default_rng(3)
    return (
        rng.choice([-1, 1], (3, 2, 3, 3)),
        rng.integers(1, 6, 3),
        rng.choice([-1, 1], (8, 27)),
        rng.integers(-3, 4, 8),
        rng.choice([-1, 1], (4, 8)),
        rng.integers(-2, 3, 4),
    )


MAPS = np.random.default_rng(4).integers(0, 2, (200, 6, 6, 2))


def test_a_binarized_network_runs_bit_exact(weights):
    want = reference(MAPS, *weights)
    assert len(np.unique(want[:, -1])) == 4
    assert np.array_equal(network(*weights).evaluate(MAPS), want)


@pytest.mark.parametrize("layer", [0, 2, 4])
def test_one_flipped_weight_shows(weights, layer):
    wrong = [w.copy() for w in weights]
    wrong[layer].flat[5] *= -1
    assert (network(*wrong).evaluate(MAPS) != reference(MAPS, *weights)).any()


def test_the_lenet_of_the_benchmark_is_bit_exact_with_pytorch():
    rng = np.random.default_rng(5)
    rows = (rng.random((64, 784)) < rng.random((64, 1)) * 0.5).astype(np.int64)
    weights = lenet.arrays()
    got = lenet.network(weights).evaluate(rows.reshape(-1, 28, 28, 1))
    want = infer(weights, rows)
    assert np.array_equal(got[:, :-1], want)
    assert np.array_equal(got[:, -1], want.argmax(axis=1))


def test_bad_layers_are_refused():
    ones = np.ones((4, 3), int)
    with pytest.raises(InputError, match="per neuron"):
        binary_layer("l", ones, np.zeros(3, int))
    with pytest.raises(InputError, match="need -1, 0 or 1"):
        score_layer("l", 2 * ones, np.zeros(4, int))
    with pytest.raises(InputError, match="4 neurons, 3 to a pooling window"):
        binary_layer("l", ones, np.zeros(4, int), pool=3)
