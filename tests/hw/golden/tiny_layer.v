// SPDX-License-Identifier: Apache-2.0
// toy: written by nnlogic 0.1.0
//
// 3 LUTs of up to 6 inputs, 9 data registers
// latency 3 cycles, one result per cycle
//
// clk        rising edge
// rst        synchronous, active high, clears the valid chain only
// in_valid   x_* hold a sample
// out_valid  y_* hold the result of a sample; y_* are undefined otherwise
// x_f0  u2  f0
// x_f1  u2  f1
// y_o0  i2  o0

// The file is named after the first of its modules.
// verilator lint_off DECLFILENAME

module toy (
  input  wire       clk,
  input  wire       rst,
  input  wire       in_valid,
  input  wire [1:0] x_f0,
  input  wire [1:0] x_f1,
  output wire       out_valid,
  output wire [1:0] y_o0
);

  wire [1:0] fc0_out;
  reg [2:0] valid;
  reg [1:0] x_f0_q;
  reg x_f1_bit1_r1;
  reg [1:0] x_f1_q;

  initial begin
    valid = 3'h0;
  end

  always @(posedge clk)
    if (rst) valid <= 3'h0;
    else valid <= { valid[1:0], in_valid };
  toy_fc0 fc0 (
    .clk(clk),
    .fc0_out(fc0_out),
    .x_bits({ x_f1_q[0], x_f0_q })
  );
  toy_fc1 fc1 (
    .clk(clk),
    .fc0_out(fc0_out),
    .fc1_out(y_o0),
    .x_bits(x_f1_bit1_r1)
  );
  assign out_valid = valid[2];
  always @(posedge clk) begin
    x_f0_q <= x_f0;
    x_f1_q <= x_f1;
    x_f1_bit1_r1 <= x_f1_q[1];
  end
endmodule

// fc0
module toy_fc0 (
  input  wire       clk,
  input  wire [2:0] x_bits,
  output wire [1:0] fc0_out
);
  wire x_f0_bit0 = x_bits[0];
  wire x_f0_bit1 = x_bits[1];
  wire x_f1_bit0 = x_bits[2];
  reg fc1_neuron0_r1;
  reg fc1_neuron0_bit0_r1;
  wire fc1_neuron0 = x_f0_bit0 ^ x_f0_bit1;
  wire fc1_neuron0_bit0 = fc1_neuron0 & x_f1_bit0;

  // registers behind segment 0
  always @(posedge clk) begin
    fc1_neuron0_r1 <= fc1_neuron0;
    fc1_neuron0_bit0_r1 <= fc1_neuron0_bit0;
  end

  assign fc0_out = {fc1_neuron0_bit0_r1, fc1_neuron0_r1};
endmodule

// fc1
module toy_fc1 (
  input  wire       clk,
  input  wire       x_bits,
  input  wire [1:0] fc0_out,
  output wire [1:0] fc1_out
);
  wire x_f1_bit1_r1 = x_bits;
  wire fc1_neuron0_r1 = fc0_out[0];
  wire fc1_neuron0_bit0_r1 = fc0_out[1];
  reg fc2_neuron0_bit0_r1;
  reg fc2_neuron0_bit1_r1;
  wire fc2_neuron0_bit0 = x_f1_bit1_r1 ? fc1_neuron0_r1 : fc1_neuron0_bit0_r1;
  wire fc2_neuron0_bit1 = ~fc2_neuron0_bit0;

  // registers behind segment 1
  always @(posedge clk) begin
    fc2_neuron0_bit0_r1 <= fc2_neuron0_bit0;
    fc2_neuron0_bit1_r1 <= fc2_neuron0_bit1;
  end

  assign fc1_out = {fc2_neuron0_bit1_r1, fc2_neuron0_bit0_r1};
endmodule
// SPDX-License-Identifier: Apache-2.0
// toy_stream: written by nnlogic 0.1.0
//
// AXI4-Stream wrapper around toy, 6 results in flight at most
// aresetn is synchronous and active low; it drops what is in flight
//
// s_axis_tdata, the rest is padding:
//   [1:0]  x_f0
//   [3:2]  x_f1
//
// m_axis_tdata, the rest is padding:
//   [1:0]  y_o0

module toy_stream (
  (* X_INTERFACE_INFO = "xilinx.com:signal:clock:1.0 aclk CLK" *)
  (* X_INTERFACE_PARAMETER = "ASSOCIATED_BUSIF s_axis:m_axis, ASSOCIATED_RESET aresetn" *)
  input  wire       aclk,
  (* X_INTERFACE_INFO = "xilinx.com:signal:reset:1.0 aresetn RST" *)
  (* X_INTERFACE_PARAMETER = "POLARITY ACTIVE_LOW" *)
  input  wire       aresetn,
  (* X_INTERFACE_INFO = "xilinx.com:interface:axis:1.0 s_axis TDATA" *)
  input  wire [7:0] s_axis_tdata,
  (* X_INTERFACE_INFO = "xilinx.com:interface:axis:1.0 s_axis TVALID" *)
  input  wire       s_axis_tvalid,
  (* X_INTERFACE_INFO = "xilinx.com:interface:axis:1.0 s_axis TREADY" *)
  output wire       s_axis_tready,
  (* X_INTERFACE_INFO = "xilinx.com:interface:axis:1.0 m_axis TDATA" *)
  output wire [7:0] m_axis_tdata,
  (* X_INTERFACE_INFO = "xilinx.com:interface:axis:1.0 m_axis TVALID" *)
  output wire       m_axis_tvalid,
  (* X_INTERFACE_INFO = "xilinx.com:interface:axis:1.0 m_axis TREADY" *)
  input  wire       m_axis_tready
);

  wire fifo_inner_level_next;
  wire [2:0] fifo_inner_level_next_2;
  wire accept;
  reg [2:0] credits;
  reg [2:0] fifo_consume;
  reg [2:0] fifo_inner_level;
  wire fifo_inner_r_rdy;
  reg [2:0] fifo_produce;
  reg [1:0] fifo_r_port__data;
  wire fifo_r_port__en;
  reg fifo_r_rdy;
  wire [1:0] fifo_w_data;
  wire fifo_w_port__en;
  wire fifo_w_rdy;
  wire out_valid;
  wire r_en;
  wire rst;
  reg [1:0] fifo_storage [4:0];

  initial begin
    credits = 3'h6;
    fifo_consume = 3'h0;
    fifo_inner_level = 3'h0;
    fifo_produce = 3'h0;
    fifo_r_rdy = 1'h0;
  end

  wire unused_bits = &{1'b0, s_axis_tdata[7:4]};

  always @(posedge aclk) begin
    if (fifo_w_port__en)
      fifo_storage[fifo_produce] <= fifo_w_data;
  end
  always @(posedge aclk) begin
    if (fifo_r_port__en) begin
      fifo_r_port__data <= fifo_storage[fifo_consume];
    end
  end
  assign s_axis_tready = aresetn & (|credits);
  assign accept = s_axis_tvalid & s_axis_tready;
  assign m_axis_tvalid = aresetn & fifo_r_rdy;
  assign r_en = m_axis_tvalid & m_axis_tready;
  always @(posedge aclk)
    if (!aresetn) credits <= 3'h6;
    else credits <= (accept & ~r_en) ? (credits - 1'h1) : ((r_en & ~accept) ? (credits + 1'h1) : credits);
  assign rst = ~aresetn;
  assign fifo_w_rdy = fifo_inner_level != 3'h5;
  assign fifo_inner_r_rdy = | fifo_inner_level;
  assign fifo_w_port__en = fifo_w_rdy & out_valid;
  assign fifo_r_port__en = fifo_inner_r_rdy & (~fifo_r_rdy | r_en);
  assign fifo_inner_level_next = (fifo_inner_r_rdy & (~fifo_r_rdy | r_en)) & (~(fifo_w_rdy & out_valid));
  always @(posedge aclk)
    if (!aresetn) fifo_produce <= 3'h0;
    else fifo_produce <= (fifo_w_rdy & out_valid) ? ((fifo_produce == 3'h4) ? 3'h0 : (fifo_produce + 1'h1)) :
        fifo_produce;
  always @(posedge aclk)
    if (!aresetn) fifo_consume <= 3'h0;
    else fifo_consume <= (fifo_inner_r_rdy & (~fifo_r_rdy | r_en)) ? ((fifo_consume == 3'h4) ? 3'h0 : (fifo_consume
        + 1'h1)) : fifo_consume;
  always @(posedge aclk)
    if (!aresetn) fifo_inner_level <= 3'h0;
    else fifo_inner_level <= fifo_inner_level_next ? (fifo_inner_level - 1'h1) : fifo_inner_level_next_2;
  always @(posedge aclk)
    if (!aresetn) fifo_r_rdy <= 1'h0;
    else fifo_r_rdy <= (fifo_inner_r_rdy & (~fifo_r_rdy | r_en)) ? 1'h1 : (r_en ? 1'h0 : fifo_r_rdy);
  assign fifo_inner_level_next_2 = ((fifo_w_rdy & out_valid) & (~(fifo_inner_r_rdy & (~fifo_r_rdy | r_en)))) ?
      (fifo_inner_level + 1'h1) : fifo_inner_level;
  toy core (
    .clk(aclk),
    .in_valid(accept),
    .out_valid(out_valid),
    .rst(rst),
    .x_f0(s_axis_tdata[1:0]),
    .x_f1(s_axis_tdata[3:2]),
    .y_o0(fifo_w_data)
  );
  assign m_axis_tdata = { 6'h00, fifo_r_port__data };
endmodule
