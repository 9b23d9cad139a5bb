import dataclasses

import numpy as np
import pytest
from helpers_logic import layered_net, logic_net, logic_nets
from hypothesis import given, settings
from hypothesis import strategies as st

from nnlogic.core.bits import random_codes
from nnlogic.core.errors import IRError, UsageError
from nnlogic.design.build import build

SCHEDULES = st.sampled_from(["layer", 1, 2, 3])


@settings(max_examples=60, deadline=None)
@given(logic_nets(), SCHEDULES)
def test_any_schedule_gives_a_legal_design_within_its_budget(net, schedule):
    design = build(net, schedule=schedule)
    design.verify()
    if schedule != "layer":
        assert max(design.segment_depths()) <= schedule
        depth = net.stats()["depth"]
        deepest = int(net.levels.max(initial=0))
        assert design.n_segments == max(1, -(-deepest // schedule)) >= -(-depth // schedule)


def test_layer_schedule_has_one_segment_per_layer_that_holds_nodes():
    nodes = [([0, 1], 6), ([4, 2], 8), ([5, 3], 14)]
    design = build(logic_net(nodes, layers=[0, 2, 3]))
    assert design.segments.tolist() == [0, 1, 2]
    assert (design.n_segments, design.latency) == (3, 4)
    assert build(logic_net(nodes, layers=[0, 2, 3]), input_register=False).latency == 3


def test_a_node_is_never_before_what_it_reads():
    nodes = [([0, 1], 6), ([4, 2], 8), ([5, 3], 14)]
    design = build(logic_net(nodes, layers=[1, 0, 2]))
    assert design.segments.tolist() == [0, 0, 1]


def test_constants_need_no_segment_and_no_registers():
    design = build(logic_net([([], 1), ([0, 4], 8)], layers=[3, 1], outputs=[[4, 5]]))
    assert design.segments.tolist() == [0, 0]
    assert design.n_segments == 1
    assert design.registers == 2  # input bit 0, and the output of node 1


def test_registers_count_every_rank_and_only_inputs_that_are_read():
    # Input bit 3 waits two ranks for the last node, bits 0 to 2 do not wait.
    nodes = [([0, 1], 6), ([4, 2], 8), ([5, 3], 14)]
    design = build(logic_net(nodes, layers=[0, 1, 2]))
    assert design.signal_registers.tolist() == [0, 0, 1, 2, 1, 1, 1]
    assert design.registers == 6 + 4
    assert build(logic_net(nodes[:1])).registers == 1 + 2


@pytest.mark.parametrize("schedule", ["layers", 0, -1, 1.5, True, None])
def test_unknown_schedule_is_a_usage_error(schedule):
    with pytest.raises(UsageError, match="schedule"):
        build(layered_net(), schedule=schedule)


def test_the_name_becomes_an_identifier():
    assert build(layered_net(), name="3 jets/v1").name == "n_3_jets_v1"


def test_verify_sees_a_node_before_its_fan_in():
    design = build(layered_net(), schedule=1)
    segments = design.segments.copy()
    moved = int(np.flatnonzero(segments == design.n_segments - 1)[0])
    segments[moved] = 0
    with pytest.raises(IRError, match=design.logic.origins[moved]):
        dataclasses.replace(design, segments=segments).verify()


def uneven():
    """Layers of one, five and one LUT levels."""
    nodes, layers = [([0, 1], 6)], [0]
    for i in range(5):
        nodes.append(([4 + i, 2], 8))
        layers.append(1)
    nodes.append(([9, 3], 6))
    return logic_net(nodes, layers=[*layers, 2], outputs=[[10]])


def test_balanced_segments_are_no_more_than_layers_and_evenly_deep():
    net = uneven()
    assert build(net, schedule="layer").segment_depths() == [1, 5, 1]
    design = build(net, schedule="balanced")
    assert design.n_segments == 3
    assert max(design.segment_depths()) == 3
    codes = random_codes(net.inputs, 50, seed=3)
    assert (design.evaluate(codes) == net.evaluate(codes)).all()


def test_layers_that_are_even_keep_their_ends():
    net = layered_net()
    even = build(net, schedule="balanced")
    assert (even.segments == build(net, schedule="layer").segments).all()


@given(logic_nets())
def test_balanced_is_never_later_or_deeper_than_layers(net):
    layers, even = (build(net, schedule=s) for s in ("layer", "balanced"))
    assert even.latency <= layers.latency
    assert max(even.segment_depths()) <= max(layers.segment_depths())
