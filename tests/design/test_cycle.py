import dataclasses

import numpy as np
from helpers_logic import layered_net, logic_nets, reference
from hypothesis import given, settings
from hypothesis import strategies as st

from nnlogic.core.bits import random_codes
from nnlogic.design.build import build
from nnlogic.design.cycle import CycleModel, run_cycles

SCHEDULES = st.sampled_from(["layer", 1, 2, 3])


@settings(max_examples=80, deadline=None)
@given(logic_nets(), SCHEDULES, st.booleans(), st.integers(1, 130))
def test_a_stream_through_the_pipeline_equals_the_network(net, schedule, register, rows):
    codes = random_codes(net.inputs, rows, seed=1)
    design = build(net, schedule=schedule, input_register=register)
    assert np.array_equal(run_cycles(design, codes), reference(net, codes))


def test_no_rows_in_no_rows_out():
    design = build(layered_net())
    codes = np.zeros((0, 3), np.int64)
    assert design.evaluate(codes).shape == (0, len(design.outputs))


@settings(max_examples=30, deadline=None)
@given(logic_nets(), SCHEDULES, st.booleans(), st.lists(st.booleans(), max_size=30))
def test_steps_with_bubbles(net, schedule, register, valids):
    design = build(net, schedule=schedule, input_register=register)
    codes = random_codes(net.inputs, len(valids) + 1, seed=2)
    model = CycleModel(design)
    steps = [*valids, *[False] * design.latency]
    seen = [model.step(v, codes[i % len(codes)]) for i, v in enumerate(steps)]
    assert [v for v, _ in seen] == [False] * design.latency + valids
    want = reference(net, codes)
    for i, valid in enumerate(valids):
        if valid:
            assert np.array_equal(seen[i + design.latency][1], want[i])


def test_reset_drops_what_is_in_flight():
    design = build(layered_net(), schedule=1)
    model = CycleModel(design)
    for _ in range(3):
        model.step(True)
    model.step(True, reset=True)
    assert not any(model.step(False)[0] for _ in range(2 * design.latency))


def test_a_planted_fault_in_the_segments_changes_the_outputs():
    design = build(layered_net(), schedule=1)
    codes = random_codes(design.inputs, 200, seed=3)
    want = reference(design.logic, codes)
    caught = 0
    last = np.flatnonzero(design.segments == design.n_segments - 1)
    for node in last:
        segments = design.segments.copy()
        segments[node] = 0
        broken = dataclasses.replace(design, segments=segments)
        caught += not np.array_equal(run_cycles(broken, codes), want)
    assert caught == len(last) > 0
