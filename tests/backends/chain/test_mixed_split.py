"""Cutting networks into segments, and the check that they are still the network."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnlogic.backends.chain.checks import check_rows, check_structure, run_chain
from nnlogic.backends.chain.model import Chain, Segment, split
from nnlogic.backends.chain.model.chain import segments_of
from nnlogic.backends.chain.model.split import boundary
from nnlogic.core.archive import frozen
from nnlogic.core.bits import random_codes
from nnlogic.core.errors import CheckpointError, UsageError
from nnlogic.core.formats import IntFormat, Port
from nnlogic.quant.ir import INPUT, Argmax, Enumerated, Linear, QuantNet

U2 = IntFormat(2)


def skipping(seed: int) -> QuantNet:
    """Layers that read several layers before them, and outputs from all over the network."""
    rng = np.random.default_rng(seed)

    def linear(name, sources, count, inputs):
        weights = rng.integers(-3, 4, (count, inputs)) * (rng.random((count, inputs)) < 0.6)
        steps = np.sort(rng.integers(-6, 7, (count, 3)), axis=1)
        return Linear(
            name, sources, frozen(weights, np.int64), frozen(rng.integers(-2, 3, count), np.int64),
            frozen(steps, np.int64), (U2,) * count,
        )  # fmt: skip

    a = linear("a", (INPUT,), 4, 3)
    b = linear("b", ("a", INPUT), 3, 7)
    wires = tuple(tuple(int(w) for w in rng.choice(7, 2, replace=False)) for _ in range(3))
    tables = tuple(rng.integers(0, 4, 16) for _ in wires)
    c = Enumerated("c", ("b", "a"), wires, tables, (U2,) * 3, (U2,) * 7)
    d = linear("d", ("c", "b"), 3, 6)
    top = Argmax("top", ("d",), (U2,))
    outputs = (
        (Port("x1", U2), INPUT, 1), (Port("a0", U2), "a", 0), (Port("d1", U2), "d", 1),
        (Port("class", U2), "top", 0),
    )  # fmt: skip
    net = QuantNet("skips", tuple(Port(f"f{i}", U2) for i in range(3)), (a, b, c, d, top), outputs)
    net.verify()
    return net


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 500), st.lists(st.sampled_from(["lut", "dsp"]), min_size=4, max_size=4))
def test_segments_one_after_another_are_the_network(seed, plan):
    net = skipping(seed)
    parts = split(net, segments_of([*plan, plan[-1]]), "n")
    assert check_structure(net, parts).equal
    rows = check_rows(net, parts, random_codes(net.inputs, 4))
    assert rows.equal
    assert rows.how == "exhaustive"
    assert [p.name for p in parts] == [f"n_s{i}" for i in range(len(parts))]
    assert parts[-1].outputs == net.outputs


def test_a_boundary_carries_what_is_read_later_and_nothing_else():
    net = skipping(1)
    weights = np.array(net.layers[3].weights)
    weights[:, 4] = 0  # d no longer reads wire 1 of b
    layers = (*net.layers[:3], replace(net.layers[3], weights=weights), net.layers[4])
    net = replace(net, layers=layers)
    assert boundary(net, 0) == [(INPUT, 0), (INPUT, 1), (INPUT, 2)]
    crossing = boundary(net, 3)
    assert (INPUT, 1) in crossing  # an output of the network
    assert ("b", 1) not in crossing
    assert boundary(net, 5) == [(INPUT, 1), ("a", 0), ("d", 1), ("top", 0)]


def exchanged(part: QuantNet) -> QuantNet:
    first, second, *rest = part.output_wires
    swapped = ((first[0], *second[1:]), (second[0], *first[1:]), *rest)
    return replace(part, output_wires=swapped)


@pytest.mark.parametrize("fault", ["order", "wires", "weight", "table", "missing", "outputs"])
def test_faults_in_the_parts_are_caught(fault):
    net = skipping(3)
    parts = list(split(net, segments_of(["lut", "lut", "dsp", "lut", "lut"]), "n"))
    if fault == "order":
        parts[0], parts[1] = parts[1], parts[0]
    elif fault == "wires":
        parts[0] = exchanged(parts[0])
    elif fault == "outputs":
        parts[2] = exchanged(parts[2])
    elif fault == "missing":
        parts.pop(1)
    elif fault == "weight":
        layer = parts[0].layers[0]
        bias = np.array(layer.bias)
        bias[0] += 1
        layers = (replace(layer, bias=bias), *parts[0].layers[1:])
        parts[0] = replace(parts[0], layers=layers)
    else:
        layer = parts[1].layers[0]
        table = np.array(layer.tables[0])
        table[5] ^= 1
        layer = replace(layer, tables=(table, *layer.tables[1:]))
        parts[1] = replace(parts[1], layers=(layer,))
    verdict = check_structure(net, parts)
    assert not verdict.equal
    assert verdict.where
    if fault in ("wires", "outputs", "weight"):
        assert not check_rows(net, parts, random_codes(net.inputs, 4)).equal


def test_an_argmax_that_cannot_be_cut_off_says_why():
    net = skipping(2)
    plan = segments_of(["lut", "lut", "lut", "lut", "dsp"])
    with pytest.raises(UsageError, match="cannot be cut like this") as error:
        split(net, plan, "n")
    assert "top" in error.value.text()
    assert "5 cross the boundary" in error.value.text()
    alone = replace(net, output_wires=(net.output_wires[-1],))
    assert check_structure(alone, split(alone, plan, "n")).equal


def test_a_chain_is_kept_in_a_file(tmp_path):
    chain = Chain("n", (Port("a", U2),), (Port("b", U2),), (Segment(0, "lut", 0, 2),
                  Segment(1, "dsp", 2, 3, 4)))  # fmt: skip
    chain.save(tmp_path / "chain.safetensors")
    again = Chain.load(tmp_path / "chain.safetensors")
    assert again == chain
    assert again.plan == ("lut", "lut", "dsp")
    assert "segment 1: dsp, layers 2..2, 4 slices" in again.text()
    with pytest.raises(CheckpointError):
        Chain.load(tmp_path / "none.safetensors")


def test_what_enters_each_part_is_known(make_net):
    net = make_net(0)
    plan = segments_of(["lut", "dsp", "lut", "lut"][: len(net.layers)])
    parts = split(net, plan, "n")
    codes = random_codes(net.inputs, 50)
    values = run_chain(parts, codes)
    assert len(values) == len(parts) + 1
    assert (values[-1] == net.evaluate(codes)).all()
