import pytest
from helpers_logic import layered_net
from test_lut_verilog import simulate

from nnlogic.core.errors import UsageError
from nnlogic.design.build import build
from nnlogic.flows.targets import Target
from nnlogic.hw.lut.verilog import write_verilog

# Models of the devices' cells, from their data sheets.
CELLS = {
    "xc7": "".join(
        f"module LUT{n}(output O, input {', '.join(f'I{i}' for i in range(n))});\n"
        f"  parameter [{2**n - 1}:0] INIT = 0;\n"
        f"  assign O = INIT[{{{', '.join(f'I{i}' for i in reversed(range(n)))}}}];\nendmodule\n"
        for n in range(1, 7)
    ),
    "ecp5": """module LUT4(input A, B, C, D, output Z);
  parameter [15:0] INIT = 0;
  assign Z = INIT[{D, C, B, A}];
endmodule
""",
    "ice40": """module SB_LUT4(output O, input I0, I1, I2, I3);
  parameter [15:0] LUT_INIT = 0;
  assign O = LUT_INIT[{I3, I2, I1, I0}];
endmodule
""",
}


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
