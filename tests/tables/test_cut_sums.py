"""Sums without their lowest columns: what is said of their error is exactly so."""

import numpy as np
import pytest

from nnlogic.core.errors import UsageError
from nnlogic.job.options import Options
from nnlogic.logic.structures import structure
from nnlogic.tables.approximate.cut import SumError, cut, cut_options
from nnlogic.tables.evaluate import block_values
from nnlogic.tables.ir import Sum, Threshold, Word

WORDS = (Word((0, 1, 2)), Word((3, 4), signed=True), Word((5,)), Word((6, 7, 8)))


def inputs(count):
    index = np.arange(1 << count)
    return ((index >> np.arange(count)[:, None]) & 1).astype(bool)


def blocks(seed):
    rng = np.random.default_rng(seed)
    weights = tuple(int(w) for w in rng.integers(-13, 14, len(WORDS)))
    bias = int(rng.integers(-9, 9))
    bounds = tuple(sorted(int(t) for t in rng.integers(-40, 40, 3)))
    wide, code = Word(tuple(range(9, 18)), signed=True), Word((9, 10))
    return Sum(WORDS, weights, bias, wide, "s", 0), Threshold(
        WORDS, weights, bias, bounds, code, "t", 0
    )


def sums(patch, values):
    (part,) = patch.blocks
    return block_values(part, np.concatenate([values, np.zeros((9, values.shape[1]), bool)]))


def wrong(block, patch, error, values):
    """What is said of a cut sum and is not so, by trying all inputs."""
    said = sums(patch, values) - block_values(block, values)
    rms = float(np.sqrt(np.mean(said.astype(float) ** 2)))
    found = (int(said.min()), int(said.max()), pytest.approx(rms))
    return [] if (error.least, error.most, error.rms) == found else [found]


@pytest.mark.parametrize("seed", range(12))
def test_the_error_of_a_cut_sum_is_exact_on_all_inputs(seed):
    block, _ = blocks(seed)
    values = inputs(9)
    options = list(cut_options(block, 4))
    assert options
    for _, patch, error in options:
        assert wrong(block, patch, error, values) == []
        other = SumError(error.least, error.most + 1, error.rms)
        assert wrong(block, patch, other, values)


@pytest.mark.parametrize("seed", range(12))
def test_a_cut_neuron_counts_the_thresholds_its_cut_sum_reaches(seed):
    total, neuron = blocks(seed)
    values = inputs(9)
    for low in (1, 2, 3):
        found, also = cut(total, low), cut(neuron, low)
        if found is None or also is None:
            continue
        reached = np.array(neuron.thresholds)[:, None] <= sums(found[0], values)
        np.testing.assert_array_equal(sums(also[0], values), reached.sum(axis=0))
        assert found[1] == also[1]


def test_cutting_saves_luts_and_never_leaves_the_range_of_the_result():
    block, _ = blocks(3)
    _, patch, _ = list(cut_options(block, 3))[-1]
    (part,) = patch.blocks
    assert structure(part, 6).luts < structure(block, 6).luts
    tight = Sum((Word((0, 1)),), (3,), 0, Word((2, 3, 4, 5)), "s", 0)
    for _, patch, _error in cut_options(tight, 4):
        values = inputs(2)
        (part,) = patch.blocks
        got = block_values(part, np.concatenate([values, np.zeros((4, 4), bool)]))
        assert 0 <= got.min() <= got.max() <= 15


def test_exact_mode_refuses_it():
    with pytest.raises(UsageError, match="only approximate mode uses it"):
        Options(cut_columns=2)
