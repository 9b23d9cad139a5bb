"""Parity over registers: each of them once, and no tree with more leaves than it can join."""

from dataclasses import replace

import numpy as np
import pytest
from helpers_logic import layered_net

from nnlogic.design.build import build
from nnlogic.faults.parity import parity, tree


@pytest.mark.parametrize("schedule", ["layer", 1, 2])
@pytest.mark.parametrize("input_register", [True, False])
def test_every_register_is_in_one_rank(schedule, input_register):
    design = build(layered_net(5), schedule=schedule, input_register=input_register)
    found = parity(design)
    assert sum(found.ranks) == design.registers
    assert len(found.ranks) == found.flip_flops == design.n_segments + input_register
    held = design.signal_registers > 0
    if input_register:
        held[: design.logic.n_inputs] |= design.last_use[: design.logic.n_inputs] >= 0
    assert (found.held == held).all()
    # A rank that is moved is another count: the figure follows the pipeline.
    moved = replace(design, segments=np.zeros_like(design.segments), n_segments=1)
    assert parity(moved).ranks != found.ranks


@pytest.mark.parametrize("k", [2, 4, 6])
def test_a_tree_joins_as_many_as_its_luts_can(k):
    for inputs in range(30):
        luts, left = 0, inputs
        while left > 1:
            left, luts = max(1, left - (k - 1)), luts + 1
        assert tree(inputs, k) == luts
