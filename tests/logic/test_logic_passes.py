"""Clean-up passes keep the function, the exact value of cut signals, and find what they should."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from logic_nets import cones, naive, net_of

from nnlogic.core import bits
from nnlogic.core.errors import Different, IRError
from nnlogic.core.passes import run_passes
from nnlogic.logic.build import PASSES
from nnlogic.logic.cone import Cone
from nnlogic.logic.passes.absorb_inverters import absorb_inverters
from nnlogic.logic.passes.merge_equal import merge_equal
from nnlogic.logic.passes.propagate_constants import propagate_constants
from nnlogic.logic.passes.remove_dead import remove_dead
from nnlogic.logic.rewrite import GONE

ALL = (absorb_inverters, merge_equal, propagate_constants, remove_dead)


def all_values(cone):
    every = tuple(range(cone.n_inputs + cone.n_nodes))
    return naive(Cone(cone.n_inputs, cone.fanins, cone.tables, every))


@pytest.mark.parametrize("rewrite", ALL)
@given(cone=cones(max_nodes=16), data=st.data())
def test_pass_keeps_outputs_and_says_truly_where_signals_went(rewrite, cone, data):
    signals = range(cone.n_inputs + cone.n_nodes)
    protected = data.draw(st.frozensets(st.sampled_from(signals)))
    done = rewrite(cone, protected)
    assert done.cone.problems(6) == []
    assert np.array_equal(naive(done.cone), naive(cone))
    old, new = all_values(cone), all_values(done.cone)
    for before, after in enumerate(done.signals):
        if after != GONE:
            assert np.array_equal(old[before], new[after])
    assert len(done.sources) == done.cone.n_nodes
    assert done.cone.n_nodes <= cone.n_nodes


def test_constants_and_buffers_are_folded():
    cone = Cone(2, ((), (0, 2), (3,), (4, 1)), (1, 0b1000, 0b10, 0b0110), (5,))
    assert propagate_constants(cone).cone == Cone(2, ((0, 1),), (0b0110,), (2,))


def test_equal_nodes_merge_whatever_the_order_of_inputs():
    cone = Cone(2, ((0, 1), (1, 0), (2, 3)), (0b0010, 0b0100, 0b0110), (4, 2, 3))
    done = merge_equal(cone)
    assert done.cone.n_nodes == 2
    assert done.cone.outputs[1] == done.cone.outputs[2]


def test_inverter_moves_into_readers_and_drivers():
    # y = NOT(a AND b); z = y AND a
    cone = Cone(2, ((0, 1), (2,), (3, 0)), (0b1000, 0b01, 0b1000), (3, 4))
    done = absorb_inverters(cone)
    assert done.cone.luts == 2
    assert 0b01 in done.cone.tables
    alone = absorb_inverters(Cone(2, ((0, 1), (2,)), (0b1000, 0b01), (3,)))
    assert alone.cone == Cone(2, ((0, 1),), (0b0111,), (2,))
    assert alone.signals == (0, 1, GONE, 2)
    assert alone.sources == (1,)


def test_protected_inverter_stays():
    cone = Cone(1, ((0,), (1, 0)), (0b01, 0b1000), (2,))
    assert absorb_inverters(cone, frozenset({1})).signals[1] == 1
    assert absorb_inverters(cone).signals[1] == GONE


@given(cones(max_nodes=16))
def test_passes_on_a_logic_net(cone):
    net = net_of(cone)
    probe = bits.random_codes(net.inputs, 64) if net.inputs else np.zeros((64, 0), np.int64)
    if not net.inputs:
        return
    done, records = run_passes(net, PASSES, probe=probe)
    assert np.array_equal(done.evaluate(probe), net.evaluate(probe))
    assert [r.name for r in records] == [name for name, _ in PASSES]
    assert records[0].before == net.stats()
    assert records[-1].after == done.stats()


def test_driver_refuses_a_pass_that_changes_the_function():
    net = net_of(Cone(2, ((0, 1),), (0b1000,), (2,)))
    wrong = net_of(Cone(2, ((0, 1),), (0b1110,), (2,)))
    probe = bits.random_codes(net.inputs, 64)
    with pytest.raises(Different, match="pass break it changed the network"):
        run_passes(net, [("break it", lambda _: wrong)], probe=probe)


def test_driver_refuses_a_pass_that_breaks_the_rules():
    from dataclasses import replace

    net = net_of(Cone(2, ((0, 1),), (0b1000,), (2,)))
    probe = bits.random_codes(net.inputs, 64)
    with pytest.raises(IRError, match="bits beyond its table"):
        run_passes(
            net,
            [("spoil", lambda n: replace(n, tables=np.array([0x18], np.uint64)))],
            probe=probe,
        )
