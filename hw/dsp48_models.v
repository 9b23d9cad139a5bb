// Simulation models of DSP48E1 and DSP48E2 for two uses: the two-input logic unit on 48 lanes
// (USE_MULT = NONE), and sums: A * B + Z (USE_MULT = MULTIPLY), A:B + Z, A:B + C + Z and
// Z - (A:B + C) (USE_MULT = NONE), where Z is 0, C or PCIN. Cycle-exact with all registers, clock
// enables and resets of those paths. Any other mode gives X, and so does a parameter or a tied
// port that is not as this project sets it.
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

module nnlogic_dsp48_sum #(
  parameter A_BITS = 25, parameter AREG = 1, parameter BREG = 1, parameter CREG = 1,
  parameter MREG = 1, parameter PREG = 1, parameter MULTIPLIES = 1
) (
  input clk,
  input legal,
  input [29:0] a, input signed [17:0] b, input [47:0] c, input [47:0] pcin,
  input [8:0] opmode, input [3:0] alumode, input [4:0] inmode,
  input cea1, input cea2, input ceb1, input ceb2, input cec, input cem, input cep,
  input cectrl, input cealumode, input ceinmode,
  input rsta, input rstb, input rstc, input rstm, input rstp,
  input rstctrl, input rstalumode, input rstinmode,
  output [47:0] p, output adds
);
  reg [29:0] a1_q = 0, a2_q = 0;
  reg signed [17:0] b1_q = 0, b2_q = 0;
  reg [47:0] c_q = 0;
  reg signed [A_BITS+17:0] m_q = 0;
  reg [47:0] p_q = 0;
  reg adds_q = 0;
  reg [8:0] opmode_q = 0;
  reg [3:0] alumode_q = 0;
  reg [4:0] inmode_q = 0;
  wire [29:0] a_x = AREG ? a2_q : a;
  wire signed [A_BITS-1:0] as = a_x[A_BITS-1:0];
  wire signed [17:0] bs = BREG ? b2_q : b;
  wire signed [A_BITS+17:0] product = as * bs;
  always @(posedge clk) begin
    if (rsta) begin
      a1_q <= 0;
      a2_q <= 0;
    end else begin
      if (cea1) a1_q <= a;
      if (cea2) a2_q <= AREG == 2 ? a1_q : a;
    end
    if (rstb) begin
      b1_q <= 0;
      b2_q <= 0;
    end else begin
      if (ceb1) b1_q <= b;
      if (ceb2) b2_q <= BREG == 2 ? b1_q : b;
    end
    if (rstc) c_q <= 0; else if (cec) c_q <= c;
    if (rstm) m_q <= 0; else if (cem) m_q <= product;
    if (rstctrl) opmode_q <= 0; else if (cectrl) opmode_q <= opmode;
    if (rstalumode) alumode_q <= 0; else if (cealumode) alumode_q <= alumode;
    if (rstinmode) inmode_q <= 0; else if (ceinmode) inmode_q <= inmode;
  end

  wire signed [47:0] m = MREG ? m_q : product;
  wire [47:0] c_y = CREG ? c_q : c;
  // W = 0. X and Y take the product, or X takes A:B and Y takes C or 0.
  reg [47:0] xy, sum;
  always @* begin
    case ({MULTIPLIES != 0, opmode_q[8:7], opmode_q[3:0]})
      7'b1_00_0101: xy = m;
      7'b0_00_0011: xy = {a_x, bs};
      7'b0_00_1111: xy = {a_x, bs} + c_y;
      default: xy = {48{1'bx}};
    endcase
    if (!legal || inmode_q !== 5'b0) xy = {48{1'bx}};
  end
  reg [47:0] z;
  always @* begin
    case (opmode_q[6:4])
      3'b000: z = 0;
      3'b001: z = pcin;
      3'b011: z = c_y;
      default: z = {48{1'bx}};
    endcase
    case (alumode_q)
      4'b0000: sum = z + xy;
      4'b0011: sum = z - xy;
      default: sum = {48{1'bx}};
    endcase
  end

  // ALUMODE[2] tells sums from bitwise operations.
  always @(posedge clk)
    if (rstp) begin
      p_q <= 0;
      adds_q <= 0;
    end else if (cep) begin
      p_q <= sum;
      adds_q <= !alumode_q[2];
    end
  assign p = PREG ? p_q : sum;
  assign adds = PREG ? adds_q : !alumode_q[2];
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
  wire [47:0] bitwise, sum;
  wire adds;
  nnlogic_dsp48_logic #(
    .AREG(AREG), .BREG(BREG), .CREG(CREG), .PREG(PREG),
    .OPMODEREG(OPMODEREG), .ALUMODEREG(ALUMODEREG)
  ) unit (
    .clk(CLK), .legal(legal), .x({A, B}), .c(C), .opmode({2'b00, OPMODE}), .alumode(ALUMODE),
    .cea2(CEA2), .ceb2(CEB2), .cec(CEC), .cectrl(CECTRL), .cealumode(CEALUMODE), .cep(CEP),
    .rsta(RSTA), .rstb(RSTB), .rstc(RSTC), .rstctrl(RSTCTRL), .rstalumode(RSTALUMODE),
    .rstp(RSTP), .p(bitwise)
  );
  wire sums = (USE_MULT == "MULTIPLY" || (USE_MULT == "NONE" && MREG == 0))
    && USE_SIMD == "ONE48" && USE_DPORT == "FALSE"
    && A_INPUT == "DIRECT" && B_INPUT == "DIRECT" && USE_PATTERN_DETECT == "NO_PATDET"
    && AREG <= 2 && (AREG == 2 ? ACASCREG == 1 || ACASCREG == 2 : ACASCREG == AREG)
    && BREG <= 2 && (BREG == 2 ? BCASCREG == 1 || BCASCREG == 2 : BCASCREG == BREG)
    && OPMODEREG == 1 && ALUMODEREG == 1 && INMODEREG == 1
    && CARRYINSEL === 3'b0 && CARRYIN === 1'b0
    && {ACIN, BCIN, CARRYCASCIN, MULTSIGNIN} === 50'b0;
  nnlogic_dsp48_sum #(
    .A_BITS(25), .AREG(AREG), .BREG(BREG), .CREG(CREG), .MREG(MREG), .PREG(PREG),
    .MULTIPLIES(USE_MULT == "MULTIPLY")
  ) adder (
    .clk(CLK), .legal(sums), .a(A), .b(B), .c(C), .pcin(PCIN), .opmode({2'b00, OPMODE}),
    .alumode(ALUMODE), .inmode(INMODE), .cea1(CEA1), .cea2(CEA2), .ceb1(CEB1), .ceb2(CEB2),
    .cec(CEC), .cem(CEM), .cep(CEP), .cectrl(CECTRL), .cealumode(CEALUMODE),
    .ceinmode(CEINMODE), .rsta(RSTA), .rstb(RSTB), .rstc(RSTC), .rstm(RSTM), .rstp(RSTP),
    .rstctrl(RSTCTRL), .rstalumode(RSTALUMODE), .rstinmode(RSTINMODE), .p(sum), .adds(adds)
  );
  assign P = USE_MULT == "MULTIPLY" || (adds && ALUMODEREG == 1) ? sum : bitwise;
  assign PCOUT = P;
  // Not modelled: nothing here reads them.
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
  wire [47:0] bitwise, sum;
  wire adds;
  nnlogic_dsp48_logic #(
    .AREG(AREG), .BREG(BREG), .CREG(CREG), .PREG(PREG),
    .OPMODEREG(OPMODEREG), .ALUMODEREG(ALUMODEREG)
  ) unit (
    .clk(CLK), .legal(legal), .x({A, B}), .c(C), .opmode(OPMODE), .alumode(ALUMODE),
    .cea2(CEA2), .ceb2(CEB2), .cec(CEC), .cectrl(CECTRL), .cealumode(CEALUMODE), .cep(CEP),
    .rsta(RSTA), .rstb(RSTB), .rstc(RSTC), .rstctrl(RSTCTRL), .rstalumode(RSTALUMODE),
    .rstp(RSTP), .p(bitwise)
  );
  wire sums = (USE_MULT == "MULTIPLY" || (USE_MULT == "NONE" && MREG == 0))
    && USE_SIMD == "ONE48" && USE_WIDEXOR == "FALSE"
    && AMULTSEL == "A" && BMULTSEL == "B"
    && A_INPUT == "DIRECT" && B_INPUT == "DIRECT" && USE_PATTERN_DETECT == "NO_PATDET"
    && AREG <= 2 && (AREG == 2 ? ACASCREG == 1 || ACASCREG == 2 : ACASCREG == AREG)
    && BREG <= 2 && (BREG == 2 ? BCASCREG == 1 || BCASCREG == 2 : BCASCREG == BREG)
    && OPMODEREG == 1 && ALUMODEREG == 1 && INMODEREG == 1
    && CARRYINSEL === 3'b0 && CARRYIN === 1'b0
    && {ACIN, BCIN, CARRYCASCIN, MULTSIGNIN} === 50'b0;
  nnlogic_dsp48_sum #(
    .A_BITS(27), .AREG(AREG), .BREG(BREG), .CREG(CREG), .MREG(MREG), .PREG(PREG),
    .MULTIPLIES(USE_MULT == "MULTIPLY")
  ) adder (
    .clk(CLK), .legal(sums), .a(A), .b(B), .c(C), .pcin(PCIN), .opmode(OPMODE),
    .alumode(ALUMODE), .inmode(INMODE), .cea1(CEA1), .cea2(CEA2), .ceb1(CEB1), .ceb2(CEB2),
    .cec(CEC), .cem(CEM), .cep(CEP), .cectrl(CECTRL), .cealumode(CEALUMODE),
    .ceinmode(CEINMODE), .rsta(RSTA), .rstb(RSTB), .rstc(RSTC), .rstm(RSTM), .rstp(RSTP),
    .rstctrl(RSTCTRL), .rstalumode(RSTALUMODE), .rstinmode(RSTINMODE), .p(sum), .adds(adds)
  );
  assign P = USE_MULT == "MULTIPLY" || (adds && ALUMODEREG == 1) ? sum : bitwise;
  assign PCOUT = P;
  // Not modelled: nothing here reads them.
  assign {ACOUT, BCOUT, CARRYCASCOUT, CARRYOUT, MULTSIGNOUT} = {54{1'bx}};
  assign {OVERFLOW, PATTERNBDETECT, PATTERNDETECT, UNDERFLOW} = 4'bx;
  assign XOROUT = 8'bx;
endmodule
