"""Node-by-node proof: sound on faults, complete on the Verilog nnlogic writes."""

from dataclasses import replace

import numpy as np
import pytest

from nnlogic.checks.formal import prove_verilog
from nnlogic.core.archive import frozen
from nnlogic.design.build import build
from nnlogic.hw.lut.verilog import write_verilog
from nnlogic.logic.build import minimize
from nnlogic.tables.build import tabulate


@pytest.fixture(scope="module")
def emitted(make_net, tmp_path_factory):
    logic = minimize(tabulate(make_net(5)), effort="fast", jobs=1, cache_dir=False)
    design = build(logic, name="swept", schedule=2, stream=False)
    return design, write_verilog(design, tmp_path_factory.mktemp("rtl"))


def test_written_verilog_is_proved_without_sat(emitted):
    design, files = emitted
    verdict = prove_verilog(design, files)
    assert verdict.equal
    assert f"{design.logic.n_nodes} nodes by enumeration" in verdict.detail


def test_every_single_lut_fault_is_judged_as_simulation_judges_it(emitted):
    """Flip one table bit of each of some nodes; the netlist is then a different network or not."""
    design, files = emitted
    logic = design.logic
    codes = np.stack(
        np.meshgrid(*[np.arange(p.format.hi + 1) for p in logic.inputs]), axis=-1
    ).reshape(-1, len(logic.inputs))
    good = logic.evaluate(codes)
    rng = np.random.default_rng(0)
    verdicts = set()
    for node in rng.choice(logic.n_nodes, 8, replace=False):
        bit = int(rng.integers(1 << int(logic.fan_in_counts[node])))
        tables = logic.tables.copy()
        tables[node] ^= np.uint64(1) << np.uint64(bit)
        wrong = replace(logic, tables=frozen(tables, np.uint64))
        same = bool((wrong.evaluate(codes) == good).all())
        assert prove_verilog(replace(design, logic=wrong), files).equal == same
        verdicts.add(same)
    assert False in verdicts
