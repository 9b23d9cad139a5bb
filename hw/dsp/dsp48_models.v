// Simulation models of DSP48E1 and DSP48E2 for one use: the two-input logic unit on 48 lanes.
// Cycle-exact with all registers, clock enables and resets of that path. Any other mode gives X,
// and so does a parameter or a tied port that is not as the engine sets it.
`timescale 1ns / 1ps

module nnlogic_dsp48_logic #(
  parameter AREG = 1, parameter BREG = 1, parameter CREG = 1, parameter PREG = 1,
  parameter OPMODEREG = 1, parameter ALUMODEREG = 1
) (
  input clk,
  input legal,
  input [47:0] x, input [47:0] c,
  input [8:0] opmode, input [3:0] alumode,
  input cea2, input ceb2, input cec, input cectrl, input cealumode, input cep,
  input rsta, input rstb, input rstc, input rstctrl, input rstalumode, input rstp,
  output [47:0] p
);
  reg [29:0] a_q = 0;
  reg [17:0] b_q = 0;
  reg [47:0] c_q = 0;
  reg [47:0] p_q = 0;
  reg [8:0] opmode_q = 0;
  reg [3:0] alumode_q = 0;
  always @(posedge clk) begin
    if (rsta) a_q <= 0; else if (cea2) a_q <= x[47:18];
    if (rstb) b_q <= 0; else if (ceb2) b_q <= x[17:0];
    if (rstc) c_q <= 0; else if (cec) c_q <= c;
    if (rstctrl) opmode_q <= 0; else if (cectrl) opmode_q <= opmode;
    if (rstalumode) alumode_q <= 0; else if (cealumode) alumode_q <= alumode;
  end

  wire [47:0] xs = {AREG ? a_q : x[47:18], BREG ? b_q : x[17:0]};
  wire [47:0] zs = CREG ? c_q : c;
  wire [8:0] op = OPMODEREG ? opmode_q : opmode;
  wire [3:0] mode = ALUMODEREG ? alumode_q : alumode;

  // W = 0, Z = C, Y = 0 or ones, X = A:B
  wire logic_mode = legal && {op[8:4], op[2:0]} === 8'b00011_011 && mode[2] === 1'b1;
  reg [47:0] result;
  always @* begin
    case ({op[3], mode})
      5'b0_0100, 5'b0_0111, 5'b1_0101, 5'b1_0110: result = xs ^ zs;
      5'b0_0101, 5'b0_0110, 5'b1_0100, 5'b1_0111: result = ~(xs ^ zs);
      5'b0_1100: result = xs & zs;
      5'b0_1101: result = xs & ~zs;
      5'b0_1110: result = ~(xs & zs);
      5'b0_1111: result = ~xs | zs;
      5'b1_1100: result = xs | zs;
      5'b1_1101: result = xs | ~zs;
      5'b1_1110: result = ~(xs | zs);
      5'b1_1111: result = ~xs & zs;
      default: result = {48{1'bx}};
    endcase
    if (!logic_mode) result = {48{1'bx}};
  end

  always @(posedge clk)
    if (rstp) p_q <= 0; else if (cep) p_q <= result;
  assign p = PREG ? p_q : result;
endmodule

module DSP48E1 #(
  parameter AREG = 1, parameter BREG = 1, parameter CREG = 1, parameter DREG = 1,
  parameter ADREG = 1, parameter MREG = 1, parameter PREG = 1, parameter ACASCREG = 1,
  parameter BCASCREG = 1, parameter ALUMODEREG = 1, parameter OPMODEREG = 1,
  parameter INMODEREG = 1, parameter CARRYINREG = 1, parameter CARRYINSELREG = 1,
  parameter A_INPUT = "DIRECT", parameter B_INPUT = "DIRECT",
  parameter USE_MULT = "MULTIPLY", parameter USE_SIMD = "ONE48",
  parameter USE_PATTERN_DETECT = "NO_PATDET", parameter AUTORESET_PATDET = "NO_RESET",
  parameter SEL_MASK = "MASK", parameter SEL_PATTERN = "PATTERN",
  parameter [47:0] MASK = 48'h3fffffffffff, parameter [47:0] PATTERN = 48'h0,
  parameter USE_DPORT = "FALSE"
) (
  input [29:0] A, input [29:0] ACIN, input [3:0] ALUMODE, input [17:0] B, input [17:0] BCIN,
  input [47:0] C, input CARRYCASCIN, input CARRYIN, input [2:0] CARRYINSEL, input CEA1,
  input CEA2, input CEAD, input CEALUMODE, input CEB1, input CEB2, input CEC, input CECARRYIN,
  input CECTRL, input CED, input CEINMODE, input CEM, input CEP, input CLK, input [24:0] D,
  input [4:0] INMODE, input MULTSIGNIN, input [6:0] OPMODE, input [47:0] PCIN, input RSTA,
  input RSTALLCARRYIN, input RSTALUMODE, input RSTB, input RSTC, input RSTCTRL, input RSTD,
  input RSTINMODE, input RSTM, input RSTP, output [29:0] ACOUT, output [17:0] BCOUT,
  output CARRYCASCOUT, output [3:0] CARRYOUT, output MULTSIGNOUT, output OVERFLOW,
  output [47:0] P, output PATTERNBDETECT, output PATTERNDETECT, output [47:0] PCOUT,
  output UNDERFLOW
);
  wire legal = USE_MULT == "NONE" && MREG == 0 && USE_SIMD == "ONE48" && USE_DPORT == "FALSE"
    && A_INPUT == "DIRECT" && B_INPUT == "DIRECT" && USE_PATTERN_DETECT == "NO_PATDET"
    && AREG <= 1 && BREG <= 1 && ACASCREG == AREG && BCASCREG == BREG
    && INMODE === 5'b0 && CARRYINSEL === 3'b0 && CARRYIN === 1'b0
    && {ACIN, BCIN, PCIN, CARRYCASCIN, MULTSIGNIN} === 98'b0;
  nnlogic_dsp48_logic #(
    .AREG(AREG), .BREG(BREG), .CREG(CREG), .PREG(PREG),
    .OPMODEREG(OPMODEREG), .ALUMODEREG(ALUMODEREG)
  ) unit (
    .clk(CLK), .legal(legal), .x({A, B}), .c(C), .opmode({2'b00, OPMODE}), .alumode(ALUMODE),
    .cea2(CEA2), .ceb2(CEB2), .cec(CEC), .cectrl(CECTRL), .cealumode(CEALUMODE), .cep(CEP),
    .rsta(RSTA), .rstb(RSTB), .rstc(RSTC), .rstctrl(RSTCTRL), .rstalumode(RSTALUMODE),
    .rstp(RSTP), .p(P)
  );
  assign PCOUT = P;
  // Not modelled: nothing in the engine reads them.
  assign {ACOUT, BCOUT, CARRYCASCOUT, CARRYOUT, MULTSIGNOUT} = {54{1'bx}};
  assign {OVERFLOW, PATTERNBDETECT, PATTERNDETECT, UNDERFLOW} = 4'bx;
endmodule

module DSP48E2 #(
  parameter AREG = 1, parameter BREG = 1, parameter CREG = 1, parameter DREG = 1,
  parameter ADREG = 1, parameter MREG = 1, parameter PREG = 1, parameter ACASCREG = 1,
  parameter BCASCREG = 1, parameter ALUMODEREG = 1, parameter OPMODEREG = 1,
  parameter INMODEREG = 1, parameter CARRYINREG = 1, parameter CARRYINSELREG = 1,
  parameter A_INPUT = "DIRECT", parameter B_INPUT = "DIRECT",
  parameter USE_MULT = "MULTIPLY", parameter USE_SIMD = "ONE48",
  parameter USE_PATTERN_DETECT = "NO_PATDET", parameter AUTORESET_PATDET = "NO_RESET",
  parameter SEL_MASK = "MASK", parameter SEL_PATTERN = "PATTERN",
  parameter [47:0] MASK = 48'h3fffffffffff, parameter [47:0] PATTERN = 48'h0,
  parameter AMULTSEL = "A", parameter BMULTSEL = "B", parameter PREADDINSEL = "A",
  parameter AUTORESET_PRIORITY = "RESET", parameter USE_WIDEXOR = "FALSE",
  parameter XORSIMD = "XOR24_48_96", parameter [47:0] RND = 48'h0
) (
  input [29:0] A, input [29:0] ACIN, input [3:0] ALUMODE, input [17:0] B, input [17:0] BCIN,
  input [47:0] C, input CARRYCASCIN, input CARRYIN, input [2:0] CARRYINSEL, input CEA1,
  input CEA2, input CEAD, input CEALUMODE, input CEB1, input CEB2, input CEC, input CECARRYIN,
  input CECTRL, input CED, input CEINMODE, input CEM, input CEP, input CLK, input [26:0] D,
  input [4:0] INMODE, input MULTSIGNIN, input [8:0] OPMODE, input [47:0] PCIN, input RSTA,
  input RSTALLCARRYIN, input RSTALUMODE, input RSTB, input RSTC, input RSTCTRL, input RSTD,
  input RSTINMODE, input RSTM, input RSTP, output [29:0] ACOUT, output [17:0] BCOUT,
  output CARRYCASCOUT, output [3:0] CARRYOUT, output MULTSIGNOUT, output OVERFLOW,
  output [47:0] P, output PATTERNBDETECT, output PATTERNDETECT, output [47:0] PCOUT,
  output UNDERFLOW, output [7:0] XOROUT
);
  wire legal = USE_MULT == "NONE" && MREG == 0 && USE_SIMD == "ONE48" && USE_WIDEXOR == "FALSE"
    && A_INPUT == "DIRECT" && B_INPUT == "DIRECT" && USE_PATTERN_DETECT == "NO_PATDET"
    && AREG <= 1 && BREG <= 1 && ACASCREG == AREG && BCASCREG == BREG
    && INMODE === 5'b0 && CARRYINSEL === 3'b0 && CARRYIN === 1'b0
    && {ACIN, BCIN, PCIN, CARRYCASCIN, MULTSIGNIN} === 98'b0;
  nnlogic_dsp48_logic #(
    .AREG(AREG), .BREG(BREG), .CREG(CREG), .PREG(PREG),
    .OPMODEREG(OPMODEREG), .ALUMODEREG(ALUMODEREG)
  ) unit (
    .clk(CLK), .legal(legal), .x({A, B}), .c(C), .opmode(OPMODE), .alumode(ALUMODE),
    .cea2(CEA2), .ceb2(CEB2), .cec(CEC), .cectrl(CECTRL), .cealumode(CEALUMODE), .cep(CEP),
    .rsta(RSTA), .rstb(RSTB), .rstc(RSTC), .rstctrl(RSTCTRL), .rstalumode(RSTALUMODE),
    .rstp(RSTP), .p(P)
  );
  assign PCOUT = P;
  // Not modelled: nothing in the engine reads them.
  assign {ACOUT, BCOUT, CARRYCASCOUT, CARRYOUT, MULTSIGNOUT} = {54{1'bx}};
  assign {OVERFLOW, PATTERNBDETECT, PATTERNDETECT, UNDERFLOW} = 4'bx;
  assign XOROUT = 8'bx;
endmodule
