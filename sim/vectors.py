"""A self-checking plain Verilog bench with vector files, for any simulator a user has."""

from __future__ import annotations

from pathlib import Path

from nnlogic.core import bits
from nnlogic.core.archive import write_bytes
from nnlogic.core.formats import IntArray
from nnlogic.core.names import Identifier
from nnlogic.design.ir import HardwareDesign
from nnlogic.hw.names import port_names
from nnlogic.sim.harness import check_rows, row_words, slices

BENCH = """\
// Self-checking bench for {name}: {rows} rows, one per clock, outputs after {latency} clocks.
// Run it in the folder of the .hex files; it prints PASS or FAIL.
`timescale 1ns / 1ps
module {name}_tb;
  reg clk = 1'b0;
  reg rst = 1'b1;
  reg in_valid = 1'b0;
  reg [{wx}:0] x = 0;
  wire out_valid;
  wire [{wy}:0] y;
  reg [{wx}:0] rows [0:{last}];
  reg [{wy}:0] expected [0:{last}];
  integer i, k, errors;

  {name} dut ({pins});

  always #5 clk = ~clk;

  initial begin
    errors = 0;
    $readmemh("{name}_inputs.hex", rows);
    $readmemh("{name}_expected.hex", expected);
    if (^rows[{last}] === 1'bx || ^expected[{last}] === 1'bx) begin
      $display("FAIL: the .hex files cannot be read from this folder");
      errors = 1;
    end
    repeat (2) @(negedge clk);
    rst = 1'b0;
    for (i = 0; i < {rows} + {latency}; i = i + 1) begin
      in_valid = i < {rows};
      if (i < {rows}) x = rows[i];
      @(negedge clk);
      k = i + 1 - {latency};
      if (out_valid !== (k >= 0 && k < {rows})) begin
        errors = errors + 1;
        if (errors < 10) $display("clock %0d: out_valid is %b", i, out_valid);
      end else if (k >= 0 && k < {rows}) begin
        if (y !== expected[k]) begin
          errors = errors + 1;
          if (errors < 10) $display("row %0d: expected %h, got %h", k, expected[k], y);
        end
      end
    end
    if (errors == 0) $display("PASS: {rows} rows");
    else $display("FAIL: %0d errors", errors);
    $finish;
  end
endmodule
"""


def write_bench(
    design: HardwareDesign, folder: Path, codes: IntArray, expected: IntArray
) -> tuple[Path, ...]:
    """Write ``<name>_tb.v``, ``<name>_inputs.hex`` and ``<name>_expected.hex``.

    Parameters
    ----------
    design : HardwareDesign
    folder : Path
        Made when missing.
    codes, expected : int arrays, shapes (samples, inputs) and (samples, outputs)
        Port values. In the vector files each row is one hexadecimal number, ports concatenated
        LSB first, port 0 lowest.

    Returns
    -------
    tuple of Path
        The three files, the bench first.

    Raises
    ------
    InputError, UsageError
        The rows do not fit the ports, or do not come in pairs.
    """
    codes, expected = check_rows(design, codes, expected)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    wx, wy = bits.total_bits(design.inputs), bits.total_bits(design.outputs)
    x_names, y_names = port_names(design)
    pins = [f".{n}({n})" for n in ("clk", "rst", "in_valid", "out_valid")]
    pins += slices(design.inputs, x_names, "x") + slices(design.outputs, y_names, "y")
    text = BENCH.format(
        name=Identifier(design.name),
        rows=len(codes),
        last=len(codes) - 1,
        latency=design.latency,
        wx=wx - 1,
        wy=wy - 1,
        pins=", ".join(pins),
    )
    paths = [folder / f"{design.name}_{end}" for end in ("tb.v", "inputs.hex", "expected.hex")]
    inputs = _hex(row_words(codes, design.inputs), wx)
    outputs = _hex(row_words(expected, design.outputs), wy)
    for path, content in zip(paths, (text, inputs, outputs), strict=True):
        write_bytes(path, content.encode())
    return tuple(paths)


def _hex(words: list[int], width: int) -> str:
    digits = -(-width // 4)
    return "".join(f"{word:0{digits}x}\n" for word in words)
