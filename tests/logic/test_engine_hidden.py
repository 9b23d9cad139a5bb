"""Engines that undo what hides a simple structure: a linear map, a count of ones, logarithms."""

from __future__ import annotations

import numpy as np
import pytest

from nnlogic.core.errors import ToolFailed
from nnlogic.logic.cone import function_of, input_patterns, mismatches
from nnlogic.logic.engines.basis import Basis, simplest_basis
from nnlogic.logic.engines.counted import Counted
from nnlogic.logic.engines.cyclic import Cyclic, found_group
from nnlogic.logic.engines.decompose import Decompose
from nnlogic.logic.portfolio import HIDDEN_ENGINES, SolveOptions, solve

BASIS, CYCLIC = Basis("basis", (Decompose(),)), Cyclic("cyclic", (Decompose(),))


def function(values, outputs):
    return function_of((np.asarray(values) >> np.arange(outputs)[:, None]) & 1 == 1, None)


def random_function(n, outputs):
    return function(np.random.default_rng(0).integers(0, 1 << outputs, 1 << n), outputs)


def hidden_by_a_map(n=9, outputs=5):
    """Small functions, each output the sum of several."""
    rng = np.random.default_rng(1)
    bits = input_patterns(n)
    simple = np.array([bits[i] & bits[i + 1] ^ bits[i + 2] for i in range(outputs)])
    mixed = simple.copy()
    for i in range(outputs):
        for j in np.flatnonzero(rng.random(outputs) < 0.6):
            if j != i:
                mixed[i] ^= mixed[j]  # one elementary step after the other: invertible
    return simple, mixed


def product(a, b):
    """Product in the field of 16 elements, modulo x^4 + x + 1."""
    out = 0
    for bit in range(4):
        out ^= (b >> bit & 1) * a << bit
    for bit in (6, 5, 4):
        out ^= (out >> bit & 1) * 0b10011 << (bit - 4)
    return out


@pytest.mark.parametrize("engine", HIDDEN_ENGINES, ids=lambda engine: engine.name)
def test_refuses_what_has_no_such_structure(engine):
    table = random_function(10, 5)
    assert engine.applicable(table, 6, "normal")
    with pytest.raises(ToolFailed):
        engine.solve(table, 6, 60)
    assert not engine.applicable(table, 6, "fast")


def test_a_linear_map_is_undone():
    simple, mixed = hidden_by_a_map()
    masks, terms = simplest_basis(mixed)
    assert terms == 2 * len(simple)
    sums = [np.bitwise_xor.reduce(mixed[(mask >> np.arange(5)) & 1 == 1]) for mask in masks]
    assert {row.tobytes() for row in sums} == {row.tobytes() for row in simple}


@pytest.mark.parametrize("k", [4, 6])
def test_outputs_are_parities_of_the_basis(k):
    _, mixed = hidden_by_a_map()
    table = function_of(mixed, None)
    cone = BASIS.solve(table, k, 60)
    assert mismatches(cone, table) == 0
    assert not cone.problems(k)
    assert cone.luts <= 10


def test_dependent_outputs_have_a_basis_of_as_many_functions():
    bits = input_patterns(6)
    rows = [bits[0], bits[1] & bits[2], bits[0] ^ (bits[1] & bits[2]), bits[3] & bits[4] & bits[5]]
    table = function_of(np.array(rows), None)
    masks, _ = simplest_basis(table.table())
    assert len(masks) == 4
    assert mismatches(BASIS.solve(table, 4, 60), table) == 0


@pytest.mark.parametrize("n", [8, 9])
def test_rotation_by_the_number_of_ones(n):
    index = np.arange(1 << n)
    ones = np.array([int(i).bit_count() % n for i in index])
    table = function(((index << ones) | (index >> (n - ones))) & ((1 << n) - 1), n)
    cone = Counted().solve(table, 6, 60)
    assert mismatches(cone, table) == 0
    assert not cone.problems(6)
    assert cone.luts <= 3 * n


@pytest.mark.parametrize(
    ("name", "half", "outputs", "operation", "order"),
    [
        ("modulo 11", 4, 4, lambda a, b: a * b % 11, 10),
        ("modulo 17, some of it", 5, 5, lambda a, b: a * b % 17, 16),
        ("field of 16", 4, 4, product, 15),
        ("sums modulo 13", 4, 4, lambda a, b: (a + b) % 13, 13),
    ],
)
def test_operations_with_logarithms(name, half, outputs, operation, order):
    size = 1 << half
    values = np.array([[operation(a, b) for a in range(size)] for b in range(size)])
    assert found_group(values).order == order
    table = function(values.ravel(), outputs)
    cone = CYCLIC.solve(table, 6, 60)
    assert mismatches(cone, table) == 0
    assert not cone.problems(6)


def test_one_changed_entry_is_no_group():
    values = np.array([[a * b % 11 for a in range(11)] for b in range(11)])
    assert found_group(values).order == 10
    values[3, 4] += 1
    assert found_group(values) is None


def test_what_is_counted_is_improved_though_others_cost_less_before():
    # Improved, it has 10 LUTs; what costs least before stays at 12.
    ones = input_patterns(14).sum(axis=0)
    solution = solve(function(ones, 4), SolveOptions(effort="normal", objective="area", k=6))
    assert solution.cone.luts == 10
    assert solution.engine.startswith("counted")
