"""Truth tables, BLIF, evaluation, files and printed form of LogicNet."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from logic_nets import cones, naive, net_of

from nnlogic.core import bits
from nnlogic.core.archive import write_archive
from nnlogic.core.errors import CheckpointError, InputError, IRError
from nnlogic.logic import truth
from nnlogic.logic.abc_blif import read_blif, write_blif
from nnlogic.logic.cone import Cone, input_patterns
from nnlogic.logic.ir import LogicNet


@given(st.integers(1, 5).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, truth.full(n)))))
def test_table_operations_follow_their_definition(case):
    n, table = case
    for var in range(n):
        low, high = truth.cofactor(table, n, var, 0), truth.cofactor(table, n, var, 1)
        assert truth.depends(table, n, var) == (low != high)
        flipped = truth.complement_input(table, n, var)
        for index in range(1 << n):
            value = (table >> index) & 1
            short = (index >> (var + 1) << var) | (index & ((1 << var) - 1))
            assert ((high if (index >> var) & 1 else low) >> short) & 1 == value
            assert (flipped >> (index ^ (1 << var))) & 1 == value


@given(st.integers(0, 255), st.permutations(range(3)))
def test_permuted_reads_inputs_in_the_new_order(table, order):
    new = truth.permuted(table, order)
    for index in range(8):
        old = sum(((index >> i) & 1) << order[i] for i in range(3))
        assert (new >> index) & 1 == (table >> old) & 1


@given(st.integers(0, 2**16 - 1), st.lists(st.integers(0, 2), min_size=4, max_size=4))
def test_simplified_keeps_the_function_and_drops_idle_inputs(table, fanins):
    got, inputs = truth.simplified(table, fanins)
    assert len(set(inputs)) == len(inputs)
    assert all(truth.depends(got, len(inputs), i) for i in range(len(inputs)))
    for values in range(8):
        old = sum(((values >> s) & 1) << i for i, s in enumerate(fanins))
        new = sum(((values >> s) & 1) << i for i, s in enumerate(inputs))
        assert (table >> old) & 1 == (got >> new) & 1


@given(cones())
def test_blif_round_trip(cone):
    back = read_blif(write_blif(cone))
    assert back.n_inputs == cone.n_inputs
    assert np.array_equal(naive(back), naive(cone))


def test_blif_with_strange_names_continuations_and_off_sets():
    text = """# written by hand
.model strange.model
.inputs a[0] \\
   b/c
.outputs out<1> one zero
.names $n1 b/c out<1>
0- 0
-0 0
.names a[0] $n1
1 1
.names one
1
.names zero
.end
.names ignored
"""
    cone = read_blif(text)
    a, b = input_patterns(2)
    assert np.array_equal(cone.evaluate(input_patterns(2)), [a & b, a | True, a & False])


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (".names a b\n2 1", "malformed cube"),
        (".names a b\n11 1", "malformed cube"),
        (".names a b\n1 1\n0 0", "both phases"),
        (".names c b\n1 1", "no driver"),
        (".names b b\n1 1", "cycle"),
        (".names a b\n1 1\n.names a b\n1 1", "defined twice"),
        (".latch a b 0", "not a combinational"),
        ("1 1", "outside any node"),
        ("", "output has no driver"),
    ],
)
def test_blif_that_is_wrong_is_refused(body, why):
    with pytest.raises(IRError, match=why):
        read_blif(f".model m\n.inputs a\n.outputs b\n{body}\n.end\n")


@settings(deadline=None)
@given(cones(), st.integers(2, 6))
def test_evaluation_equals_one_sample_at_a_time(cone, extra):
    net = net_of(cone)
    words = bits.index_words(cone.n_inputs)
    size = 1 << cone.n_inputs
    assert np.array_equal(bits.unpack(net.evaluate_words(words), size), naive(cone))
    assert np.array_equal(cone.evaluate(input_patterns(cone.n_inputs)), naive(cone))
    trace = net.trace_words(words)
    assert np.array_equal(bits.unpack(trace[list(net.output_signals)], size), naive(cone))
    repeated = np.tile(words, (1, 100 * extra))
    assert np.array_equal(
        net.evaluate_words(repeated), np.tile(net.evaluate_words(words), (1, 100 * extra))
    )


def test_evaluation_refuses_the_wrong_number_of_rows():
    net = net_of(Cone(2, ((0, 1),), (0b1000,), (2,)))
    with pytest.raises(InputError, match=r"got shape \(3, 1\), need \(2, words\)"):
        net.evaluate_words(np.zeros((3, 1), np.uint64))


def test_evaluation_works_where_nothing_can_be_cached(tmp_path):
    import os
    import subprocess
    import sys

    code = (
        "import numba.core.caching as c\n"
        "c.CacheImpl._locator_classes = []\n"
        "from logic_nets import net_of\n"
        "from nnlogic.logic.cone import Cone\n"
        "import numpy as np\n"
        "net = net_of(Cone(2, ((0, 1),), (8,), (2,)))\n"
        "assert net.evaluate_words(np.array([[12], [10]], np.uint64))[0, 0] == 8\n"
    )
    env = {**os.environ, "PYTHONPATH": os.path.dirname(__file__)}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@given(cones())
def test_store_round_trip(tmp_path_factory, cone):
    path = tmp_path_factory.mktemp("logic") / "net.nnl"
    net = net_of(cone)
    net.save(path)
    back = LogicNet.load(path)
    assert back.text() == net.text()
    assert np.array_equal(back.fanins, net.fanins)
    assert np.array_equal(back.tables, net.tables)
    assert back.output_signals == net.output_signals


def test_incomplete_file_is_one_clear_error(tmp_path):
    path = tmp_path / "net.nnl"
    write_archive(path, "LogicNet", 1, {"name": "net"}, {"tables": np.zeros(1, np.uint64)})
    with pytest.raises(CheckpointError, match="LogicNet file is incomplete"):
        LogicNet.load(path)


GOLDEN = """
LogicNet net k=6 luts=2 depth=3
  input a0:u1
  input a1:u1
  input a2:u1
  network fc
    n0 = 6(a0[0], a1[0])  fc/neuron0
    n1 = e8(a0[0], a2[0], n0)  fc/neuron0
    n2 = 1(n1)  fc/neuron0
    n3 = 1()  fc/neuron0
  output z0:u1 = n2
  output z1:u1 = a1[0]
  output z2:u1 = n3
"""


def test_printed_form():
    cone = Cone(3, ((0, 1), (0, 2, 3), (4,), ()), (0x6, 0xE8, 0x1, 0x1), (5, 1, 6))
    assert net_of(cone).text().strip() == GOLDEN.strip()
