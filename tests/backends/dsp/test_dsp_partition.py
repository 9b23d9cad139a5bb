"""Sub-kernels: chains of parts equal to the whole, small enough, with little traffic."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnlogic.backends.dsp.model.machine import Machine
from nnlogic.backends.dsp.model.partition import compile_parts, partition
from nnlogic.backends.dsp.model.partition_kernel import best_cuts
from nnlogic.core.errors import TargetMissed
from tests.backends.dsp.dsp_graphs import all_codes, op_graph, op_graphs, random_graph


@given(op_graphs(), st.integers(1, 12))
@settings(max_examples=60, deadline=None)
def test_parts_in_a_chain_are_the_graph(graph, most):
    cut = partition(graph, most)
    codes = all_codes(graph)
    assert np.array_equal(cut.evaluate(codes), graph.evaluate(codes))
    assert sum(p.n_ops for p in cut.parts) == graph.n_ops
    for part in cut.parts:
        part.verify()
        assert 1 <= part.n_ops <= most


@given(st.lists(st.integers(0, 9), min_size=2, max_size=11), st.integers(1, 5))
@settings(max_examples=60, deadline=None)
def test_cuts_are_the_cheapest(alive, most):
    n = len(alive) - 1
    cuts = best_cuts(np.array(alive), most).tolist()

    def price(chosen):
        ends = [0, *chosen, n]
        if any(b - a > most or b <= a for a, b in pairwise(ends)):
            return None
        return sum(alive[c] + 1 for c in chosen)

    every = [
        price([c for c in range(1, n) if mask >> (c - 1) & 1]) for mask in range(1 << max(0, n - 1))
    ]
    assert price(cuts) == min(p for p in every if p is not None)


def test_a_narrow_waist_is_found():
    rows = [(6, i, i + 1) for i in range(8)]  # eight, then one signal, then eight again
    rows += [(6, 9 + i, 10 + i) for i in range(7)]
    while len(rows) < 22:
        rows.append((8, 9 + len(rows) - 1, 9 + len(rows) - 1))
    graph = op_graph(rows, inputs=(1,) * 9)
    assert partition(graph, 15).traffic <= partition(graph, 5).traffic


def test_programs_of_parts_fit_and_compute_the_whole():
    graph = random_graph(700, n_in=12, reach=60)
    machine = Machine(4, input_banks=2, output_slices=4, program_steps=64, bank_rows=256)
    cut, programs = compile_parts(graph, machine)
    assert len(programs) > 2
    assert max(p.steps for p in programs) <= 64
    words = np.random.default_rng(0).integers(0, 2**64, (12, 2), dtype=np.uint64)
    got = cut.run_words([p.evaluate_words for p in programs], words)
    assert np.array_equal(got, graph.evaluate_words(words))
    assert cut.traffic > 0


def test_one_part_has_no_traffic():
    graph = random_graph(50)
    cut, [program] = compile_parts(graph, Machine(4, output_slices=4))
    assert cut.traffic == 0
    assert program.n_ops == 50


def test_a_memory_no_part_fits_is_refused():
    graph = op_graph([(8, 0, 1), (6, 2, 3)], inputs=(1,) * 4)
    with pytest.raises(TargetMissed, match="the data memory is too small"):
        compile_parts(graph, Machine(1, bank_rows=2))
