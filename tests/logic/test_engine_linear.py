"""Sums of tables are recovered exactly, built small, and refused where there are none."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from logic_nets import functions

from nnlogic.core.errors import ToolFailed
from nnlogic.logic.cone import function_of, mismatches
from nnlogic.logic.engines.linear import LINEAR_ENGINES, Linear
from nnlogic.logic.engines.linear_pair import Bounds, free_bits, loose, narrowest, simplified
from nnlogic.logic.engines.linear_sums import ANY, Levels, recovered
from nnlogic.logic.engines.linear_weights import margin_weights

FAST = Linear("linear", 4, 2, 2, 1)
RECOVERY = settings(max_examples=10, deadline=None, derandomize=True)


def neuron(seed, inputs, width, outputs, signed=False):
    """A trained-looking neuron: normal weights, normalized, uniformly quantized."""
    rng = np.random.default_rng(seed)
    index = np.arange(1 << (inputs * width))
    x = np.stack([(index >> (width * i)) & ((1 << width) - 1) for i in range(inputs)], axis=1)
    z = x @ rng.normal(size=inputs)
    z = (z - z.mean()) / z.std() * (1 << outputs) / 3
    code = np.clip(np.floor(z + 0.3), 0, (1 << outputs) - 1).astype(np.int64)
    if signed:
        code ^= 1 << (outputs - 1)
    return np.array([(code >> b) & 1 for b in range(outputs)], dtype=bool)


@RECOVERY
@given(
    seed=st.integers(0, 999),
    shape=st.sampled_from([(2, 3, 1), (2, 3, 3), (4, 2, 2), (3, 3, 2), (5, 2, 2)]),
    signed=st.booleans(),
    cared=st.sampled_from([1.0, 0.6, 0.05]),
)
def test_neurons_are_built_right_for_two_and_three_groups(seed, shape, signed, cared):
    table = neuron(seed, *shape, signed)
    keep = np.random.default_rng(seed).random(table.shape[1]) < cared
    function = function_of(table, keep if cared < 1 else None, "observed data")
    cone = FAST.solve(function, 4, 60)
    assert mismatches(cone, function) == 0
    assert not cone.problems(4)


def test_a_wide_neuron_takes_fewer_luts_than_two_tables_of_ten_bits_and_an_adder():
    function = function_of(neuron(3, 4, 3, 3), None)
    assert all(e.applicable(function, 6, e.efforts[0]) for e in LINEAR_ENGINES)
    engine = Linear("linear", 6, 2, 2, 1)
    cone = engine.solve(function, 6, 60)
    assert mismatches(cone, function) == 0
    assert cone.luts < 30
    assert cone.depth <= 6
    assert cone == engine.solve(function, 6, 60)


def test_any_encoding_of_the_two_halves_is_found():
    rng = np.random.default_rng(5)
    u, v = rng.integers(0, 40, 16), rng.integers(0, 40, 16)
    code = np.clip((u[None, :] + v[:, None] - 20) // 8, 0, 7).reshape(-1)
    function = function_of(np.array([(code >> b) & 1 for b in range(3)], dtype=bool), None)
    cone = FAST.solve(function, 4, 60)
    assert mismatches(cone, function) == 0


@RECOVERY
@given(functions(min_inputs=5, max_inputs=8))
def test_other_functions_are_right_or_refused(function):
    if not Linear(efforts=("high",)).applicable(function, 4, "high"):
        return
    try:
        cone = FAST.solve(function, 4, 60)
    except ToolFailed:
        return
    assert mismatches(cone, function) == 0
    assert not cone.problems(4)


def test_one_wrong_row_is_not_explained_away():
    table = neuron(1, 4, 2, 2)
    code = table[0] + 2 * table[1]
    # The greatest sum made the least level: no two tables do that.
    table[:, np.flatnonzero(code == 3)[:1]] = False
    function = function_of(table, None)
    try:
        cone = FAST.solve(function, 4, 60)
    except ToolFailed:
        return
    assert mismatches(cone, function) == 0


def test_exclusive_or_is_no_sum():
    parity = np.array([[bin(i).count("1") & 1 for i in range(256)]], dtype=bool)
    with pytest.raises(ToolFailed, match="not a sum"):
        FAST.solve(function_of(parity, None), 4, 60)
    levels = parity[0].astype(np.int64)
    assert margin_weights(levels, 2) is None


def test_narrowest_tables_agree_with_enumeration():
    rng = np.random.default_rng(0)
    for _ in range(20):
        low = rng.integers(-2, 3, (2, 2))
        high = low + rng.integers(0, 3, (2, 2))
        pair = narrowest(Bounds(low, high, 0), range(3))
        widths = [
            (a + b, max(a, b))
            for a, b in itertools.product(range(3), repeat=2)
            for offset in range(-(1 << a) - (1 << b) + 1, 1)
            for u in itertools.product(range(1 << a), repeat=2)
            for v in itertools.product(range(1 << b), repeat=2)
            if within(np.array(u), np.array(v), offset, low, high)
        ]
        if widths:
            assert pair is not None
            assert (sum(pair.widths), max(pair.widths)) == min(widths)
        if pair is not None:
            assert within(*pair.values, pair.offset, low, high)


def within(u, v, offset, low, high):
    total = u[:, None] + v[None, :] + offset
    return bool(((low <= total) & (total <= high)).all())


def test_simplified_tables_stay_within_bounds():
    rng = np.random.default_rng(2)
    total = rng.integers(0, 30, 8)[:, None] + rng.integers(0, 30, 8)[None, :]
    bounds = Bounds(total - 6, total + 6, 3)
    found = narrowest(bounds, range(5))
    assert found is not None
    pair = simplified(found)
    assert within(*pair.values, pair.offset << 3, bounds.low, bounds.high)
    free = [p.tobytes() for p in free_bits(8)]
    columns = [
        ((t >> b) & 1).tobytes()
        for t, w in zip(pair.values, pair.widths, strict=True)
        for b in range(w)
    ]
    assert sum(c in free for c in columns) > 0
    assert loose(Bounds(total + 1, total, 3), 3).settled() is None


def test_wide_sums_become_coarser_and_stay_right():
    table = neuron(8, 5, 2, 2)
    code = (table[0] + 2 * table[1]).astype(np.int64)
    code[::7] = ANY
    weights = margin_weights(code, 4)
    levels = Levels.of(code, 4, ((0, 1, 2, 3), (4, 5, 6), (7, 8, 9)))
    sums = recovered(levels, 9, 3, weights)
    assert sums is not None
    better = sums.coarser(3).improved(range(4))
    assert better.shift < sums.shift
    for s in (sums, better):
        a, b, c = s.tables
        total = a[:, None, None] + b[None, :, None] + c[None, None, :] + (s.offset << s.shift)
        level = np.clip(total >> s.shift, 0, 3)
        assert ((level == levels.cube) | (levels.cube == ANY)).all()
        assert [int(t.max()) < 1 << w for t, w in zip(s.tables, s.widths, strict=True)]
