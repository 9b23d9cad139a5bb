// toy: written by nnlogic 0.1.0
//
// 3 LUTs of up to 6 inputs, 13 data registers
// latency 5 cycles, one result per cycle
//
// clk        rising edge
// rst        synchronous, active high, clears the valid chain only
// in_valid   x_* hold a sample
// out_valid  y_* hold the result of a sample; y_* are undefined otherwise
// x_f0  u2  f0
// x_f1  u2  f1
// y_o0  i2  o0

module toy(x_f0, x_f1, clk, rst, out_valid, y_o0, in_valid);
  input [1:0] x_f0;
  wire [1:0] x_f0;
  input [1:0] x_f1;
  wire [1:0] x_f1;
  input clk;
  wire clk;
  input rst;
  wire rst;
  output out_valid;
  wire out_valid;
  output [1:0] y_o0;
  wire [1:0] y_o0;
  input in_valid;
  wire in_valid;
  wire [4:0] _0_;
  wire fc1_neuron0_bit0_r1;
  wire fc1_neuron0_r2;
  wire fc2_neuron0_bit0_r2;
  wire fc2_neuron0_bit1_r1;
  reg [4:0] valid = 5'h00;
  reg [1:0] x_f0_q;
  reg x_f1_bit0_r1;
  reg x_f1_bit1_r1;
  reg x_f1_bit1_r2;
  reg [1:0] x_f1_q;
  always @(posedge clk)
    valid <= _0_;
  always @(posedge clk)
    x_f0_q <= x_f0;
  always @(posedge clk)
    x_f1_q <= x_f1;
  always @(posedge clk)
    x_f1_bit0_r1 <= x_f1_q[0];
  always @(posedge clk)
    x_f1_bit1_r1 <= x_f1_q[1];
  always @(posedge clk)
    x_f1_bit1_r2 <= x_f1_bit1_r1;
  assign _0_ = rst ? 5'h00 : { valid[3:0], in_valid };
  toy_fc0 fc0 (
    .clk(clk),
    .fc1_neuron0_bit0_r1(fc1_neuron0_bit0_r1),
    .fc1_neuron0_r2(fc1_neuron0_r2),
    .x_f0_bit0(x_f0_q[0]),
    .x_f0_bit1(x_f0_q[1]),
    .x_f1_bit0_r1(x_f1_bit0_r1)
  );
  toy_fc1 fc1 (
    .clk(clk),
    .fc1_neuron0_bit0_r1(fc1_neuron0_bit0_r1),
    .fc1_neuron0_r2(fc1_neuron0_r2),
    .fc2_neuron0_bit0_r2(fc2_neuron0_bit0_r2),
    .fc2_neuron0_bit1_r1(fc2_neuron0_bit1_r1),
    .x_f1_bit1_r2(x_f1_bit1_r2)
  );
  assign y_o0 = { fc2_neuron0_bit1_r1, fc2_neuron0_bit0_r2 };
  assign out_valid = valid[4];
endmodule

module toy_fc0(x_f0_bit1, x_f1_bit0_r1, clk, fc1_neuron0_r2, fc1_neuron0_bit0_r1, x_f0_bit0);
  input x_f0_bit1;
  wire x_f0_bit1;
  input x_f1_bit0_r1;
  wire x_f1_bit0_r1;
  input clk;
  wire clk;
  output fc1_neuron0_r2;
  reg fc1_neuron0_r2;
  output fc1_neuron0_bit0_r1;
  reg fc1_neuron0_bit0_r1;
  input x_f0_bit0;
  wire x_f0_bit0;
  wire fc1_neuron0;
  wire fc1_neuron0_bit0;
  reg fc1_neuron0_r1;
  assign fc1_neuron0 = x_f0_bit0 ^ x_f0_bit1;
  assign fc1_neuron0_bit0 = fc1_neuron0_r1 & x_f1_bit0_r1;
  always @(posedge clk)
    fc1_neuron0_r1 <= fc1_neuron0;
  always @(posedge clk)
    fc1_neuron0_r2 <= fc1_neuron0_r1;
  always @(posedge clk)
    fc1_neuron0_bit0_r1 <= fc1_neuron0_bit0;
endmodule

module toy_fc1(fc1_neuron0_r2, fc1_neuron0_bit0_r1, clk, fc2_neuron0_bit0_r2, fc2_neuron0_bit1_r1, x_f1_bit1_r2);
  input fc1_neuron0_r2;
  wire fc1_neuron0_r2;
  input fc1_neuron0_bit0_r1;
  wire fc1_neuron0_bit0_r1;
  input clk;
  wire clk;
  output fc2_neuron0_bit0_r2;
  reg fc2_neuron0_bit0_r2;
  output fc2_neuron0_bit1_r1;
  reg fc2_neuron0_bit1_r1;
  input x_f1_bit1_r2;
  wire x_f1_bit1_r2;
  wire fc2_neuron0_bit0;
  reg fc2_neuron0_bit0_r1;
  wire fc2_neuron0_bit1;
  assign fc2_neuron0_bit0 = x_f1_bit1_r2 ? fc1_neuron0_r2 : fc1_neuron0_bit0_r1;
  assign fc2_neuron0_bit1 = ~ fc2_neuron0_bit0_r1;
  always @(posedge clk)
    fc2_neuron0_bit0_r1 <= fc2_neuron0_bit0;
  always @(posedge clk)
    fc2_neuron0_bit0_r2 <= fc2_neuron0_bit0_r1;
  always @(posedge clk)
    fc2_neuron0_bit1_r1 <= fc2_neuron0_bit1;
endmodule
// toy_stream: written by nnlogic 0.1.0
//
// AXI4-Stream wrapper around toy, 8 results in flight at most
// aresetn is synchronous and active low; it drops what is in flight
//
// s_axis_tdata, the rest is padding:
//   [1:0]  x_f0
//   [3:2]  x_f1
//
// m_axis_tdata, the rest is padding:
//   [1:0]  y_o0

module toy_stream(aresetn, s_axis_tdata, s_axis_tvalid, m_axis_tready, s_axis_tready, m_axis_tdata, m_axis_tvalid, aclk);
  input aresetn;
  wire aresetn;
  input [7:0] s_axis_tdata;
  wire [7:0] s_axis_tdata;
  input s_axis_tvalid;
  wire s_axis_tvalid;
  input m_axis_tready;
  wire m_axis_tready;
  output s_axis_tready;
  wire s_axis_tready;
  output [7:0] m_axis_tdata;
  wire [7:0] m_axis_tdata;
  output m_axis_tvalid;
  wire m_axis_tvalid;
  input aclk;
  wire aclk;
  wire _002_;
  wire _004_;
  wire [4:0] _005_;
  wire [4:0] _006_;
  wire [3:0] _007_;
  wire _009_;
  wire [3:0] _010_;
  wire [3:0] _011_;
  wire _017_;
  wire [3:0] _018_;
  wire _025_;
  wire [3:0] _026_;
  wire _030_;
  wire [2:0] _031_;
  wire [2:0] _032_;
  wire [2:0] _033_;
  wire _034_;
  wire _035_;
  wire [3:0] _036_;
  wire [3:0] _037_;
  wire _040_;
  wire [2:0] _041_;
  wire [2:0] _042_;
  wire [2:0] _043_;
  wire [3:0] _046_;
  wire [3:0] _047_;
  wire [2:0] _048_;
  wire accept;
  reg [3:0] credits = 4'h8;
  reg [2:0] fifo_consume = 3'h0;
  reg [2:0] fifo_inner_level = 3'h0;
  wire fifo_inner_r_rdy;
  reg [2:0] fifo_produce = 3'h0;
  wire [1:0] fifo_r_port__data;
  wire fifo_r_port__en;
  reg fifo_r_rdy = 1'h0;
  wire [1:0] fifo_w_data;
  wire fifo_w_port__en;
  wire fifo_w_rdy;
  wire out_valid;
  wire r_en;
  wire rst;
  reg [1:0] fifo_storage [6:0];
  initial begin
    fifo_storage[0] = 2'h0;
    fifo_storage[1] = 2'h0;
    fifo_storage[2] = 2'h0;
    fifo_storage[3] = 2'h0;
    fifo_storage[4] = 2'h0;
    fifo_storage[5] = 2'h0;
    fifo_storage[6] = 2'h0;
  end
  always @(posedge aclk) begin
    if (fifo_w_port__en)
      fifo_storage[fifo_produce] <= fifo_w_data;
  end
  reg [1:0] _115_;
  always @(posedge aclk) begin
    if (fifo_r_port__en) begin
      _115_ <= fifo_storage[fifo_consume];
    end
  end
  assign fifo_r_port__data = _115_;
  assign s_axis_tready = aresetn & (| credits);
  assign accept = s_axis_tvalid & s_axis_tready;
  assign m_axis_tvalid = aresetn & fifo_r_rdy;
  assign r_en = m_axis_tvalid & m_axis_tready;
  assign _002_ = accept & ~r_en;
  assign _004_ = r_en & ~accept;
  assign _005_ = credits - 1'h1;
  assign _006_ = credits + 1'h1;
  always @(posedge aclk)
    credits <= _007_;
  assign rst = ~ aresetn;
  assign fifo_w_rdy = fifo_inner_level != 3'h7;
  assign fifo_inner_r_rdy = | fifo_inner_level;
  assign fifo_w_port__en = fifo_w_rdy & out_valid;
  assign fifo_r_port__en = fifo_inner_r_rdy & (~fifo_r_rdy | r_en);
  assign _030_ = fifo_w_rdy & out_valid;
  assign _035_ = fifo_produce == 3'h6;
  assign _036_ = fifo_produce + 1'h1;
  assign _037_ = _035_ ? 4'h0 : _036_;
  assign _040_ = fifo_inner_r_rdy & (~fifo_r_rdy | r_en);
  assign _009_ = fifo_consume == 3'h6;
  assign _010_ = fifo_consume + 1'h1;
  assign _011_ = _009_ ? 4'h0 : _010_;
  assign _017_ = (fifo_w_rdy & out_valid) & (~ (fifo_inner_r_rdy & (~fifo_r_rdy | r_en)));
  assign _018_ = fifo_inner_level + 1'h1;
  assign _025_ = (fifo_inner_r_rdy & (~fifo_r_rdy | r_en)) & (~ (fifo_w_rdy & out_valid));
  assign _026_ = fifo_inner_level - 1'h1;
  always @(posedge aclk)
    fifo_produce <= _031_;
  always @(posedge aclk)
    fifo_consume <= _032_;
  always @(posedge aclk)
    fifo_inner_level <= _033_;
  always @(posedge aclk)
    fifo_r_rdy <= _034_;
  assign _031_ = aresetn ? _048_ : 3'h0;
  assign _041_ = _040_ ? _011_[2:0] : fifo_consume;
  assign _032_ = aresetn ? _041_ : 3'h0;
  assign _042_ = _017_ ? _018_[2:0] : fifo_inner_level;
  assign _043_ = _025_ ? _026_[2:0] : _042_;
  assign _033_ = aresetn ? _043_ : 3'h0;
  assign _034_ = aresetn ? ((fifo_inner_r_rdy & (~fifo_r_rdy | r_en)) ? 1'h1 : (r_en ? 1'h0 : fifo_r_rdy)) : 1'h0;
  assign _046_ = _004_ ? _006_[3:0] : credits;
  assign _047_ = _002_ ? _005_[3:0] : _046_;
  assign _007_ = aresetn ? _047_ : 4'h8;
  assign _048_ = _030_ ? _037_[2:0] : fifo_produce;
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
