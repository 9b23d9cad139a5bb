"""Models of block RAMs: what Yosys maps a memory to behaves as the memory did."""

from __future__ import annotations

from pathlib import Path

import pytest

from nnlogic.core.errors import UsageError
from nnlogic.flows.targets import Target
from nnlogic.sim.netlist import behavioural, wrong_netlists
from nnlogic.sim.ram_models import unknown_mode
from nnlogic.tools.find import find
from nnlogic.tools.run import run_tool

# A memory with contents and a write port, and one that is only read.
MEMORY = """
module {name} (
  input clk, input we, input [8:0] wa, input [8:0] ra, input [{top}:0] d,
  output reg [{top}:0] q, output reg [19:0] p
);
  reg [{top}:0] mem [0:511];
  reg [19:0] rom [0:511];
  integer i;
  initial for (i = 0; i < 512; i = i + 1) begin
    mem[i] = i * 64'h9e3779b97f4a7c15;
    rom[i] = i * 20'h9e377;
  end
  always @(posedge clk) begin
    q <= mem[ra];
    p <= rom[ra];
    if (we) mem[wa] <= d;
  end
endmodule
"""
BENCH = """
module bench;
  reg clk = 0, we = 0;
  reg [8:0] wa = 0, ra = 0;
  reg [{top}:0] d = 0;
  wire [{top}:0] q0, q1;
  wire [19:0] p0, p1;
  integer n, wrong = 0, seed = 1;
  good good (.clk(clk), .we(we), .wa(wa), .ra(ra), .d(d), .q(q0), .p(p0));
  mapped mapped (.clk(clk), .we(we), .wa(wa), .ra(ra), .d(d), .q(q1), .p(p1));
  initial begin
    for (n = 0; n < 1200; n = n + 1) begin
      we = $random(seed); d = {{$random(seed), $random(seed), $random(seed)}};
      wa = $random(seed); ra = n < 600 ? n : $random(seed);
      #1 clk = 1;
      #1 if (q0 !== q1 || p0 !== p1) wrong = wrong + 1;
      clk = 0;
    end
    $display("wrong %0d", wrong);
  end
endmodule
"""
SYNTH = {
    "xc7": "synth_xilinx -family xc7 -noiopad -noclkbuf -flatten",
    "xcup": "synth_xilinx -family xcup -noiopad -noclkbuf -flatten",
    "ecp5": "synth_ecp5 -noabc9",
}
RAMS = {"xc7": ("RAMB36E1", "RAMB18E1"), "xcup": ("RAMB36E2", "RAMB18E2"), "ecp5": ("DP16KD",)}


def wrong_words(netlist: Path, width: int, target: str, folder: Path) -> int:
    """Cycles in which a mapped memory and the memory itself differ, of 1200."""
    sources = behavioural(netlist, "mapped", Target.named(target), folder)
    (folder / "good.v").write_text(MEMORY.format(name="good", top=width - 1))
    (folder / "bench.v").write_text(BENCH.format(top=width - 1))
    names = [f.name for f in sources] + ["good.v", "bench.v"]
    # Cells of yosys's library that nothing uses are left out by -s.
    args = ["-g2012", "-s", "bench", "-o", "bench.vvp", *names]
    run_tool(find("iverilog"), args, cwd=folder, timeout=60, outputs=(folder / "bench.vvp",))
    done = run_tool(find("vvp"), ["bench.vvp"], cwd=folder, timeout=60)
    return int(next(line for line in done.output.splitlines() if "wrong" in line).split()[1])


@pytest.mark.parametrize(("target", "width"), [("xc7", 72), ("xcup", 36), ("ecp5", 36)])
def test_mapped_memories_are_the_memories(tmp_path, target, width):
    (tmp_path / "m.v").write_text(MEMORY.format(name="mapped", top=width - 1))
    script = f"read_verilog m.v\n{SYNTH[target]} -top mapped\nwrite_verilog -noattr n.v\n"
    (tmp_path / "m.ys").write_text(script)
    netlist = tmp_path / "n.v"
    run_tool(find("yosys"), ["m.ys"], cwd=tmp_path, timeout=120, outputs=(netlist,))
    text = netlist.read_text()
    assert any(f"  {cell} #(" in text for cell in RAMS[target])
    assert wrong_words(netlist, width, target, tmp_path / "good") == 0
    if target == "xc7":
        wrong, where = next(wrong_netlists(text))
        assert where.startswith(RAMS[target])
        bad = tmp_path / "bad.v"
        bad.write_text(wrong)
        assert sum(a != b for a, b in zip(text, wrong, strict=True)) == 1
        assert wrong_words(bad, width, target, tmp_path / "bad") > 0


@pytest.mark.parametrize(
    "text",
    [
        '.REGMODE_A("OUTREG")',
        ".DOA_REG(32'sd1)",
        ".IS_CLKARDCLK_INVERTED(1'h1)",
        '.RAM_EXTENSION_A("LOWER")',
    ],
)
def test_modes_without_a_model_are_refused(tmp_path, text):
    assert unknown_mode(text)
    netlist = tmp_path / "n.v"
    netlist.write_text(f"module t; RAMB18E1 #( {text} ) r (); endmodule\n")
    with pytest.raises(UsageError, match="no model of"):
        behavioural(netlist, "t", Target.named("xc7"), tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert not unknown_mode(".DOA_REG(32'sd0), .REGMODE_A(\"NOREG\"), .DOB_REG(32'd0)")


def test_targets_without_models_are_refused(tmp_path):
    (tmp_path / "n.v").write_text("module t; endmodule\n")
    with pytest.raises(UsageError, match="cells of ice40"):
        behavioural(tmp_path / "n.v", "t", Target.named("ice40"), tmp_path / "out")
