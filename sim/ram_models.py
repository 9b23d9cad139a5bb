"""Simulation models of block RAMs, in the modes synthesis uses for engines.

Ports as in the vendors' libraries (UG473, UG573; Lattice FPGA-TN-02204). Every port may read and
write; what a port reads is what was there before the clock. No output registers, no resets, no
inverted clocks: `unknown_mode` finds netlists that have them.
"""

from __future__ import annotations

import re

CORE = """\
// Two ports on bytes of nine bits. Widths are 0 (not used), 1, 2, 4, 9, 18, 36 or 72.
module nnlogic_ram #(
  parameter LOG = 12, parameter RA = 0, parameter WA = 0, parameter RB = 0, parameter WB = 0,
  parameter SPREAD = 0
) (
  input clka, input ena, input [7:0] wea, input [LOG+2:0] addra, input [71:0] da,
  output reg [71:0] qa,
  input clkb, input enb, input [7:0] web, input [LOG+2:0] addrb, input [71:0] db,
  output reg [71:0] qb
);
  reg [8:0] mem [0:(1<<LOG)-1];
  // Contents of 32 bytes. SPREAD: words of 18 bits stand in fields of 20.
  task put(input integer at, input [319:0] data, input [31:0] parity);
    integer n;
    for (n = 0; n < 32; n = n + 1)
      mem[32 * at + n] = SPREAD ? data[20 * (n / 2) + 9 * (n % 2) +: 9]
                                 : {parity[n], data[8 * n +: 8]};
  endtask
"""

PORT = """\
  integer i{p};
  always @(posedge clk{p})
    if (en{p}) begin
      if (R{P} > 8)
        for (i{p} = 0; i{p} < R{P} / 9; i{p} = i{p} + 1)
          q{p}[9 * i{p} +: 9] <= mem[addr{p}[LOG+2:3] / (R{P} / 9) * (R{P} / 9) + i{p}];
      else if (R{P} > 0)
        for (i{p} = 0; i{p} < R{P}; i{p} = i{p} + 1)
          q{p}[i{p}] <= mem[addr{p}[LOG+2:3]][addr{p}[2:0] / R{P} * R{P} + i{p}];
    end
  generate
    if (W{P} > 8) begin : write_{p}
      integer j;
      always @(posedge clk{p})
        if (en{p})
          for (j = 0; j < W{P} / 9; j = j + 1)
            if (we{p}[j]) mem[addr{p}[LOG+2:3] / (W{P} / 9) * (W{P} / 9) + j] <= d{p}[9 * j +: 9];
    end else if (W{P} > 0) begin : write_narrow_{p}
      integer j;
      always @(posedge clk{p})
        if (en{p} && we{p}[0])
          for (j = 0; j < W{P}; j = j + 1)
            mem[addr{p}[LOG+2:3]][addr{p}[2:0] / W{P} * W{P} + j] <= d{p}[j];
    end
  endgenerate
"""

CASCADE = ("input CASCADEINA", "input CASCADEINB", "output CASCADEOUTA", "output CASCADEOUTB")
"""Pins that join two blocks to one of 64 K x 1; not modelled."""

_UNKNOWN = re.compile(
    r"""\.(DO[AB]_REG\(\d+'s?[hd]0*1\)|REGMODE_[AB]\("OUTREG"\)|IS_CLK\w+_INVERTED\(1'h1\)"""
    r"""|CLK[AB]MUX\("INV"\)|EN_ECC_\w+\("TRUE"\)|(CASCADE_ORDER|RAM_EXTENSION)_\w+\("(?!NONE)\w+"\))"""
)


def unknown_mode(netlist: str) -> str:
    """Return the first setting in a Verilog netlist that the models do not have, or nothing."""
    found = _UNKNOWN.search(netlist)
    return found[0] if found else ""


def ram_models() -> str:
    """Return Verilog of RAMB18E1, RAMB36E1, RAMB18E2, RAMB36E2 and DP16KD."""
    core = CORE + PORT.format(p="a", P="A") + PORT.format(p="b", P="B") + "endmodule\n"
    new = {"DIADI": "DINADIN", "DIBDI": "DINBDIN", "DIPADIP": "DINPADINP", "DIPBDIP": "DINPBDINP",
           "DOADO": "DOUTADOUT", "DOBDO": "DOUTBDOUT", "DOPADOP": "DOUTPADOUTP",
           "DOPBDOP": "DOUTPBDOUTP"}  # fmt: skip
    parts = [core]
    for kilobits, log in ((18, 11), (36, 12)):
        parts.append(_byte_wide(f"RAMB{kilobits}E1", log, 16 if log == 12 else 14, {}))
        parts.append(_byte_wide(f"RAMB{kilobits}E2", log, 15 if log == 12 else 14, new))
    return "\n".join([*parts, _dp16kd()])


def _byte_wide(name: str, log: int, address: int, rename: dict[str, str]) -> str:
    """A RAMB: simple dual port where a width is the double of a port's."""
    half = 1 << (log - 10 + 3)
    pins = [
        *(f"input {n}" for n in ("CLKARDCLK", "CLKBWRCLK", "ENARDEN", "ENBWREN", "REGCEAREGCE",
          "REGCEB", "RSTRAMARSTRAM", "RSTRAMB", "RSTREGARSTREG", "RSTREGB")),
        f"input [{address - 1}:0] ADDRARDADDR", f"input [{address - 1}:0] ADDRBWRADDR",
        f"input [{half - 1}:0] DIADI", f"input [{half - 1}:0] DIBDI",
        f"input [{half // 8 - 1}:0] DIPADIP", f"input [{half // 8 - 1}:0] DIPBDIP",
        f"input [{half // 8 - 1}:0] WEA", f"input [{half // 4 - 1}:0] WEBWE",
        f"output [{half - 1}:0] DOADO", f"output [{half - 1}:0] DOBDO",
        f"output [{half // 8 - 1}:0] DOPADOP", f"output [{half // 8 - 1}:0] DOPBDOP",
        *(("input ADDRENA", "input ADDRENB", "input SLEEP") if rename else CASCADE),
    ]  # fmt: skip
    inits = [f"INIT_{i:02X}" for i in range(1 << (log - 5))]
    parities = [f"INITP_{i:02X}" for i in range(1 << (log - 8))]
    plain = ("DOA_REG", "DOB_REG", "READ_WIDTH_A", "READ_WIDTH_B", "WRITE_WIDTH_A", "WRITE_WIDTH_B",
             "SRVAL_A", "SRVAL_B", "WRITE_MODE_A", "WRITE_MODE_B", "RAM_MODE", "INIT_A", "INIT_B",
             "RSTREG_PRIORITY_A", "RSTREG_PRIORITY_B", "RDADDR_COLLISION_HWCONFIG",
             "SIM_COLLISION_CHECK", "SIM_DEVICE", "CLOCK_DOMAINS", "RAM_EXTENSION_A",
             "RAM_EXTENSION_B")  # fmt: skip
    lines = [
        f"  wire simple = READ_WIDTH_A == {9 * half // 4} || WRITE_WIDTH_B == {9 * half // 4};",
        "  wire [71:0] da, db, qa, qb;",
        f"  wire [{log + 2}:0] aa = ADDRARDADDR[{log + 2}:0], ab = ADDRBWRADDR[{log + 2}:0];",
        "  wire [7:0] write_a = WEA, write_b = WEBWE;",
        "  genvar g;",
        "  generate for (g = 0; g < 8; g = g + 1) begin : lane",
        f"    if (g < {half // 8}) begin : low",
        "      assign da[9*g +: 9] = {DIPADIP[g], DIADI[8*g +: 8]};",
        "      assign db[9*g +: 9] = simple ? {DIPADIP[g], DIADI[8*g +: 8]}",
        "                                   : {DIPBDIP[g], DIBDI[8*g +: 8]};",
        "      assign {DOPADOP[g], DOADO[8*g +: 8]} = qa[9*g +: 9];",
        f"      assign {{DOPBDOP[g], DOBDO[8*g +: 8]}} = simple ? qa[9*(g+{half // 8}) +: 9]",
        "                                                      : qb[9*g +: 9];",
        f"    end else if (g < {half // 4}) begin : high",
        "      assign da[9*g +: 9] = 9'd0;",
        f"      assign db[9*g +: 9] = {{DIPBDIP[g-{half // 8}], DIBDI[8*(g-{half // 8}) +: 8]}};",
        "    end else begin : none",
        "      assign da[9*g +: 9] = 9'd0;",
        "      assign db[9*g +: 9] = 9'd0;",
        "    end",
        "  end endgenerate",
        f"  nnlogic_ram #(.LOG({log}), .RA(READ_WIDTH_A), .WA(WRITE_WIDTH_A), .RB(READ_WIDTH_B),",
        "    .WB(WRITE_WIDTH_B)) ram (",
        "    .clka(CLKARDCLK), .ena(ENARDEN), .wea(write_a), .addra(aa), .da(da), .qa(qa),",
        "    .clkb(CLKBWRCLK), .enb(ENBWREN), .web(write_b), .addrb(ab), .db(db), .qb(qb));",
        "`ifndef YOSYS",
        "  initial begin",
        *(
            f"    ram.put({i}, {name}, {parities[i // 8]}[{32 * (i % 8)} +: 32]);"
            for i, name in enumerate(inits)
        ),
        "  end",
        "`endif",
    ]
    body = _module(name, pins, [*plain, *inits, *parities], lines)
    for old, other in rename.items():
        body = re.sub(rf"\b{old}\b", other, body)
    return body


def _dp16kd() -> str:
    """Lattice's: with 36 bits, port A writes and port B reads, each on the pins of both."""
    pins, lines = [], ["  wire wide = DATA_WIDTH_A == 36;"]
    for port in "AB":
        pins += [f"input DI{port}{i}" for i in range(18)] + [
            f"output DO{port}{i}" for i in range(18)
        ]
        pins += [f"input AD{port}{i}" for i in range(14)] + [f"input CS{port}{i}" for i in range(3)]
        pins += [f"input {n}{port}" for n in ("CE", "OCE", "CLK", "WE", "RST")]
        data = ", ".join(f"DI{port}{i}" for i in reversed(range(18)))
        where = ", ".join(f"AD{port}{i}" for i in reversed(range(14)))
        low = port.lower()
        lines += [
            f"  wire [17:0] d{low} = {{{data}}};",
            f"  wire [13:0] a{low} = {{{where}}};",
            f"  wire [71:0] q{low};",
            f"  wire en{low} = CE{port} & ~(CS{port}0 | CS{port}1 | CS{port}2);",
            f"  wire [7:0] we{low} = !WE{port} ? 8'd0",
            f"    : DATA_WIDTH_{port} == 36 ? {{4'd0, a{low}[3:0]}}",
            f"    : DATA_WIDTH_{port} == 18 ? {{6'd0, a{low}[1:0]}} : 8'd1;",
        ]
    for port, at in (("A", 0), ("B", 18)):
        source = f"wide ? qb[{at + 17}:{at}] : q{port.lower()}[17:0]"
        names = ", ".join(f"DO{port}{i}" for i in reversed(range(18)))
        lines.append(f"  assign {{{names}}} = {source};")
    inits = [f"INITVAL_{i:02X}" for i in range(64)]
    plain = ("DATA_WIDTH_A", "DATA_WIDTH_B", "REGMODE_A", "REGMODE_B", "RESETMODE", "GSR",
             "ASYNC_RESET_RELEASE", "CSDECODE_A", "CSDECODE_B", "WRITEMODE_A", "WRITEMODE_B",
             "CLKAMUX", "CLKBMUX")  # fmt: skip
    lines += [
        "  nnlogic_ram #(.LOG(11), .SPREAD(1), .RA(DATA_WIDTH_A == 36 ? 0 : DATA_WIDTH_A),",
        "    .WA(DATA_WIDTH_A), .RB(DATA_WIDTH_B),",
        "    .WB(DATA_WIDTH_B == 36 ? 0 : DATA_WIDTH_B)) ram (",
        "    .clka(CLKA), .ena(ena), .wea(wea), .addra(aa), .da({36'd0, wide ? db : 18'd0, da}),",
        "    .qa(qa), .clkb(CLKB), .enb(enb), .web(web), .addrb(ab), .db({54'd0, db}), .qb(qb));",
        "`ifndef YOSYS",
        "  initial begin",
        *(f"    ram.put({i}, {name}, 32'd0);" for i, name in enumerate(inits)),
        "  end",
        "`endif",
    ]
    return _module("DP16KD", pins, [*plain, *inits], lines)


def _module(name: str, pins: list[str], parameters: list[str], lines: list[str]) -> str:
    """A module whose parameters are zero unless given."""
    widths = {"INIT_": "[255:0] ", "INITP_": "[255:0] ", "INITVAL_": "[319:0] "}
    shown = [
        f"  parameter {next((w for p, w in widths.items() if n.startswith(p)), '')}{n} = 0"
        for n in parameters
    ]
    head = f"module {name} #(\n" + ",\n".join(shown) + "\n) (\n  " + ",\n  ".join(pins) + "\n);"
    return "\n".join([head, *lines, "endmodule\n"])
