"""Plain Verilog benches, run with Icarus: what goes in, what comes out, and when."""

from __future__ import annotations

from pathlib import Path

from nnlogic.hw.names import port_names
from nnlogic.hw.stream_wrapper import StreamParameters
from nnlogic.tools.find import find
from nnlogic.tools.run import run_tool

CORE = """`timescale 1ns/1ps
module bench;
  reg clk = 0, rst = 1, in_valid = 0;
  wire out_valid;
  reg [{wx}-1:0] rows [0:{n}-1];
  reg [{wx}-1:0] x;
  wire [{wy}-1:0] y;
  integer sent = 0, cycle = 0;
  {name} dut (.clk(clk), .rst(rst), .in_valid(in_valid), .out_valid(out_valid), {pins});
  always #5 clk = ~clk;
  initial $readmemh("rows.hex", rows);
  always @(posedge clk) begin
    cycle <= cycle + 1;
    rst <= cycle < 4;
    if (cycle > 8 && out_valid !== 1'b0) $display("out %b %0d %h", out_valid, cycle, y);
    if (in_valid) $display("in %0d", cycle);
    if (cycle > 8 && sent < {n} && ($random & 3) != 0) begin
      in_valid <= 1;
      x <= rows[sent];
      sent <= sent + 1;
    end else begin
      in_valid <= 0;
      x <= {wx}'bx;
    end
    if (cycle == {cycles}) $finish;
  end
endmodule
"""

STREAM = """`timescale 1ns/1ps
module bench;
  reg clk = 0, resetn = 0, s_valid = 0, m_ready = 0;
  wire s_ready, m_valid;
  reg [{wx}-1:0] rows [0:{n}-1];
  reg [{wx}-1:0] x;
  wire [{wy}-1:0] y;
  integer sent = 0, cycle = 0;
  {name} dut (.aclk(clk), .aresetn(resetn),
    .s_axis_tdata(x), .s_axis_tvalid(s_valid), .s_axis_tready(s_ready),
    .m_axis_tdata(y), .m_axis_tvalid(m_valid), .m_axis_tready(m_ready));
  always #5 clk = ~clk;
  initial $readmemh("rows.hex", rows);
  always @(posedge clk) begin
    cycle <= cycle + 1;
    resetn <= cycle > 4 && !(cycle > {reset} && cycle < {reset} + 3);
    if (cycle > 8 && (s_ready === 1'bx || m_valid === 1'bx)) $display("undefined");
    if (s_valid && s_ready) $display("in %0d %0d", cycle, sent - 1);
    if (m_valid && m_ready) $display("out %0d %h", cycle, y);
    if (m_valid && !m_ready) $display("held %h", y);
    m_ready <= ({stall}) == 0;
    if (!s_valid || s_ready) begin
      if (cycle > 8 && sent < {n} && ({bubble}) == 0) begin
        s_valid <= 1;
        x <= rows[sent];
        sent <= sent + 1;
      end else begin
        s_valid <= 0;
        x <= {wx}'bx;
      end
    end
    if (cycle == {cycles}) $finish;
  end
endmodule
"""


def word(row, ports) -> int:
    """Port values as one integer, port 0 lowest."""
    value = at = 0
    for code, port in zip(row, ports, strict=True):
        value |= int(port.format.to_raw(code)) << at
        at += port.format.bits
    return value


def run_core(design, files, folder: Path, codes) -> tuple[list[int], list[tuple[str, int, str]]]:
    """Send rows with random bubbles; return input cycles and (out_valid, cycle, hex) tuples."""
    x_names, y_names = port_names(design)
    pins, widths = [], []
    for bus, ports, names in (("x", design.inputs, x_names), ("y", design.outputs, y_names)):
        at = 0
        for port in ports:
            pins.append(f".{names[port.name]}({bus}[{at + port.format.bits - 1}:{at}])")
            at += port.format.bits
        widths.append(at)
    text = CORE.format(
        name=design.name,
        wx=widths[0],
        wy=widths[1],
        n=len(codes),
        pins=", ".join(pins),
        cycles=3 * len(codes) + design.latency + 60,
    )
    lines = _simulate(text, design, files, folder, codes)
    sent = [int(line[1]) for line in lines if line[0] == "in"]
    return sent, [(line[1], int(line[2]), line[3]) for line in lines if line[0] == "out"]


def run_stream(design, files, folder: Path, codes, *, stall="0", bubble="0", reset=1 << 30):
    """Send rows through the wrapper; return printed lines, split into words."""
    parameters = StreamParameters.of(design)
    text = STREAM.format(
        name=f"{design.name}_stream",
        wx=8 * parameters.input_bytes,
        wy=8 * parameters.output_bytes,
        n=len(codes),
        stall=stall,
        bubble=bubble,
        reset=reset,
        cycles=8 * len(codes) + design.latency + 60,
    )
    return _simulate(text, design, files, folder, codes)


def _simulate(text, design, files, folder, codes) -> list[list[str]]:
    rows = "".join(f"{word(row, design.inputs):x}\n" for row in codes)
    (folder / "rows.hex").write_text(rows)
    (folder / "bench.v").write_text(text)
    run_tool(
        find("iverilog"),
        ["-g2005", "-o", "bench.vvp", "bench.v", *files],
        cwd=folder,
        timeout=60,
        outputs=[folder / "bench.vvp"],
    )
    done = run_tool(find("vvp"), ["bench.vvp"], cwd=folder, timeout=60)
    return [line.split() for line in done.output.splitlines() if line and "finish" not in line]
