"""Resubstitution: never wrong, never larger, never deeper than allowed, always the same."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnlogic.core.errors import UsageError
from nnlogic.logic.cone import Cone, ConeBuilder, function_of, mismatches
from nnlogic.logic.engines.decompose import Decompose
from nnlogic.logic.polish import ROUNDS, SLACK, polished
from nnlogic.logic.portfolio import OBJECTIVES, SolveOptions, solve
from nnlogic.logic.resub.improve import improve
from nnlogic.logic.resub.split import OFF, ON, two_tables
from nnlogic.logic.unit import Unit


def threshold_function(n, outputs, seed, care=1.0):
    rng = np.random.default_rng(seed)
    index = np.arange(1 << n)
    rows = ((index[None] >> np.arange(n)[:, None]) & 1).astype(float)
    sums = rng.normal(size=n) @ rows
    cuts = np.quantile(sums, np.linspace(0.2, 0.8, (1 << outputs) - 1))
    code = np.searchsorted(cuts, sums)
    table = ((code[None] >> np.arange(outputs)[:, None]) & 1).astype(bool)
    mask = rng.random(1 << n) < care
    return function_of(table, mask if care < 1 else None, "exact SDC" if care < 1 else "")


def shannon(function):
    """Cofactors on the first six inputs below a tree of multiplexers: a poor start."""
    builder = ConeBuilder(function.n_inputs)
    outputs = []
    for row in function.table():
        parts = [
            builder.lut(range(6), int("".join("01"[b] for b in part[::-1]), 2))
            for part in row.reshape(-1, 64).tolist()
        ]
        for i in range(6, function.n_inputs):
            parts = [
                builder.lut([a, b, i], 0b11001010)
                for a, b in zip(parts[::2], parts[1::2], strict=True)
            ]
        outputs += parts
    return builder.cone(outputs)


@settings(max_examples=25, deadline=None)
@given(st.integers(7, 9), st.integers(1, 3), st.integers(0, 99), st.sampled_from([1.0, 0.6]),
       st.sampled_from([4, 5, 6]))  # fmt: skip
def test_equal_on_the_care_set_and_never_worse(n, outputs, seed, care, k):
    function = threshold_function(n, outputs, seed, care)
    cone = Decompose().solve(function, k, 60)
    better = improve(cone, function, k=k, moves=800, seed=seed)
    assert mismatches(better, function) == 0
    assert better.problems(k) == []
    assert better.luts <= cone.luts
    assert better.depth <= cone.depth


def test_duplicated_logic_falls_away():
    # Two different spellings of parity, as nine LUTs of two inputs; LUT6s need one.
    builder = ConeBuilder(5)
    xor, xnor = 0b0110, 0b1001
    chain = 0
    for i in range(1, 5):
        chain = builder.lut([chain, i], xor if i % 2 else xnor)
    other = 4
    for i in reversed(range(4)):
        other = builder.lut([i, other], xor if i % 2 else xnor)
    both = builder.lut([chain, other], 0b1000)
    cone = builder.cone([both])
    table = np.array([[bin(i).count("1") % 2 == 1 for i in range(32)]])
    function = function_of(table, None)
    assert mismatches(cone, function) == 0
    better = improve(cone, function, moves=2000)
    assert cone.luts == 9
    assert better.luts == 1


def test_more_moves_find_smaller_networks_and_a_seed_fixes_the_result():
    function = threshold_function(9, 2, 4)
    cone = shannon(function)
    few = improve(cone, function, moves=50, seed=7)
    many = improve(cone, function, moves=8000, seed=7)
    assert many.luts < few.luts < cone.luts
    assert many == improve(cone, function, moves=8000, seed=7)
    assert many != improve(cone, function, moves=8000, seed=8)


def test_no_moves_change_nothing_and_patience_ends_early():
    function = threshold_function(8, 2, 2)
    start = shannon(function)
    assert improve(start, function, moves=0) == start
    some = improve(start, function, moves=1024, seed=5)
    assert some.luts < start.luts
    stuck = improve(some, function, moves=1 << 20, patience=512, seed=5)
    assert stuck.luts <= some.luts
    assert mismatches(stuck, function) == 0


def test_depth_limit_is_kept_and_an_impossible_one_refused():
    function = threshold_function(10, 3, 6)
    cone = Decompose().solve(function, 6, 60)
    deeper = improve(cone, function, depth=cone.depth + 2, moves=4000)
    assert deeper.depth <= cone.depth + 2
    assert deeper.luts <= cone.luts
    with pytest.raises(UsageError, match="within its limits"):
        improve(cone, function, depth=cone.depth - 1)
    with pytest.raises(UsageError, match="within its limits"):
        improve(cone, function, k=4)


def test_constant_and_empty_networks_pass_through():
    empty = Cone(3, (), (), (1,))
    identity = np.array([[bool(i & 2) for i in range(8)]])
    assert improve(empty, function_of(identity, None)) == empty
    builder = ConeBuilder(3)
    hidden = builder.lut([0, 1, 2], 0b11101000)
    cone = builder.cone([hidden])
    # Only one pattern counts: the output may become a constant.
    care = np.zeros(8, bool)
    care[7] = True
    constant = improve(cone, function_of(np.ones((1, 8), bool), care, "exact SDC"), moves=200)
    assert constant.luts == 0
    assert mismatches(constant, function_of(np.ones((1, 8), bool), care, "exact SDC")) == 0


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from([0, 1, 2]), min_size=32, max_size=32), st.integers(0, 5))
def test_two_tables_agrees_with_trying_every_inner_table(marks, seed):
    cells = np.array(marks, np.uint8)
    order = np.random.default_rng(seed).permutation(5).astype(np.int32)
    inner, outer = order[:3].copy(), order[3:].copy()
    tables = np.zeros(2, np.uint64)
    found = two_tables(cells, 5, inner, 3, outer, 2, tables)

    def bits(c, places):
        return sum(((c >> int(p)) & 1) << j for j, p in enumerate(places))

    def works(inner_table, outer_table=None):
        need: dict[int, int] = {}
        for c in range(32):
            if marks[c]:
                at = bits(c, outer) | ((inner_table >> bits(c, inner)) & 1) << 2
                want = int(marks[c] == ON)
                if outer_table is not None and (outer_table >> at) & 1 != want:
                    return False
                if need.setdefault(at, want) != want:
                    return False
        return True

    assert found == any(works(t) for t in range(256))
    if found:
        assert works(int(tables[0]), int(tables[1]))
    assert {ON, OFF} == {1, 2}


def test_polishing_keeps_the_promising_and_names_their_engine():
    function = threshold_function(9, 2, 3)
    start = [(f"seed{s}", Decompose("d", s).solve(function, 6, 60)) for s in range(4)]
    cost = OBJECTIVES["area"]
    out = polished(start, function, k=6, effort="normal", objective="area", cost=cost)
    assert len(out) == ROUNDS["normal"][-1][0]
    for name, cone in out:
        assert name.endswith("+resub")
        assert mismatches(cone, function) == 0
        before = dict(start)[name.removesuffix("+resub")]
        assert cone.luts <= before.luts
        assert cone.depth <= before.depth + SLACK["area"]


def test_budget_takes_the_best_so_far():
    function = threshold_function(9, 2, 8)
    spent = Unit(function, "f", 1).solve(SolveOptions(budget=1e-9))
    free = solve(function, SolveOptions())
    assert not spent.complete
    assert free.complete
    assert mismatches(spent.cone, function) == 0
    assert len(spent.attempts) < len(free.attempts)
    # What did not run is not on record as run.
    assert not any(a.engine.endswith("+resub") for a in spent.attempts)
