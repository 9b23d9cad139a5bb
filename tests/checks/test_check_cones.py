"""TableNet against LogicNet, and reference circuits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hand_nets import make_quant, map_by_hand
from hypothesis import given, settings
from hypothesis import strategies as st

from nnlogic.checks import check, cones
from nnlogic.checks.cones import prove_cones
from nnlogic.checks.gates import Gates, add_function
from nnlogic.checks.whole import prove_whole
from nnlogic.core import bits
from nnlogic.core.formats import IntFormat, LayerInfo, Port
from nnlogic.tables.build import tabulate
from nnlogic.tables.ir import ArgmaxBlock, Function, Instance, Sum, TableNet, Threshold, Word
from nnlogic.tools.abc import prove_equal


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([3, 14]))
def test_hand_mapped_networks_are_proved(seed, limit):
    tables = tabulate(make_quant(seed), limit=limit, arith="auto")
    verdict = check(tables, map_by_hand(tables))
    assert verdict.equal
    assert verdict.how == "proved"


def test_detail_says_how(tables, logic):
    verdict = check(tables, logic)
    assert "9 cones" in verdict.detail
    assert "exhaustive on the care set (exact SDC)" in verdict.detail


def flipped(logic, node, index):
    tables = np.array(logic.tables)
    tables[node] ^= np.uint64(1) << np.uint64(index)
    return replace(logic, tables=tables)


def test_flips_are_found_exactly_when_an_input_shows_them(quant, tables, logic):
    every = np.stack(np.meshgrid(*[np.arange(4)] * 4), axis=-1).reshape(-1, 4)
    good = quant.evaluate(every)
    seen = set()
    for node in range(0, logic.n_nodes, 11):
        for index in range(0, 1 << int(logic.fan_in_counts[node]), 3):
            bad = flipped(logic, node, index)
            shows = bool((bad.evaluate(every) != good).any())
            verdict = check(tables, bad, samples=8)
            assert verdict.equal != shows
            seen.add(shows)
    assert seen == {True, False}


def test_a_difference_names_the_neuron(tables, logic):
    node = logic.origins.index("fc1/neuron0/bit0")
    verdict = check(tables, flipped(logic, node, 0))
    verdict = verdict if not verdict.equal else check(tables, flipped(logic, node, 1))
    assert not verdict.equal
    assert verdict.how == "exhaustive"
    assert verdict.where.startswith("fc1/neuron0")


def test_without_cuts_the_whole_network_is_proved(tables, logic):
    bare = replace(logic, cuts=np.zeros(0, np.int32))
    verdict = check(tables, bare)
    assert (verdict.equal, verdict.how) == (True, "proved")
    assert "whole network by SAT" in verdict.detail
    node = logic.origins.index("class/neuron0/bit0")
    inverted = replace(
        bare,
        tables=bare.tables ^ (np.arange(logic.n_nodes) == node).astype(np.uint64) * np.uint64(255),
    )
    assert not prove_whole(tables, inverted)[0]
    assert not check(tables, inverted).equal


def test_wrong_cuts_do_not_mislead(tables, logic):
    swapped = np.array(logic.cuts)
    a = tables.n_inputs
    swapped[[a, a + 1]] = swapped[[a + 1, a]]
    proof = prove_cones(tables, replace(logic, cuts=swapped))
    assert proof.difference or proof.gap
    verdict = check(tables, replace(logic, cuts=swapped))
    assert verdict.equal
    assert "whole network by SAT" in verdict.detail


def test_a_cut_that_is_missing_where_it_matters_is_a_gap(tables, logic):
    cuts = np.array(logic.cuts)
    cuts[tables.n_inputs] = -1
    assert "beyond" in prove_cones(tables, replace(logic, cuts=cuts)).gap


def test_observed_care_sets_are_never_called_exact(tables, logic):
    functions = tuple(
        f if f.care is None else replace(f, justification="observed data") for f in tables.functions
    )
    proof = prove_cones(replace(tables, functions=functions), logic)
    assert "observed data" in proof.gap


def single(block, widths, signed):
    """Return a network of one arithmetic block."""
    ports = tuple(
        Port(f"p{i}", IntFormat(w, s)) for i, (w, s) in enumerate(zip(widths, signed, strict=True))
    )
    out = Port("y", block.result.format)
    layers = (LayerInfo("a", "output"),)
    return TableNet("one", ports, (out,), (), (block,), block.result.signals, layers)


@st.composite
def arithmetic(draw):
    count = draw(st.integers(1, 3))
    widths = [draw(st.integers(1, 3)) for _ in range(count)]
    signed = [draw(st.booleans()) for _ in range(count)]
    words, at = [], 0
    for w, s in zip(widths, signed, strict=True):
        words.append(Word(tuple(range(at, at + w)), s))
        at += w
    kind = draw(st.sampled_from(["sum", "threshold", "argmax"]))
    if kind == "argmax":
        result = Word((at, at + 1))
        return single(ArgmaxBlock(tuple(words), result, "a", 0), widths, signed)
    weights = tuple(draw(st.integers(-5, 5)) for _ in range(count))
    bias = draw(st.integers(-9, 9))
    if kind == "sum":
        result = Word(tuple(range(at, at + 8)), True)
        return single(Sum(tuple(words), weights, bias, result, "a", 0), widths, signed)
    levels = tuple(sorted(draw(st.lists(st.integers(-20, 20), min_size=1, max_size=3))))
    result = Word((at, at + 1))
    return single(Threshold(tuple(words), weights, bias, levels, result, "a", 0), widths, signed)


@settings(max_examples=25, deadline=None)
@given(arithmetic())
def test_reference_circuits_equal_the_numbers(net):
    logic = map_by_hand(net)
    assert prove_whole(net, logic)[0]
    assert check(net, logic).how == "proved"


def test_wide_arithmetic_is_proved_by_certificate(tables, logic, monkeypatch):
    monkeypatch.setattr(cones, "WIDEST", 5)
    argmax_only = replace(
        tables, blocks=tuple(b for b in tables.blocks if not isinstance(b, Instance))
    )
    proof = prove_cones(argmax_only, replace(logic, cuts=logic.cuts))
    assert proof.gap == "no cut points"
    proof = prove_cones(tables, logic)
    assert proof.by_certificate > 0
    node = logic.origins.index("class/neuron0/bit1")
    bad = prove_cones(tables, flipped(logic, node, 0))
    assert bad.difference is not None
    assert bad.difference[0] == "class"


def test_unused_input_without_a_cut_is_no_gap():
    """A bit that is constant, or does not matter, may vanish from the logic."""
    ports = (Port("a", IntFormat(2)),)
    one = Function(2, bits.pack(np.array([[1, 1, 1, 1], [0, 1, 0, 1]], bool)))
    care = bits.pack(np.array([0, 1, 0, 1], bool))
    two = Function(2, bits.pack(np.array([[0, 1, 0, 0]], bool)), care, "exact SDC")
    blocks = (
        Instance(0, (0, 1), (2, 3), "l/neuron0", 0),
        Instance(1, (2, 3), (4,), "m/neuron0", 1),
    )
    out = (Port("y", IntFormat(1)),)
    net = TableNet("n", ports, out, (one, two), blocks, (4,), (LayerInfo("l"), LayerInfo("m")))
    net.verify()
    logic = replace(
        map_by_hand(net),
        fanins=np.array([[3, -1, -1, -1]], np.int32)[:0],
        tables=np.zeros(0, np.uint64),
        output_signals=(0,),
        origins=(),
        node_layers=np.zeros(0, np.int32),
        cuts=np.array([0, 1, -1, 0, -1], np.int32),
    )
    assert "output bit 0" in prove_cones(net, logic).gap
    inverter = replace(
        logic,
        fanins=np.array([[0, -1, -1, -1]], np.int32),
        tables=np.array([1], np.uint64),
        output_signals=(2,),
        origins=("m/neuron0/bit0",),
        node_layers=np.array([1], np.int32),
        cuts=np.array([0, 1, -1, 0, 2], np.int32),
    )
    proof = prove_cones(net, inverter)
    assert not proof.gap
    assert proof.difference is None
    wrong = replace(inverter, tables=np.array([2], np.uint64))
    assert prove_cones(net, wrong).difference is not None


def test_logic_against_logic(logic):
    assert check(logic, logic).how == "proved"
    bad = flipped(logic, logic.origins.index("class/neuron0/bit0"), 0)
    assert check(logic, bad).equal == prove_whole(logic, bad)[0]


@pytest.mark.parametrize("table", [0, 0b11111111, 0b11101000])
def test_gates_write_what_abc_reads(table):
    left, right = Gates(["a", "b", "c"]), Gates(["a", "b", "c"])
    left.output("y", left.table(left.inputs, table))
    rows = np.array([table >> i & 1 for i in range(8)], bool)
    right.output("y", add_function(right, right.inputs, rows))
    assert prove_equal(left.text(), right.text())[0]
    wrong = Gates(["a", "b", "c"])
    wrong.output("y", wrong.table(wrong.inputs, table ^ 4))
    assert not prove_equal(wrong.text(), right.text())[0]
