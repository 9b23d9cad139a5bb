"""Models of the devices' LUT cells, from their data sheets."""

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
