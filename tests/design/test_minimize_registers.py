import dataclasses
import itertools

import numpy as np
from helpers_logic import layered_net, logic_net, logic_nets
from hypothesis import given, settings
from hypothesis import strategies as st

from nnlogic.core.errors import IRError
from nnlogic.design.build import asap_segments
from nnlogic.design.ir import HardwareDesign
from nnlogic.design.passes.minimize_registers import minimize_registers


def earliest(net, levels):
    segments = asap_segments(net, levels)
    return HardwareDesign("toy", net, segments, int(segments.max(initial=0)) + 1)


def legal(design, levels):
    try:
        design.verify()
    except IRError:
        return False
    return max(design.segment_depths()) <= levels


def fewest(design, levels):
    """Registers of the best placement, by trying all."""
    net = design.logic
    free = np.flatnonzero(net.fan_in_counts > 0)
    best = design.registers
    for choice in itertools.product(range(design.n_segments), repeat=len(free)):
        segments = design.segments.copy()
        segments[free] = choice
        candidate = dataclasses.replace(design, segments=segments)
        if legal(candidate, levels):
            best = min(best, candidate.registers)
    return best


@settings(max_examples=60, deadline=None)
@given(logic_nets(max_nodes=20, k=3), st.integers(1, 3))
def test_never_worse_and_always_legal(net, levels):
    before = earliest(net, levels)
    after = minimize_registers(before, levels)
    assert legal(after, levels)
    assert after.latency == before.latency
    assert after.registers <= before.registers


@settings(max_examples=25, deadline=None)
@given(logic_nets(max_nodes=5, k=2), st.integers(1, 2))
def test_no_design_has_fewer_registers_than_the_best_of_all(net, levels):
    design = earliest(net, levels)
    assert fewest(design, levels) <= minimize_registers(design, levels).registers


def test_finds_the_optimum_where_one_node_replaces_three_registers():
    # Node 6 joins inputs 0 to 2, and only its result is needed at the end of a chain of three.
    nodes = [([3], 1), ([4, 5], 6), ([7, 8], 6), ([0, 1, 2], 128), ([9, 10], 8)]
    design = earliest(logic_net(nodes, inputs=(1,) * 7, k=4), 1)
    assert minimize_registers(design, 1).registers == fewest(design, 1)


def test_retiming_pays_when_a_rank_falls_inside_a_layer():
    net = layered_net(layers=4, width=4, inner=12)
    before = earliest(net, 3)
    after = minimize_registers(before, 3)
    assert after.registers < before.registers
