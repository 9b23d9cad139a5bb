"""Multiply-accumulate slices: vendor's tables, our model, Yosys' model; legal cells and counts."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from pathlib import Path

import pyosys
import pytest

from nnlogic.backends.mac.model.lower import compile_mac
from nnlogic.core.errors import IRError
from nnlogic.design.build import build
from nnlogic.hw.convert import component_verilog
from nnlogic.hw.mac.core import MacCore
from nnlogic.hw.mac.verilog import MacPair, write_mac, write_mac_pair
from nnlogic.hw.slices import model_text
from nnlogic.logic.build import minimize
from nnlogic.tables.build import tabulate
from nnlogic.tools.find import find
from nnlogic.tools.run import run_tool
from tests.backends.mac.helpers import linear_net

SHARE = Path(pyosys.__file__).with_name("share") / "xilinx"
A_BITS = {"DSP48E1": 25, "DSP48E2": 27}


def yosys_model() -> str:
    """DSP48E1 as Yosys models it."""
    text = SHARE.joinpath("cells_sim.v").read_text()
    return re.search(r"^module DSP48E1 .*?^endmodule", text, re.DOTALL | re.MULTILINE)[0]


def simulate(folder: Path, *texts: str) -> list[list[str]]:
    for i, text in enumerate(texts):
        (folder / f"part{i}.v").write_text(text)
    parts = [f"part{i}.v" for i in range(len(texts))]
    args = ["-g2012", "-s", "bench", "-o", "bench.vvp", *parts]
    run_tool(find("iverilog"), args, cwd=folder, timeout=60, outputs=(folder / "bench.vvp",))
    done = run_tool(find("vvp"), ["bench.vvp"], cwd=folder, timeout=60)
    return [line.split() for line in done.output.splitlines() if not line.startswith("bench")]


TIED = """.INMODE(5'b0), .CARRYINSEL(3'b0), .CARRYIN(1'b0), .ACIN(30'b0),
    .BCIN(18'b0), .CARRYCASCIN(1'b0), .MULTSIGNIN(1'b0), .CEAD(1'b0), .CED(1'b0),
    .CECARRYIN(1'b0), .RSTALLCARRYIN(1'b0), .RSTD(1'b0), .CLK(clk)"""

# Operands, one row per clock, all registers as in a core: P is three clocks behind.
TABLE_BENCH = """
module bench;
  reg clk = 0;
  reg [159:0] rows [0:{last}];
  reg [159:0] row = 0;
  wire [47:0] p;
  integer i;
  {cell} #(.AREG(1), .BREG(1), .MREG({multiplies}), .PREG(1), .USE_MULT({multiply})) dut (.P(p),
    .A(row[29:0]), .B(row[47:30]), .C(row[95:48]), .PCIN(row[143:96]),
    .OPMODE({opmode}), .ALUMODE(row[154:151]), {tied}, .D(25'h0), .CEINMODE(1'b1),
    .CEA1(1'b0), .CEA2(1'b1), .CEB1(1'b0), .CEB2(1'b1), .CEC(1'b1), .CEM(1'b1), .CEP(1'b1),
    .CECTRL(1'b1), .CEALUMODE(1'b1), .RSTA(1'b0), .RSTB(1'b0), .RSTC(1'b0), .RSTM(1'b0),
    .RSTP(1'b0), .RSTCTRL(1'b0), .RSTALUMODE(1'b0), .RSTINMODE(1'b0));
  initial begin
    $readmemh("rows.hex", rows);
    for (i = 0; i <= {last}; i = i + 1) begin
      row = rows[i];
      repeat (4) begin
        #5 clk = 1;
        #5 clk = 0;
      end
      $display("p %h", p);
    end
  end
endmodule
"""


# What UG479 and UG579 say of OPMODE[6:4] (Z) and OPMODE[3:0] (X and Y), and of ALUMODE: 0000 is
# Z + X + Y + CIN, 0011 is Z - (X + Y + CIN). The carry input is 0 here.
Z_TABLE = {0b000: "zero", 0b001: "pcin", 0b011: "c"}
XY_TABLE = {
    "MULTIPLY": {0b0101: lambda a, b, c: a * b},
    "NONE": {
        0b0011: lambda a, b, c: (a % (1 << 30)) << 18 | b % (1 << 18),
        0b1111: lambda a, b, c: ((a % (1 << 30)) << 18 | b % (1 << 18)) + c,
    },
}
SIGNS = {"MULTIPLY": {0b0000: 1}, "NONE": {0b0000: 1, 0b0011: -1}}


@pytest.mark.parametrize("multiply", ["MULTIPLY", "NONE"])
@pytest.mark.parametrize("cell", ["DSP48E1", "DSP48E2", "DSP48E1 of Yosys"])
def test_the_model_does_what_the_vendors_tables_say(tmp_path, cell, multiply):
    rng = random.Random(3)
    name = cell.split()[0]
    width = A_BITS[name] if multiply == "MULTIPLY" else 30
    ends = [-(1 << width - 1), (1 << width - 1) - 1, 0, -1, 1]
    pairs = [(a, b) for a in ends for b in (-(1 << 17), (1 << 17) - 1, 0, -1, 1)]
    for _ in range(15):
        pairs.append((rng.randrange(ends[0], ends[1]), rng.randrange(-(1 << 17), 1 << 17)))
    rows, want = [], []
    modes = [(z, xy, s) for z in Z_TABLE for xy in XY_TABLE[multiply] for s in SIGNS[multiply]]
    for a, b in pairs:
        for z, xy, alumode in modes:
            c, pcin = (rng.choice([0, (1 << 48) - 1, rng.getrandbits(48)]) for _ in "cp")
            row = a % (1 << 30) | b % (1 << 18) << 30 | c << 48 | pcin << 96
            rows.append(row | (z << 4 | xy) << 144 | alumode << 151)
            addend = {"zero": 0, "pcin": pcin, "c": c}[Z_TABLE[z]]
            total = addend + SIGNS[multiply][alumode] * XY_TABLE[multiply][xy](a, b, c)
            want.append(f"{total % (1 << 48):012x}")
    (tmp_path / "rows.hex").write_text("".join(f"{row:x}\n" for row in rows))
    bench = TABLE_BENCH.format(
        cell=name, last=len(rows) - 1, tied=TIED, multiply=f'"{multiply}"',
        multiplies=int(multiply == "MULTIPLY"),
        opmode="row[150:144]" if name == "DSP48E1" else "{2'b00, row[150:144]}",
    )  # fmt: skip
    model = yosys_model() if cell.endswith("Yosys") else model_text()
    lines = simulate(tmp_path, bench, model)
    assert [line[1] for line in lines if line[0] == "p"] == want


# Registers as a core sets them, each changed, and all left out.
NORMAL = {"AREG": 1, "BREG": 1, "CREG": 1, "MREG": 1, "PREG": 1}
ADDING = {**NORMAL, "MREG": 0, "USE_MULT": "NONE"}
SETTINGS = [
    ADDING,
    {**ADDING, "AREG": 2, "BREG": 2},
    {**ADDING, "CREG": 0},
    NORMAL,
    *({**NORMAL, name: 0} for name in NORMAL),
    {**NORMAL, "AREG": 2},
    {**NORMAL, "BREG": 2},
    dict.fromkeys(NORMAL, 0),
]

MODEL_BENCH = """
module bench;
  reg clk = 0;
  reg [191:0] row = 0;
  wire [47:0] p{n};
  integer seed = 1, i, errors = 0;
  wire [2:0] z = row[145:144] == 2 ? 3'b011 : {{2'b00, row[144]}};
  {units}
  initial begin
    for (i = 0; i < 800; i = i + 1) begin
      row = {{$random(seed), $random(seed), $random(seed), $random(seed), $random(seed),
             $random(seed)}};
      if (row[145:144] == 3) row[145:144] = 0;
      case (i % 16)
        0: row[143:0] = 0;
        1: row[143:0] = {{144{{1'b1}}}};
        2: row[47:0] = {{1'b1, 17'b0, 5'b0, 1'b1, 24'b0}};
      endcase
      // Enables are mostly on, resets mostly off; at times none of them moves.
      if (i % 4 == 1) row[191:146] = {{23'b0, {{23{{1'b1}}}}}};
      #5 clk = 1;
      #5;
      {checks}
      clk = 0;
    end
    $display("errors %0d", errors);
  end
endmodule
"""

UNIT = """
  {cell} #({parameters}) u{n} (.P(p{n}), .A(row[29:0]), .B(row[47:30]), .C(row[95:48]),
    .PCIN(row[143:96]), .OPMODE({opmode}), .ALUMODE({alumode}),
    {tied}, .D(25'h1ffffff),
    .CEA1(row[146] | row[147]), .CEA2(row[148] | row[149]), .CEB1(row[150] | row[147]),
    .CEB2(row[151] | row[149]), .CEC(row[152]), .CEM(row[153] | row[150]), .CEP(row[154]),
    .CECTRL(i < 4 | row[155]), .CEALUMODE(i < 4 | row[156]), .CEINMODE(row[157]),
    .RSTA(&row[173:170]), .RSTB(&row[175:172]), .RSTC(&row[177:174]), .RSTM(&row[179:176]),
    .RSTP(&row[181:178]), .RSTCTRL(1'b0), .RSTALUMODE(1'b0), .RSTINMODE(1'b0));
"""


def compare_with_yosys(folder, model) -> int:
    """Number of clocks and settings in which the two models differ."""
    units, checks, names = "", "", []
    for i, setting in enumerate(SETTINGS):
        values = {**setting, "ACASCREG": setting["AREG"], "BCASCREG": setting["BREG"]}
        use = values.pop("USE_MULT", "MULTIPLY")
        parameters = ", ".join(f".{name}({value})" for name, value in values.items())
        parameters += f', .USE_MULT("{use}")'
        opmode, alumode = "{z, 4'b0101}", "4'b0000"
        if use == "NONE":
            opmode, alumode = "{z, {2{row[182]}}, 2'b11}", "{2'b00, {2{row[183]}}}"
        for cell, n in (("DSP48E1", 2 * i), ("ours_DSP48E1", 2 * i + 1)):
            units += UNIT.format(
                cell=cell, n=n, parameters=parameters, tied=TIED, opmode=opmode, alumode=alumode
            )
            names.append(f"p{n}")
        # Before OPMODE is loaded, no addend is chosen.
        checks += f"if (i > 4 && p{2 * i} !== p{2 * i + 1}) errors = errors + 1;\n"
    bench = MODEL_BENCH.format(n=", ".join(names)[1:], units=units, checks=checks)
    ours = model.replace("module DSP48E1 ", "module ours_DSP48E1 ")
    assert ours != model
    lines = simulate(folder, bench, yosys_model(), ours)
    return int(next(line[1] for line in lines if line[0] == "errors"))


def test_our_model_equals_yosys_model(tmp_path):
    assert compare_with_yosys(tmp_path, model_text()) == 0


FAULTS = {
    "unsigned operand": ("wire signed [17:0] bs", "wire [17:0] bs"),
    "no second register on B": ("BREG == 2 ? b1_q : b", "b"),
    "no register after the multiplier": ("MREG ? m_q : product", "product"),
    "narrow product": ("reg signed [A_BITS+17:0] m_q", "reg signed [A_BITS+14:0] m_q"),
    "cascade for C": ("3'b001: z = pcin", "3'b001: z = c_y"),
    "wrong sign": ("4'b0011: sum = z - xy", "4'b0011: sum = xy - z"),
    "halves apart": ("7'b0_00_0011: xy = {a_x, bs}", "7'b0_00_0011: xy = {a_x, bs[17:1], bs[1]}"),
    "enable ignored": ("else if (cem)", "else"),
    "reset ignored": ("if (rstm) m_q", "if (1'b0) m_q"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_in_the_model_are_seen(tmp_path, fault):
    old, new = FAULTS[fault]
    text = model_text()
    assert old in text
    assert compare_with_yosys(tmp_path, text.replace(old, new, 1)) > 0


CORE_BENCH = """
module bench;
  reg clk = 0;
  wire [63:0] y;
  sums dut (.clk(clk), .rst(1'b0), .in_valid(1'b1), {inputs}, {outputs});
  initial begin
    repeat (30) begin
      #5 clk = 1;
      #5 clk = 0;
    end
    $display("y %h", y[{top}:0]);
  end
endmodule
"""


@pytest.mark.parametrize(("kind", "style"), [("dsp48e1", "multiply"), ("dsp48e2", "add")])
def test_settings_we_do_not_model_give_undefined_results(tmp_path, kind, style):
    mac = compile_mac(linear_net(inputs=3, neurons=2, sparse=0.0), kind, style=style).mac
    text = component_verilog(MacCore(mac), "sums")
    width = sum(p.format.bits for p in mac.outputs)
    at, outputs = 0, []
    for port in mac.outputs:
        outputs.append(f".y_{port.name}(y[{at + port.format.bits - 1}:{at}])")
        at += port.format.bits
    bench = CORE_BENCH.format(
        inputs=", ".join(f".x_{p.name}(4'd3)" for p in mac.inputs),
        outputs=", ".join(outputs), top=width - 1,
    )  # fmt: skip
    assert "x" not in simulate(tmp_path, bench, text, model_text())[-1][1]
    for old, new in (
        (".ALUMODE(4'h0)", ".ALUMODE(4'h1)"),
        (".INMODE(5'h00)", ".INMODE(5'h04)"),
        (".CARRYIN(1'h0)", ".CARRYIN(1'h1)"),
        ('.USE_SIMD("ONE48")', '.USE_SIMD("TWO24")'),
        ('.A_INPUT("DIRECT")', '.A_INPUT("CASCADE")'),
        (".BCASCREG(32'd2)", ".BCASCREG(32'd0)"),
        (".OPMODE(7'h35)" if kind == "dsp48e1" else ".OPMODE(9'h033)", ".OPMODE(25)"),  # Z = P
    ):
        assert old in text, (old, text)
        lines = simulate(tmp_path, bench, text.replace(old, new), model_text())
        assert set(lines[-1][1]) >= {"x"}, new


@pytest.mark.parametrize(("kind", "style"), [("dsp48e1", "add"), ("dsp48e2", "multiply")])
def test_cells_are_those_of_the_vendor_and_nothing_else_adds(tmp_path, kind, style):
    mac = compile_mac(linear_net(inputs=6, neurons=4, sparse=0.0), kind, column=4, style=style).mac
    files = write_mac(mac, tmp_path)
    assert [f.name for f in files] == ["sums.v", "dsp48_models.v"]
    cells = yosys_model() if kind == "dsp48e1" else SHARE.joinpath("cells_xtra.v").read_text()
    (tmp_path / "cells.v").write_text(cells)
    script = (
        "read_verilog -lib cells.v\nread_verilog sums.v\nhierarchy -check -top sums\n"
        "proc\nopt\ntee -o stat.txt stat\n"
    )
    (tmp_path / "job.ys").write_text(script)
    run_tool(
        find("yosys"), ["job.ys"], cwd=tmp_path, timeout=120,
        outputs=(tmp_path / "stat.txt",), failure_phrases=("ERROR:",),
    )  # fmt: skip
    stat = (tmp_path / "stat.txt").read_text()
    rows = re.findall(r"^\s+(\d+)(?:\s+\S+)?\s+(\$?\w+)$", stat, re.MULTILINE)
    counts = {name: int(count) for count, name in rows if name[0] == "$" or name.isupper()}
    assert counts.pop(kind.upper()) == mac.slices
    assert set(counts) <= {"$dff", "$sdff"}


def test_the_fabric_variant_has_no_cells(tmp_path):
    mac = compile_mac(linear_net(inputs=3, neurons=2), "fabric").mac
    (path,) = write_mac(mac, tmp_path)
    assert "DSP48" not in path.read_text()


def test_cores_that_do_not_belong_together_are_refused(tmp_path):
    net = linear_net(inputs=3, neurons=2, levels=1)
    plan = compile_mac(net)
    design = build(
        minimize(tabulate(plan.tail), jobs=1, cache_dir=False), name="sums_tail", stream=False
    )
    with pytest.raises(IRError, match="no pair"):
        write_mac_pair(MacPair("sums", plan.mac, design), tmp_path)
    named = replace(plan.mac, name="sums_mac")
    files = write_mac_pair(MacPair("sums", named, design), tmp_path)
    assert [f.name for f in files] == [
        "sums.v", "sums_mac.v", "sums_tail.v", "sums_stream.v", "dsp48_models.v"
    ]  # fmt: skip
