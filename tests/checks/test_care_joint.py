"""Care sets from joint reachability and simplified networks, checked by those who made neither."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from helpers_tables import cared, random_net, reachable
from hypothesis import given
from hypothesis import strategies as st

from nnlogic.checks import care as care_check
from nnlogic.checks import check, whole
from nnlogic.checks.care import claims_of, unjustified_care
from nnlogic.checks.care_tables import _in_order, prove_simplified
from nnlogic.checks.faults import flip_table_bit
from nnlogic.core.archive import frozen
from nnlogic.core.bits import pack, random_codes
from nnlogic.core.errors import ToolFailed
from nnlogic.logic.build import minimize
from nnlogic.tables.ir import Function, Instance
from nnlogic.tables.passes import simplify
from nnlogic.tables.passes.effort import EFFORTS
from nnlogic.tables.passes.mark_unreachable_inputs import mark_unreachable_inputs


def excluding(net, origin, index):
    """The network with one more index taken out of one care set."""
    at, block = next((i, b) for i, b in enumerate(net.blocks) if b.origin == origin)
    function = net.functions[block.function]
    care = function.care_bools()
    care[index] = False
    packed = frozen(pack(care), np.uint64)
    smaller = Function(function.n_inputs, function.bits & packed, packed, "exact SDC")
    blocks = list(net.blocks)
    blocks[at] = replace(block, function=len(net.functions))
    wrong = replace(net, functions=(*net.functions, smaller), blocks=tuple(blocks))
    wrong.verify()
    return wrong


@pytest.mark.parametrize("seed", range(4))
def test_joint_care_sets_are_justified(seed):
    marked, _ = mark_unreachable_inputs(random_net(seed), EFFORTS["normal"])
    assert claims_of(marked)
    assert unjustified_care(marked) is None


@pytest.mark.parametrize("seen", [True, False])
@pytest.mark.parametrize("layer", ["enc", "fc1", "fc2", "tail"])
def test_one_excluded_reachable_input_is_caught(layer, seen, monkeypatch):
    """Whether simulation happens to see it, or only SAT can."""
    if not seen:
        monkeypatch.setattr(care_check, "SAMPLES", 1)
    net = random_net(3)
    marked, _ = mark_unreachable_inputs(net, EFFORTS["normal"])
    for block in marked.instances:
        if block.origin.startswith(layer):
            index = max(reachable(net)[block.origin])
            wrong = excluding(marked, block.origin, index)
            where, detail = unjustified_care(wrong)
            assert where == block.origin
            assert f"input {index} can occur" in detail


def test_the_logic_of_a_wrong_care_set_is_refused():
    marked, _ = mark_unreachable_inputs(random_net(3), EFFORTS["normal"])
    origin = next(b.origin for b in marked.instances if b.origin.startswith("fc2"))
    wrong = excluding(marked, origin, min(reachable(marked)[origin]))
    logic = minimize(wrong, effort="fast", jobs=1, cache_dir=False)
    assert not check(wrong, logic).equal
    assert check(marked, minimize(marked, effort="fast", jobs=1, cache_dir=False)).how == "proved"


def test_no_verdict_is_no_proof(monkeypatch):
    def fails(*_args, **_options):
        raise ToolFailed("no verdict")

    marked, _ = mark_unreachable_inputs(random_net(3), EFFORTS["normal"])
    logic = minimize(marked, effort="fast", jobs=1, cache_dir=False)
    monkeypatch.setattr(care_check, "prove_equal", fails)
    monkeypatch.setattr(whole, "prove_equal", fails)
    assert check(marked, logic).how != "proved"


@pytest.mark.parametrize("seed", range(6))
def test_simplified_networks_are_proved_equal(seed):
    net = random_net(seed)
    small, _ = simplify(net)
    proof = prove_simplified(net, small)
    assert not proof.gap
    assert proof.difference is None
    verdict = check(net, small)
    assert verdict.equal
    assert verdict.how == "proved"
    assert verdict.detail.startswith(f"{proof.tables} tables paired")


def test_a_fault_in_a_simplified_network_is_caught():
    net = random_net(4)
    small, _ = simplify(net)
    for seed in range(10):
        wrong, where = flip_table_bit(small, random_codes(net.inputs, 500), seed)
        assert not check(net, wrong).equal, where
        assert not check(wrong, net).equal, where


def test_an_input_dropped_without_right_is_caught():
    """The dropped input matters, though rarely: only one combination of the net shows it."""
    net = random_net(4)
    small, _ = simplify(net)
    caught = 0
    for at, block in enumerate(small.blocks):
        if not isinstance(block, Instance) or len(block.inputs) < 2:
            continue
        function = small.functions[block.function]
        half = (1 << function.n_inputs) // 2
        rows = pack(function.table()[:, :half])
        thinner = Function(function.n_inputs - 1, rows)
        blocks = list(small.blocks)
        blocks[at] = replace(block, function=len(small.functions), inputs=block.inputs[:-1])
        wrong = replace(small, functions=(*small.functions, thinner), blocks=tuple(blocks))
        codes = every_code(net)
        same = bool((wrong.evaluate(codes) == net.evaluate(codes)).all())
        assert check(net, wrong).equal == same
        caught += not same
    assert caught


def every_code(net):
    index = np.arange(1 << net.n_inputs)
    return np.stack([index >> 2 * i & 3 for i in range(len(net.inputs))], axis=1)


def test_networks_that_do_not_pair_are_compared_whole():
    net = random_net(4)
    blocks = tuple(replace(b, origin="same") for b in net.blocks)
    verdict = check(net, replace(net, blocks=blocks))
    assert verdict.equal
    assert "whole network" in verdict.detail
    assert cared(net)


@given(st.lists(st.dictionaries(st.integers(0, 6), st.integers(0, 9)), max_size=5))
def test_output_bits_are_paired_in_order_at_least_cost(likely):
    def cost(chosen):
        return sum(costs[b] for costs, b in zip(likely, chosen, strict=True))

    choices = [
        chosen
        for chosen in combinations(range(7), len(likely))
        if all(b in costs for costs, b in zip(likely, chosen, strict=True))
    ]
    got = _in_order(likely)
    assert (got is None) == (not choices)
    if choices:
        assert got in choices
        assert cost(got) == min(map(cost, choices))
