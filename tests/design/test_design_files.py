import numpy as np
import pytest
from helpers_logic import layered_net, logic_net, logic_nets
from hypothesis import HealthCheck, given, settings

from nnlogic.core.archive import read_archive, write_archive
from nnlogic.core.errors import CheckpointError
from nnlogic.design.build import build
from nnlogic.design.ir import HardwareDesign

RELAXED = settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@RELAXED
@given(logic_nets())
def test_save_and_load_is_identity(tmp_path, net):
    design = build(net, schedule=2, input_register=False, stream=False, name="d")
    design.save(tmp_path / "d")
    loaded = HardwareDesign.load(tmp_path / "d")
    assert loaded.text() == design.text()
    assert loaded.logic.text() == design.logic.text()
    assert np.array_equal(loaded.segments, design.segments)
    assert (loaded.name, loaded.n_segments) == (design.name, design.n_segments)
    assert (loaded.input_register, loaded.stream) == (False, False)


def test_incomplete_file(tmp_path):
    design = build(layered_net())
    design.save(tmp_path / "d")
    _, meta, arrays = read_archive(tmp_path / "d", "HardwareDesign", (1,))
    del arrays["segments"]
    write_archive(tmp_path / "d", "HardwareDesign", 1, meta, arrays)
    with pytest.raises(CheckpointError, match="segments"):
        HardwareDesign.load(tmp_path / "d")


def test_a_file_that_breaks_the_rules_is_refused(tmp_path):
    design = build(layered_net(), schedule=1)
    design.save(tmp_path / "d")
    _, meta, arrays = read_archive(tmp_path / "d", "HardwareDesign", (1,))
    arrays["segments"] = arrays["segments"][::-1].copy()
    write_archive(tmp_path / "d", "HardwareDesign", 1, meta, arrays)
    with pytest.raises(CheckpointError, match="later segment"):
        HardwareDesign.load(tmp_path / "d")


def test_printed_form():
    nodes = [([0, 1], 6), ([4, 2], 8), ([], 1)]
    net = logic_net(nodes, layers=[0, 1, 0], outputs=[[5, 6], [3]])
    assert (
        build(net).text()
        == """\
HardwareDesign toy latency=3 interval=1 luts=2 registers=9 stream
  input f0:u2
  input f1:u2
  registers 4
  segment 0: 1 nodes, 1 levels, fc0
  registers 3
  segment 1: 1 nodes, 1 levels, fc1
  registers 2
  output o0:i2
  output o1:u1
"""
    )


@RELAXED
@given(logic_nets())
def test_printed_registers_add_up(tmp_path, net):
    design = build(net, schedule=1)
    ranks = [int(line.split()[1]) for line in design.text().splitlines() if "registers " in line]
    assert sum(ranks) == design.registers
