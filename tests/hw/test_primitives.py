import pytest
from device_cells import CELLS
from helpers_logic import layered_net
from test_lut_verilog import simulate

from nnlogic.core.errors import UsageError
from nnlogic.design.build import build
from nnlogic.flows.targets import Target
from nnlogic.hw.lut.verilog import write_verilog


@pytest.mark.parametrize("kind", list(CELLS))
def test_device_cells_compute_the_network(tmp_path, kind):
    cells = tmp_path / "cells.v"
    cells.write_text("`timescale 1ns/1ps\n" + CELLS[kind])
    target = Target.named(kind)
    k = target.lut_size
    design = build(layered_net(k=k), schedule=1, stream=False)
    simulate(design, tmp_path, write={"primitives": target.lut_cell}, cells=[cells])
    text = (tmp_path / "toy.v").read_text()
    assert text.count("lut_fc") == design.stats()["luts"] + design.stats()["inverters"]


def test_luts_wider_than_the_cell_are_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match="6 inputs"):
        write_verilog(build(layered_net(k=6)), tmp_path, primitives=Target.named("ice40").lut_cell)
    assert not list(tmp_path.iterdir())
