"""Weighted sums on DSP slices: the lowering, its interpreter, its rules and its proof."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnlogic.backends.mac.checks.faults import FAULTS, planted_mac_faults
from nnlogic.backends.mac.checks.proof import prove_mac
from nnlogic.backends.mac.model.ir import FABRIC_HOP, KINDS, MacNet
from nnlogic.backends.mac.model.lower import STYLES, compile_mac
from nnlogic.backends.mac.model.wired import Heap, wired_slices
from nnlogic.core import bits
from nnlogic.core.errors import (
    CheckpointError,
    InputError,
    IRError,
    UnsupportedModel,
    UsageError,
)
from nnlogic.core.formats import IntFormat, Port
from nnlogic.quant.ir import INPUT, Linear
from tests.backends.mac.helpers import linear_net


def corners(net, n=64):
    """Random rows, all least, all largest, and the rows that drive each neuron to its ends."""
    formats = [p.format for p in net.inputs]
    low, high = (np.array([getattr(f, end) for f in formats]) for end in ("lo", "hi"))
    up = np.where(net.layers[0].weights > 0, high, low)
    down = np.where(net.layers[0].weights > 0, low, high)
    return np.concatenate([bits.random_codes(net.inputs, n, seed=7), [low, high], up, down])


nets = st.builds(
    linear_net,
    st.integers(0, 10_000),
    inputs=st.integers(1, 12),
    neurons=st.integers(1, 7),
    bits=st.integers(1, 8),
    signed=st.booleans(),
    weight_bits=st.integers(2, 7),
    levels=st.sampled_from([0, 1, 3, 6]),
    sparse=st.sampled_from([0.0, 0.5]),
    scale=st.sampled_from([1, 2, 6]),
    argmax=st.booleans(),
)


@settings(max_examples=60, deadline=None)
@given(nets, st.sampled_from(sorted(KINDS)), st.integers(1, 9), st.sampled_from(STYLES))
def test_lowering_is_exact_and_proved(net, kind, column, style):
    plan = compile_mac(net, kind, column=column, style=style)
    plan.mac.verify()
    assert prove_mac(net, plan.mac, plan.tail).equal
    codes = corners(net)
    assert np.array_equal(plan.tail.evaluate(plan.mac.evaluate(codes)), net.evaluate(codes))


def test_neurons_share_slices_and_zero_weights_cost_nothing():
    net = linear_net(inputs=10, neurons=4, sparse=0.0, bits=2, weight_bits=3)
    dense = compile_mac(net, style="multiply").mac
    assert dense.slices <= 20  # at least two neurons per slice
    weights = np.array(net.layers[0].weights)
    weights[:, 3:7] = 0
    net = replace(net, layers=(replace(net.layers[0], weights=weights),))
    sparse = compile_mac(net, style="multiply").mac
    assert sparse.slices <= dense.slices - 4 * len(sparse.chains)
    assert {s.wire for c in sparse.chains for s in c.slices} == {0, 1, 2, 7, 8, 9}


def test_one_threshold_is_the_top_bit_of_its_field():
    net = linear_net(levels=1)
    plan = compile_mac(net)
    tail = plan.tail.layers[0]
    for _, field in plan.mac.fields:
        threshold = int(tail.thresholds[field.neuron, 0])
        assert threshold in (0, 1 << field.bits - 1, 1 << field.bits)


def test_wide_operands_of_the_larger_slice_hold_more():
    net = linear_net(inputs=16, neurons=12, bits=12, weight_bits=6, sparse=0.0)
    small, large = (compile_mac(net, k, style="multiply").mac for k in ("dsp48e1", "dsp48e2"))
    assert large.slices < small.slices


def test_few_digits_need_no_multipliers():
    """A ternary layer of 60 one-bit inputs: three neurons a multiplier, and wider words."""
    net = linear_net(inputs=60, neurons=6, bits=1, weight_bits=2, sparse=0.5, levels=1)
    added, multiplied = (compile_mac(net, style=s).mac for s in ("add", "multiply"))
    assert compile_mac(net).mac.slices == added.slices
    assert added.slices < multiplied.slices / 3
    assert not added.stats()["multiplying"]
    # Many digits in every weight: multipliers again.
    net = linear_net(inputs=16, neurons=24, bits=6, weight_bits=8, sparse=0.0)
    mac = compile_mac(net).mac
    assert mac.stats()["multiplying"] == mac.slices


@pytest.mark.parametrize(("plus", "minus"), [(0, 3), (1, 0), (1, 1), (2, 3), (3, 2), (4, 4)])
def test_a_heap_says_how_many_slices_it_needs(plus, minus):
    empty = ((),) * 47
    heap = Heap((tuple(range(plus)), *empty), (tuple(range(minus)), *empty))
    assert len(wired_slices(heap, 60)) == heap.slices


def test_short_columns_make_hops_through_fabric():
    net = linear_net(inputs=10, neurons=1, sparse=0.0)
    mac = compile_mac(net, column=4, style="multiply").mac
    hops = [k for k, s in enumerate(mac.chains[0].slices) if s.addend == FABRIC_HOP]
    assert hops == [4, 8]
    assert mac.latency == compile_mac(net, style="multiply").mac.latency + 2


def test_a_neuron_that_reads_nothing_needs_no_field():
    net = linear_net(neurons=3)
    weights = np.array(net.layers[0].weights)
    weights[1] = 0
    net = replace(net, layers=(replace(net.layers[0], weights=weights),))
    plan = compile_mac(net)
    assert [p.name for p in plan.mac.outputs] == ["fc1_0", "fc1_2"]
    codes = corners(net)
    assert np.array_equal(plan.tail.evaluate(plan.mac.evaluate(codes)), net.evaluate(codes))
    assert prove_mac(net, plan.mac, plan.tail).equal


@pytest.fixture(scope="module")
def planned():
    net = linear_net(3, inputs=9, neurons=6)
    return net, compile_mac(net, column=5, style="multiply")


@pytest.mark.parametrize("style", ["multiply", "add"])
def test_planted_faults_are_caught(style):
    net = linear_net(3, inputs=9, neurons=6)
    plan = compile_mac(net, column=5, style=style)
    found = dict(planted_mac_faults(net, plan.mac, plan.tail, codes=corners(net)))
    assert set(found) == set(FAULTS) - ({"fault in a sign"} if style == "multiply" else set())
    for title, verdict in found.items():
        assert verdict.equal, title
        assert verdict.where


def test_faults_in_the_tail_are_caught(planned):
    net, plan = planned
    first = plan.tail.layers[0]
    thresholds = np.array(first.thresholds)
    thresholds[2, 1] += 1
    wrong = [
        replace(first, thresholds=thresholds),
        replace(first, bias=first.bias + 1),
        replace(first, weights=first.weights[::-1]),
    ]
    for layer in wrong:
        tail = replace(plan.tail, layers=(layer,))
        assert not prove_mac(net, plan.mac, tail).equal


def test_a_field_too_narrow_for_its_sum_is_caught(planned):
    net, plan = planned
    chain = plan.mac.chains[0]
    low = chain.fields[0]
    fields = (replace(low, bits=low.bits - 1), *chain.fields[1:])
    wrong = replace(plan.mac, chains=(replace(chain, fields=fields), *plan.mac.chains[1:]))
    ports = tuple(
        replace(p, format=IntFormat(f.bits))
        for p, (_, f) in zip(wrong.outputs, wrong.fields, strict=True)
    )
    wrong = replace(wrong, outputs=ports)
    verdict = prove_mac(net, wrong, replace(plan.tail, inputs=ports))
    assert not verdict.equal
    assert "reaches" in verdict.detail


def test_rules_name_every_problem(planned):
    _, plan = planned
    chain = plan.mac.chains[0]
    slices = list(chain.slices)
    slices[0] = replace(slices[0], weight=1 << 24)
    slices[1] = replace(slices[1], delay=slices[1].delay + 3)
    slices[2] = replace(slices[2], wire=99)
    wrong = replace(plan.mac, chains=(replace(chain, slices=tuple(slices), constant=-1),))
    with pytest.raises(IRError) as error:
        wrong.verify()
    text = str(error.value)
    for part in ("16777216 does not fit 25", "3 clocks too late", "wire 99", "constant -1"):
        assert part in text
    net = linear_net(inputs=70, neurons=1, sparse=0.0)
    long = compile_mac(net, "dsp48e2", style="multiply").mac
    with pytest.raises(IRError, match="columns have 60"):
        replace(long, slice_kind="dsp48e1").verify()


@pytest.mark.parametrize("style", ["multiply", "add"])
def test_files_and_text(tmp_path, style):
    plan = compile_mac(linear_net(3, inputs=9, neurons=6), style=style)
    path = tmp_path / "mac.safetensors"
    plan.mac.save(path)
    again = MacNet.load(path)
    assert again.text() == plan.mac.text()
    assert (again.chains, again.inputs, again.outputs) == (
        plan.mac.chains, plan.mac.inputs, plan.mac.outputs
    )  # fmt: skip
    assert plan.mac.text().splitlines()[0].endswith(f"latency={plan.mac.latency}")
    broken = replace(plan.mac, latency=plan.mac.latency + 1)
    broken.save(path)
    with pytest.raises(CheckpointError, match="early"):
        MacNet.load(path)
    path.write_bytes(b"no")
    with pytest.raises(CheckpointError):
        MacNet.load(path)


def test_what_does_not_fit_is_refused_with_numbers():
    net = linear_net(bits=18)
    with pytest.raises(UnsupportedModel, match=r"0\.\.262143: port B of a slice takes 18"):
        compile_mac(net, style="multiply")
    compile_mac(linear_net(bits=18, signed=True), style="multiply")
    assert not compile_mac(net).mac.stats()["multiplying"]
    layer = linear_net().layers[0]
    weights = np.array(layer.weights)
    weights[1, 2] = 3 << 24
    weights[1, 3] = 1
    wide = replace(linear_net(), layers=(replace(layer, weights=weights),))
    with pytest.raises(UnsupportedModel, match="50331648: port A of a slice takes 25"):
        compile_mac(wide, style="multiply")
    weights[1, 2] = (1 << 45) + 1
    wide = replace(linear_net(), layers=(replace(layer, weights=weights),))
    with pytest.raises(UnsupportedModel, match="needs 49 bits: an accumulator has 48"):
        compile_mac(wide)
    with pytest.raises(UsageError, match="dsp58"):
        compile_mac(net, "dsp58")
    with pytest.raises(UsageError, match="allowed 1 to 60"):
        compile_mac(net, column=61)


def test_layers_that_are_no_sums_are_refused():
    net = linear_net(argmax=True, levels=0)
    weights = np.zeros_like(net.layers[0].weights)
    with pytest.raises(UnsupportedModel, match="all weights are 0"):
        compile_mac(replace(net, layers=(replace(net.layers[0], weights=weights), net.layers[1])))
    with pytest.raises(UnsupportedModel, match="linear layer"):
        compile_mac(replace(net, layers=net.layers[1:]))
    skip = Linear(
        "fc2", (INPUT,), np.ones((1, 8), np.int64), np.zeros(1, np.int64), None, (IntFormat(7),)
    )
    wires = (*net.output_wires, (Port("more", IntFormat(7)), "fc2", 0))
    with pytest.raises(UnsupportedModel, match="fc2 read them"):
        compile_mac(replace(net, layers=(*net.layers, skip), output_wires=wires))


def test_the_interpreter_refuses_what_a_multiplier_cannot_take(planned):
    net, plan = planned
    chain = plan.mac.chains[0]
    slices = (replace(chain.slices[0], weight=1 << 30), *chain.slices[1:])
    wrong = replace(plan.mac, chains=(replace(chain, slices=slices), *plan.mac.chains[1:]))
    with pytest.raises(InputError, match="25 signed bits"):
        wrong.evaluate(corners(net))
