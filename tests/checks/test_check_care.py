from dataclasses import replace

import numpy as np
import pytest

from nnlogic.checks import check
from nnlogic.checks.care import unjustified_care
from nnlogic.checks.faults import flip_table_bit
from nnlogic.core.archive import frozen
from nnlogic.core.bits import pack, random_codes
from nnlogic.logic.build import minimize
from nnlogic.tables.build import tabulate
from nnlogic.tables.ir import Function, Instance


@pytest.mark.parametrize("seed", range(4))
def test_reachability_is_justified(make_net, seed):
    tables = tabulate(make_net(seed, levels=3))
    assert any(f.care is not None for f in tables.functions)
    assert unjustified_care(tables) is None


def test_an_excluded_input_that_can_occur_is_found(make_net):
    net = make_net(3, levels=3)
    tables = tabulate(net)
    at, block = next(
        (i, b)
        for i, b in enumerate(tables.blocks)
        if isinstance(b, Instance) and tables.functions[b.function].care is not None
    )
    function = tables.functions[block.function]
    care = function.care_bools()
    victim = int(np.flatnonzero(care)[0])
    care[victim] = False
    packed = pack(care)
    smaller = Function(
        function.n_inputs,
        frozen(function.bits & packed, np.uint64),
        frozen(packed, np.uint64),
        "exact SDC",
    )
    blocks = list(tables.blocks)
    blocks[at] = replace(block, function=len(tables.functions))
    wrong = replace(tables, functions=(*tables.functions, smaller), blocks=tuple(blocks))
    wrong.verify()
    where, detail = unjustified_care(wrong)
    assert where == block.origin
    assert f"input {victim} can occur" in detail
    assert not check(net, wrong).equal
    assert not check(wrong, minimize(tables, effort="fast", jobs=1, cache_dir=False)).equal


def test_a_fault_that_leaves_the_emitted_codes_is_caught(make_net):
    """A constant bit has no cut point, so only the care sets of its readers can show its fault."""
    tables = tabulate(make_net(1, (20, 20, 5), 12, 4))
    logic = minimize(tables, k=4, effort="fast", jobs=1, cache_dir=False)
    codes = random_codes(tables.inputs, 4096)
    for seed in range(30):
        wrong, where = flip_table_bit(tables, codes, seed)
        assert not check(wrong, logic, codes=codes).equal, where
