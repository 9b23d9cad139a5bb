"""Simulate a cascade: every answer, in order, under stalls; and the clocks each row takes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nnlogic.core.errors import Different, ToolFailed
from nnlogic.core.names import Identifier
from nnlogic.tools.find import find
from nnlogic.tools.plain import scratch
from nnlogic.tools.run import run_tool

WAYS = ("one at a time", "back to back", "random stalls")
MOST = 4096
"""Rows that are simulated."""
_LINE = re.compile(r"^WAY (\d) rows (\d+) wrong (\d+) sum (\d+) worst (\d+) clocks (\d+)$")


@dataclass(frozen=True)
class Measured:
    """What one way of feeding a cascade gave.

    Attributes
    ----------
    way : str
        One of `WAYS`.
    rows : int
    average, worst : float, int
        Clocks from the transfer in to the transfer out; in the last way with the consumer's stalls.
    clocks : int
        From the first transfer in to the last one out.
    """

    way: str
    rows: int
    average: float
    worst: int
    clocks: int


def simulate_cascade(
    name: str,
    files: Sequence[Path],
    rows: Sequence[int],
    expected: Sequence[int],
    *,
    input_bytes: int,
    output_bytes: int,
    timeout: float | None = None,
) -> tuple[Measured, ...]:
    """Run rows through the Verilog of a cascade in Icarus Verilog, fed in each of `WAYS`.

    Parameters
    ----------
    name : str
        Of the top module.
    files : sequence of Path
        Its Verilog and that of both cores.
    rows, expected : sequence of int
        Input words, and output words: the class, above it whether the large network is asked.
    input_bytes, output_bytes : int
    timeout : float, optional
        Seconds.

    Raises
    ------
    Different
        Answers are wrong, or do not come.
    ToolNotFound, ToolFailed
        Icarus Verilog.
    """
    rows, expected = rows[:MOST], expected[:MOST]
    with scratch("cascade") as work:
        sources = []
        for number, file in enumerate(files):
            sources.append(work / f"part{number}.v")
            sources[-1].write_bytes(Path(file).read_bytes())
        bench = work / "bench.v"
        bench.write_text(_bench(name, len(rows), 8 * input_bytes, 8 * output_bytes))
        for kind, words in (("rows", rows), ("expected", expected)):
            (work / f"{kind}.hex").write_text("".join(f"{word:x}\n" for word in words))
        made = work / "bench.vvp"
        run_tool(
            find("iverilog"), ["-g2005", "-o", made, "-s", "bench", bench, *sources],
            cwd=work, timeout=timeout, outputs=(made,),
        )  # fmt: skip
        said = run_tool(find("vvp"), ["-n", made], cwd=work, timeout=timeout).output
    found = [m for line in said.splitlines() if (m := _LINE.match(line.strip()))]
    if len(found) != len(WAYS):
        raise ToolFailed("the cascade was not simulated to its end", where=name, why=said[-400:])
    out = []
    for m in found:
        way, n, wrong, total, worst, clocks = (int(part) for part in m.groups())
        if wrong or n != len(rows):
            why = f"fed {WAYS[way]}, {n:,} of {len(rows):,} rows answered, {wrong:,} wrong"
            raise Different("the cascade differs from its networks", where=name, why=why)
        out.append(Measured(WAYS[way], n, total / n, worst, clocks))
    return tuple(out)


def _bench(name: str, rows: int, in_bits: int, out_bits: int) -> str:
    top = Identifier(name)
    return f"""`timescale 1ns/1ps
module bench;
  reg aclk = 0, aresetn = 0, s_axis_tvalid = 0, m_axis_tready = 0;
  reg [{in_bits - 1}:0] s_axis_tdata = 0;
  wire s_axis_tready, m_axis_tvalid;
  wire [{out_bits - 1}:0] m_axis_tdata;
  reg [{in_bits - 1}:0] rows [0:{rows - 1}];
  reg [{out_bits - 1}:0] expected [0:{rows - 1}];
  integer began [0:{rows - 1}];
  integer way, sent, got, wrong, total, worst, clock, first, idle;
  reg [31:0] noise = 32'h2545f491;
  {top} dut (.aclk(aclk), .aresetn(aresetn), .s_axis_tdata(s_axis_tdata),
    .s_axis_tvalid(s_axis_tvalid), .s_axis_tready(s_axis_tready), .m_axis_tdata(m_axis_tdata),
    .m_axis_tvalid(m_axis_tvalid), .m_axis_tready(m_axis_tready));
  always #5 aclk = ~aclk;
  task feed;
    begin
      noise = {{noise[30:0], noise[31] ^ noise[21] ^ noise[1] ^ noise[0]}};
      // What is offered stays until it is taken.
      if (!s_axis_tvalid) begin
        s_axis_tvalid = sent < {rows} && (way == 0 ? sent == got : way == 1 || noise[0]);
        if (s_axis_tvalid) s_axis_tdata = rows[sent];
      end
      m_axis_tready = way < 2 || noise[3] || noise[7];
    end
  endtask
  initial begin
    $readmemh("rows.hex", rows);
    $readmemh("expected.hex", expected);
    for (way = 0; way < {len(WAYS)}; way = way + 1) begin
      aresetn = 0; s_axis_tvalid = 0; m_axis_tready = 0;
      sent = 0; got = 0; wrong = 0; total = 0; worst = 0; first = 0; idle = 0;
      clock = 0;
      repeat (4) @(posedge aclk);
      #1 aresetn = 1;
      #1 feed;
      while (got < {rows} && idle < 10000) begin
        @(negedge aclk);
        idle = idle + 1;
        if (m_axis_tvalid && m_axis_tready) begin
          if (m_axis_tdata !== expected[got]) wrong = wrong + 1;
          total = total + clock - began[got];
          if (clock - began[got] > worst) worst = clock - began[got];
          got = got + 1;
          idle = 0;
        end
        if (s_axis_tvalid && s_axis_tready) begin
          if (sent == 0) first = clock;
          began[sent] = clock;
          sent = sent + 1;
          @(posedge aclk); #1 s_axis_tvalid = 0;
        end else begin
          @(posedge aclk); #1 ;
        end
        clock = clock + 1;
        feed;
      end
      $display("WAY %0d rows %0d wrong %0d sum %0d worst %0d clocks %0d",
        way, got, wrong, total, worst, clock - first);
    end
    $finish;
  end
endmodule
"""
