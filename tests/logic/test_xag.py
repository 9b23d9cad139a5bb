"""XOR-AND graphs: equal functions, few ANDs."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from logic_nets import cones

from nnlogic.logic.cone import Cone, input_patterns, table_bits
from nnlogic.logic.network.tidy import tidied
from nnlogic.logic.xag import Xag, fewest_ands
from nnlogic.logic.xag.build import _lut, ands
from nnlogic.logic.xag.costs import small_costs, split
from nnlogic.logic.xag.graph import AND, INV, XOR


def evaluated(graph, outputs, values):
    rows = list(values)
    for kind, reads in graph.gates:
        a, b = rows[reads[0]], rows[reads[-1]]
        rows.append({XOR: a ^ b, AND: a & b, INV: ~a}[kind])
    return np.array([rows[s] for s in outputs])


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 6])
def test_tables_become_graphs_of_at_most_the_counted_ands(n):
    rng = np.random.default_rng(n)
    for _ in range(40):
        table = int(rng.integers(0, 2**64, dtype=np.uint64)) & ((1 << (1 << n)) - 1)
        graph = Xag(n)
        out = _lut(graph, table, list(range(n)))
        got = evaluated(graph, [out], input_patterns(n))
        assert (got[0] == table_bits(table, n).astype(bool)).all()
        assert ands(graph, (out,)) <= split(np.uint64(table), n, small_costs())[0]


def test_counts_of_four_inputs():
    costs = small_costs()
    assert costs.max() <= 4
    assert (costs == 0).sum() == 32  # the affine functions
    assert (costs == 1).sum() == 1120  # as published for one AND (Zajac and Jokay, 2014)


@settings(max_examples=15, deadline=None)
@given(cone=cones())
def test_networks_become_equal_graphs(cone):
    assume(cone.n_inputs)
    graph, outputs = fewest_ands(tidied(cone))
    values = input_patterns(cone.n_inputs)
    assert (evaluated(graph, outputs, values) == cone.evaluate(values)).all()


def test_complements_and_shared_forms_are_one_and():
    graph = Xag(3)
    a, b = 0, 1
    both = graph.both(a, b)
    for x, y in ((graph.inverted(a), b), (a, graph.inverted(b)), (b, a)):
        graph.both(x, y)
    graph.both(graph.inverted(a), graph.inverted(b))
    assert sum(kind == AND for kind, _ in graph.gates) == 1
    assert graph.both(a, a) == a
    assert graph.forms[graph.both(a, graph.inverted(a))] == 0
    values = input_patterns(3)
    out = graph.both(a, graph.inverted(graph.xor(a, b)))
    assert out == both
    assert (evaluated(graph, [out], values)[0] == (values[0] & values[1])).all()


def test_an_adder_needs_one_and_a_bit():
    fanins, tables, carry, sums = [], [], None, []
    for bit in range(4):
        row = (bit, bit + 4) if carry is None else (bit, bit + 4, carry)
        for table in (0x6, 0x8) if carry is None else (0x96, 0xE8):
            fanins.append(row)
            tables.append(table)
        sums.append(8 + len(tables) - 2)
        carry = 8 + len(tables) - 1
    cone = Cone(8, tuple(fanins), tuple(tables), (*sums, carry))
    assert ands(*fewest_ands(cone)) == 4
