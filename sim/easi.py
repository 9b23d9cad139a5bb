"""Simulate an EASI core in Icarus Verilog, row by row, against its reference."""

from __future__ import annotations

from collections.abc import Sequence

from nnlogic.core.errors import Different
from nnlogic.hw.convert import yosys_verilog
from nnlogic.hw.easi import CLOCKS, Easi, EasiParameters, Matrix
from nnlogic.tools.find import find
from nnlogic.tools.plain import scratch
from nnlogic.tools.run import run_tool

TOP = "easi"


def easi_verilog(parameters: EasiParameters) -> str:
    """Return the Verilog of a core; its module is called ``easi``."""
    return yosys_verilog({TOP: Easi(parameters)})


def simulate_easi(
    parameters: EasiParameters, verilog: str, rows: Sequence[Sequence[int]]
) -> tuple[Matrix, list[list[int]]]:
    """Run rows through the Verilog of a core and compare every number with the reference.

    Parameters
    ----------
    parameters : EasiParameters
    verilog : str
        See `easi_verilog`.
    rows : sequence of sequence of int

    Returns
    -------
    matrix : list of list of int
        At the end.
    components : list of list of int
        Of each row.

    Raises
    ------
    Different
        Names the first row that differs.
    ToolNotFound, ToolFailed
        Icarus Verilog.
    """
    p = parameters
    words = [v & ((1 << p.bits) - 1) for row in rows for v in row]
    with scratch("easi") as work:
        (work / "core.v").write_text(verilog)
        (work / "bench.v").write_text(_bench(p, len(rows)))
        (work / "rows.hex").write_text("".join(f"{w:x}\n" for w in words))
        made = work / "bench.vvp"
        run_tool(
            find("iverilog"),
            ["-g2005", "-o", made, "-s", "bench", "bench.v", "core.v"],
            cwd=work,
            outputs=(made,),
        )
        said = run_tool(find("vvp"), ["-n", made], cwd=work).output
    got = [[int(v) for v in line.split()[1:]] for line in said.splitlines() if line[:4] == "ROW "]
    b, out = p.start(), []
    for number, row in enumerate(rows):
        b, y = p.step(b, list(row))
        wanted = [*y, *(v for line in b for v in line)]
        if number >= len(got) or got[number] != wanted:
            seen = got[number] if number < len(got) else "nothing"
            raise Different("the EASI core differs from its reference", where=f"row {number}",
                            why=f"it gave {seen}, wanted {wanted}")  # fmt: skip
        out.append(y)
    return b, out


def _bench(p: EasiParameters, rows: int) -> str:
    n, word = range(p.n), f"signed [{p.bits - 1}:0]"
    outs = [f"y_{i}" for i in n] + [f"b_{i}_{j}" for i in n for j in n]
    pins = ", ".join(f".{name}({name})" for name in (*(f"x_{j}" for j in n), *outs))
    values = ", ".join([*(f"k_{i}" for i in n), *outs[p.n :]])
    load = " ".join(f"x_{j} = words[{p.n} * row + {j}];" for j in n)
    keep = " ".join(f"k_{i} = y_{i};" for i in n)
    return f"""`timescale 1ns/1ps
module bench;
  reg clk = 0, rst = 1, in_valid = 0;
  wire in_ready, out_valid;
  reg {word} {", ".join(f"x_{j}" for j in n)};
  reg {word} {", ".join(f"k_{i}" for i in n)};
  wire {word} {", ".join(outs)};
  reg [{p.bits - 1}:0] words [0:{p.n * rows - 1}];
  integer row;
  {TOP} dut (.clk(clk), .rst(rst), .in_valid(in_valid), .in_ready(in_ready),
    .out_valid(out_valid), {pins});
  always #5 clk = ~clk;
  initial begin
    $readmemh("rows.hex", words);
    repeat (2) @(posedge clk);
    #1 rst = 0;
    for (row = 0; row < {rows}; row = row + 1) begin
      {load} in_valid = in_ready;
      @(posedge clk); #1 in_valid = 0;
      if (out_valid) begin {keep} end
      repeat ({CLOCKS - 1}) @(posedge clk);
      #1 $display("ROW {" ".join(["%0d"] * (len(outs)))}", {values});
      if (row % 5 == 4) @(posedge clk); #1 ;
    end
    $finish;
  end
endmodule
"""
