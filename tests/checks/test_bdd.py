"""Decision diagrams: equal numbers exactly for equal functions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnlogic.checks.bdd import FALSE, TRUE, Diagrams, TooLarge

N = 6
ROWS = np.arange(1 << N)


def from_table(diagrams, variables, values):
    return diagrams.lut(sum(int(v) << i for i, v in enumerate(values)), variables)


def bits_of(values, width):
    return [(values >> b & 1).astype(bool) for b in range(width)]


@settings(max_examples=50, deadline=None)
@given(st.integers(0, (1 << 64) - 1), st.integers(0, (1 << 64) - 1), st.permutations(range(N)))
def test_operations_are_those_of_tables(a, b, order):
    diagrams = Diagrams(10_000)
    made = {i: diagrams.variable() for i in order}
    variables = [made[i] for i in range(N)]
    left, right = diagrams.lut(a, variables), diagrams.lut(b, variables)
    assert (left == right) == (a == b)
    assert diagrams.both(left, right) == diagrams.lut(a & b, variables)
    assert diagrams.differ(left, right) == diagrams.lut(a ^ b, variables)
    assert diagrams.choose(left, right, FALSE) == diagrams.both(left, right)
    assert diagrams.choose(left, TRUE, right) == diagrams.lut(a | b, variables)


def test_comparisons_are_those_of_numbers():
    diagrams = Diagrams(10_000)
    variables = [diagrams.variable() for _ in range(N)]
    low, high = ROWS & 7, ROWS >> 3
    assert diagrams.greater(variables[3:], variables[:3]) == from_table(
        diagrams, variables, high > low
    )
    for t in (-1, 0, 1, 17, 32, 63, 64, 100):
        assert diagrams.at_least(variables, t) == from_table(diagrams, variables, t <= ROWS)
    for c in (0, 1, 13, 32, 63):
        expected = [from_table(diagrams, variables, v) for v in bits_of(ROWS + c & 63, N)]
        assert diagrams.plus(variables, c) == expected


def test_a_limit_is_an_error_not_a_wrong_answer():
    diagrams = Diagrams(40)
    variables = [diagrams.variable() for _ in range(20)]
    with pytest.raises(TooLarge, match="40 nodes"):
        diagrams.greater(variables[:10], variables[10:])
