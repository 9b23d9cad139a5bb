"""Functions a few rows away from a linear one are built as a corrected sum."""

import numpy as np
import pytest

from nnlogic.core.errors import ToolFailed
from nnlogic.logic.cone import function_of, mismatches
from nnlogic.logic.engines.linear import Linear, levels_of
from nnlogic.logic.engines.linear_near import NearLinear, fewer_wrong, nearest_levels

ENGINE = NearLinear(linear=Linear("linear", 4, 2, 1))


def perturbed(flips, cared=1.0):
    """A neuron of eight bits and two outputs, a few rows of which have another code."""
    rng = np.random.default_rng(4)
    index = np.arange(256)
    x = (index[:, None] >> np.arange(8)) & 1
    code = np.clip(np.floor(x @ rng.normal(size=8) * 0.8 + 1), 0, 3).astype(np.int64)
    where = rng.choice(256, flips, replace=False)
    code[where] ^= 1 + rng.integers(0, 3, flips)
    table = np.array([code & 1, code >> 1], dtype=bool)
    return function_of(table, rng.random(256) < cared if cared < 1 else None, "observed data")


@pytest.mark.parametrize(("flips", "cared"), [(3, 1.0), (12, 0.7)])
def test_a_perturbed_neuron_is_built_right(flips, cared):
    function = perturbed(flips, cared)
    cone = ENGINE.solve(function, 4, 60)
    assert mismatches(cone, function) == 0
    assert not cone.problems(4)
    assert cone == ENGINE.solve(function, 4, 60)


def test_linear_and_unlike_functions_are_refused():
    with pytest.raises(ToolFailed, match="nearly"):
        ENGINE.solve(perturbed(0), 4, 60)
    parity = np.array([[bin(i).count("1") & 1 for i in range(256)]], dtype=bool)
    with pytest.raises(ToolFailed, match="nearly"):
        ENGINE.solve(function_of(parity, None), 4, 60)


def test_two_tables_explain_at_least_what_weights_do():
    levels = levels_of(perturbed(10), range(4))
    wrong = nearest_levels(levels, 4) != levels
    assert 0 < wrong.sum() <= 40
    left = fewer_wrong(levels, wrong, 4, ((0, 1, 2, 3), (4, 5, 6, 7)))
    assert not (left & ~wrong).any()
    assert left.sum() < wrong.sum()
