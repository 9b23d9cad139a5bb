// Pads that yosys' library describes in a way that Verilator does not take.
// In the modes that a shell uses: PIN_TYPE 000001 (input) and 101001 (output with enable).
module SB_IO #(
  parameter [5:0] PIN_TYPE = 6'b000000,
  parameter [0:0] PULLUP = 1'b0,
  parameter [0:0] NEG_TRIGGER = 1'b0,
  parameter IO_STANDARD = "SB_LVCMOS"
) (
  inout PACKAGE_PIN,
  input LATCH_INPUT_VALUE,
  input CLOCK_ENABLE,
  input INPUT_CLK,
  input OUTPUT_CLK,
  input OUTPUT_ENABLE,
  input D_OUT_0,
  input D_OUT_1,
  output D_IN_0,
  output D_IN_1
);
  generate
    if (PIN_TYPE == 6'b101001) begin : out
      assign PACKAGE_PIN = OUTPUT_ENABLE ? D_OUT_0 : 1'bz;
    end else if (PIN_TYPE != 6'b000001) begin : unknown
      no_model_of_this_mode pad ();
    end
  endgenerate
  assign D_IN_0 = PACKAGE_PIN;
  assign D_IN_1 = 1'b0;
endmodule

module SB_GB_IO #(
  parameter [5:0] PIN_TYPE = 6'b000000,
  parameter [0:0] PULLUP = 1'b0,
  parameter [0:0] NEG_TRIGGER = 1'b0,
  parameter IO_STANDARD = "SB_LVCMOS"
) (
  inout PACKAGE_PIN,
  output GLOBAL_BUFFER_OUTPUT,
  input LATCH_INPUT_VALUE,
  input CLOCK_ENABLE,
  input INPUT_CLK,
  input OUTPUT_CLK,
  input OUTPUT_ENABLE,
  input D_OUT_0,
  input D_OUT_1,
  output D_IN_0,
  output D_IN_1
);
  SB_IO #(.PIN_TYPE(PIN_TYPE)) pad (
    .PACKAGE_PIN(PACKAGE_PIN), .OUTPUT_ENABLE(OUTPUT_ENABLE), .D_OUT_0(D_OUT_0), .D_IN_0(D_IN_0)
  );
  assign GLOBAL_BUFFER_OUTPUT = PACKAGE_PIN;
  assign D_IN_1 = 1'b0;
endmodule

module TRELLIS_IO #(
  parameter DIR = "INPUT"
) (
  inout B,
  input I,
  input T,
  output O
);
  generate
    if (DIR == "OUTPUT") begin : out
      assign B = T ? 1'bz : I;
    end else if (DIR != "INPUT") begin : unknown
      no_model_of_this_mode pad ();
    end
  endgenerate
  assign O = B;
endmodule

// The global reset: registers begin with their initial value.
module SGSR (
  input CLK,
  input GSR
);
endmodule
