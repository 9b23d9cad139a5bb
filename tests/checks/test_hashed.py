"""Equality by numbering functions: never where networks differ, and where they are the same."""

from __future__ import annotations

import numpy as np
import pytest

from nnlogic.checks.hashed import FALSE, TRUE, Hashed

LEAVES, NODES = 4, 6


def network(rng):
    """Return LUTs as (table, fan-ins), with constants and repeated inputs among these."""
    made = []
    for at in range(NODES):
        fanin = rng.integers(-2, LEAVES + at, rng.integers(1, 5)).tolist()
        made.append((int(rng.integers(0, 1 << (1 << len(fanin)))), fanin))
    return made


def evaluated(nodes):
    rows = [[index >> b & 1 for index in range(1 << LEAVES)] for b in range(LEAVES)]
    constants = {-1: [1] * (1 << LEAVES), -2: [0] * (1 << LEAVES)}
    for table, fanin in nodes:
        read = [constants[s] if s < 0 else rows[s] for s in fanin]
        at = [sum(bit << b for b, bit in enumerate(bits)) for bits in zip(*read, strict=True)]
        rows.append([table >> i & 1 for i in at])
    return rows[LEAVES:]


def literals(hashed, nodes):
    held = [hashed.leaf(i) for i in range(LEAVES)]
    for table, fanin in nodes:
        read = [(TRUE, FALSE)[-1 - s] if s < 0 else held[s] for s in fanin]
        held.append(hashed.node(table, read))
    return held[LEAVES:]


@pytest.mark.parametrize("seed", range(20))
def test_equal_literals_are_equal_functions(seed):
    rng = np.random.default_rng(seed)
    hashed, values = Hashed(), {}
    for _ in range(20):
        nodes = network(rng)
        for literal, row in zip(literals(hashed, nodes), evaluated(nodes), strict=True):
            row = [bit ^ (literal & 1) for bit in row]
            assert values.setdefault(literal >> 1, row) == row


def test_inputs_in_another_order_inverters_and_constants_are_the_same():
    hashed = Hashed()
    a, b, c = (hashed.leaf(i) for i in range(3))
    first = hashed.node(0b1000, [a, b])
    assert hashed.node(0b1000, [b, a]) == first
    assert hashed.node(0b0111, [a, b]) == first ^ 1
    assert hashed.node(0b0100, [a ^ 1, b]) == hashed.node(0b0010, [a, b ^ 1]) == first ^ 0
    assert hashed.node(0b1000_0000, [a, TRUE, b]) == first
    assert hashed.node(0b1000_0000, [a, b, a]) == first
    assert hashed.node(0b10, [c ^ 1]) == c ^ 1
    assert hashed.node(0b0110, [a, a]) == FALSE
    assert hashed.node(0b1001, [a, a]) == TRUE
    assert hashed.node(0b1110, [a, b]) not in (first, first ^ 1)


def test_any_bit_of_a_table_makes_another_function():
    hashed = Hashed()
    leaves = [hashed.leaf(i) for i in range(4)]
    right = hashed.node(0x6996, leaves)
    for bit in range(16):
        assert hashed.node(0x6996 ^ 1 << bit, leaves) >> 1 != right >> 1
