"""`simplify`: the same outputs on every input, with less."""

import numpy as np
import pytest
from helpers_tables import cared, outputs_on_every_input, random_net, reachable
from hypothesis import given, settings
from hypothesis import strategies as st

from nnlogic.core import bits
from nnlogic.core.formats import IntFormat, LayerInfo, Port
from nnlogic.tables.ir import Function, Instance, TableNet
from nnlogic.tables.passes import simplify
from nnlogic.tables.passes.drop_unneeded import drop_unneeded_inputs, share_equal_bits


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 4), st.integers(2, 4))
def test_outputs_stay_and_nothing_grows(seed, ports, layers):
    net = random_net(seed, ports, layers)
    small, records = simplify(net, effort="fast")
    small.verify()
    assert np.array_equal(outputs_on_every_input(small), outputs_on_every_input(net))
    assert small.stats()["tables"] <= net.stats()["tables"]
    assert cared(small) == reachable(small)
    assert any("enumerated" in record.name for record in records)


def two_layers(rows: list[list[bool]], pins: list[tuple[int, ...]], outputs: tuple[int, ...]):
    """A net of 2 input bits with one-bit tables, given by rows."""
    functions = tuple(
        Function(len(p), bits.pack(np.array([r]))) for r, p in zip(rows, pins, strict=True)
    )
    blocks = tuple(Instance(i, p, (2 + i,), f"fc/neuron{i}", 0) for i, p in enumerate(pins))
    net = TableNet(
        "two",
        (Port("a", IntFormat(1)), Port("b", IntFormat(1))),
        tuple(Port(f"y{i}", IntFormat(1)) for i in range(len(outputs))),
        functions,
        blocks,
        outputs,
        (LayerInfo("fc"),),
    )
    net.verify()
    return net


AND, OR, XOR = [False, False, False, True], [False, True, True, True], [False, True, True, False]


def test_impossible_inputs_free_the_reader():
    # AND implies OR, so XOR of the two is "OR and not AND": three of four inputs occur.
    net = two_layers([AND, OR, XOR], [(0, 1), (0, 1), (2, 3)], (4,))
    small, _ = simplify(net)
    reader = small.blocks[-1]
    assert cared(small)[reader.origin] == {0, 2, 3}


def test_equal_bits_are_computed_once():
    net = two_layers([AND, AND, OR], [(0, 1), (1, 0), (2, 3)], (4,))
    small = share_equal_bits(net)
    small, _ = simplify(small)
    assert len(small.blocks) == 1  # the OR of a bit with itself is that bit
    assert np.array_equal(outputs_on_every_input(small), outputs_on_every_input(net))


def test_a_bit_that_repeats_an_input_is_that_input():
    net = two_layers([[False, True], AND], [(0,), (2, 1)], (3,))
    small, _ = simplify(net)
    assert [b.inputs for b in small.blocks] == [(0, 1)]


def test_unread_tables_and_redundant_inputs_go():
    keep_b = [False, False, True, True]
    net = two_layers([AND, OR, keep_b], [(0, 1), (0, 1), (2, 3)], (4,))
    small = drop_unneeded_inputs(net)
    assert len(small.blocks) == 2
    assert all(len(b.inputs) <= 2 for b in small.blocks)


def test_a_constant_output_stays_a_port():
    net = two_layers([[False] * 4], [(0, 1)], (2,))
    small, _ = simplify(net)
    assert small.blocks[0].inputs == ()
    assert not outputs_on_every_input(small).any()


@pytest.mark.parametrize("justification", ["observed data", "exact ODC"])
def test_other_care_sets_are_left_alone(justification):
    net = two_layers([AND, OR], [(0, 1), (2, 1)], (3,))
    care = bits.pack(np.array([True, True, False, True]))
    partial = Function(2, net.functions[1].bits & care, care, justification)
    net = TableNet(
        net.name, net.inputs, net.outputs, (net.functions[0], partial), net.blocks,
        net.output_signals, net.layers,
    )  # fmt: skip
    same, records = simplify(net)
    assert same is net
    assert records == ()
