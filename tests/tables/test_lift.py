"""Tables and logic as a network that gives the same."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from helpers_tables import random_net
from hypothesis import given, settings
from hypothesis import strategies as st

from nnlogic.checks import check
from nnlogic.core import bits
from nnlogic.core.errors import UnsupportedModel
from nnlogic.core.formats import IntFormat, LayerInfo, Port
from nnlogic.logic.build import minimize
from nnlogic.logic.lift import tabled
from nnlogic.tables.ir import Function, Instance, Sum, TableNet, Threshold, Word
from nnlogic.tables.lift import lift
from nnlogic.tables.passes import simplify


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.booleans())
def test_tables_and_their_network_are_equal(seed, simple):
    tables = random_net(seed)
    if simple:
        tables = simplify(tables)[0]
    net, named = lift(tables)
    rows = bits.random_codes(tables.inputs, 1000, seed)
    assert (net.evaluate(rows) == tables.evaluate(rows)).all()
    assert (named.evaluate(rows) == tables.evaluate(rows)).all()
    verdict = check(net, named)
    assert verdict.equal
    assert verdict.how in ("proved", "exhaustive")


def test_logic_and_its_network_are_equal():
    tables = random_net(3)
    logic = minimize(tables, effort="fast", cache_dir=False)
    nodes = tabled(logic)
    rows = bits.random_codes(logic.inputs, 1000)
    assert (nodes.evaluate(rows) == logic.evaluate(rows)).all()
    net, named = lift(nodes)
    assert (net.evaluate(rows) == logic.evaluate(rows)).all()
    assert check(net, named).how == "proved"
    assert net.inputs == logic.inputs
    assert net.outputs == logic.outputs


def by_bits(block, result, port):
    """A network of one arithmetic block, whose words are bits of several inputs, out of order."""
    inputs = (Port("a", IntFormat(3)), Port("b", IntFormat(3, signed=True)))
    return TableNet(
        "bits", inputs, (Port("y", port),), (), (block(result),), result.signals,
        (LayerInfo("fc"),),
    )  # fmt: skip


@pytest.mark.parametrize("signed", [False, True])
def test_words_of_scattered_bits(signed):
    words = (Word((4, 0, 2), signed), Word((1, 3)), Word((3, 4, 5), True), Word((5,), signed))
    total = by_bits(
        lambda result: Sum(words, (3, -2, 1, 5), -4, result, "fc/neuron0", 0),
        Word(tuple(range(6, 13)), True), IntFormat(7, True),
    )  # fmt: skip
    levels = by_bits(
        lambda result: Threshold(words, (3, -2, 1, 5), 0, (-3, 1, 4), result, "fc/neuron0", 0),
        Word((6, 7)), IntFormat(2),
    )  # fmt: skip
    rows = np.stack(np.meshgrid(np.arange(8), np.arange(-4, 4)), -1).reshape(-1, 2)
    for tables in (total, levels):
        net, named = lift(tables)
        assert (net.evaluate(rows) == tables.evaluate(rows)).all()
        assert check(net, named).how == "proved"


def test_inputs_that_leave_as_they_are_and_constants():
    function = Function(0, np.array([[1]], np.uint64))
    tables = TableNet(
        "wires", (Port("a", IntFormat(2)),), (Port("y", IntFormat(2)), Port("c", IntFormat(1))),
        (function,), (Instance(0, (), (2,), "fc/neuron0", 0),), (0, 1, 2), (LayerInfo("fc"),),
    )  # fmt: skip
    net, _ = lift(tables)
    assert net.evaluate(np.array([[0], [3]])).tolist() == [[0, 1], [3, 1]]


def test_a_fault_in_the_tables_is_found():
    tables = random_net(5)
    net, named = lift(tables)
    for place, function in enumerate(named.functions):
        flipped = function.bits ^ np.uint64(1)
        functions = list(named.functions)
        functions[place] = replace(function, bits=flipped)
        faulty = replace(named, functions=tuple(functions))
        rows = bits.random_codes(tables.inputs, 4096)
        if (faulty.evaluate(rows) != tables.evaluate(rows)).any():
            assert not check(net, faulty).equal
            return
    raise AssertionError("no fault was observable")


def test_observed_dont_cares_are_refused():
    tables = random_net(1)
    first = tables.functions[0]
    care = bits.pack(np.arange(1 << first.n_inputs)[None] > 0)[0]
    free = replace(first, bits=first.bits & care, care=care, justification="observed data")
    with pytest.raises(UnsupportedModel, match="never showed"):
        lift(replace(tables, functions=(free, *tables.functions[1:])))


def test_bits_of_a_word_too_wide_are_refused():
    function = Function(1, np.array([[2]], np.uint64))
    tables = TableNet(
        "wide", (Port("a", IntFormat(20)),), (Port("y", IntFormat(1)),), (function,),
        (Instance(0, (7,), (20,), "fc/neuron0", 0),), (20,), (LayerInfo("fc"),),
    )  # fmt: skip
    with pytest.raises(UnsupportedModel, match="bit 7 of 20"):
        lift(tables)
