"""The slice: vendor's table, our simulation model, Yosys' model and the fabric variant agree."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pyosys
import pytest

from nnlogic.backends.dsp.model.ops import OPERATIONS
from nnlogic.core.errors import UsageError
from nnlogic.hw.convert import component_verilog
from nnlogic.hw.dsp.logic_unit import LOGIC_MODES, opmode
from nnlogic.hw.dsp.slice import SLICE_LATENCY, LogicSlice
from nnlogic.hw.slices import check_kind, model_text
from nnlogic.tools.find import find
from nnlogic.tools.run import run_tool

ALL = (1 << 48) - 1
# All four operand pairs in neighbouring lanes, then corners.
CORNERS = [
    (0xAAAA_AAAA_AAAA, 0xCCCC_CCCC_CCCC),
    *((x, z) for x in (0, ALL, 1, 1 << 47) for z in (0, ALL, 1 << 17, 1 << 18)),
]


def yosys_model() -> str:
    """DSP48E1 as Yosys models it."""
    text = Path(pyosys.__file__).with_name("share").joinpath("xilinx/cells_sim.v").read_text()
    return re.search(r"^module DSP48E1 .*?^endmodule", text, re.DOTALL | re.MULTILINE)[0]


def simulate(folder: Path, *texts: str) -> list[list[str]]:
    for i, text in enumerate(texts):
        (folder / f"part{i}.v").write_text(text)
    parts = [f"part{i}.v" for i in range(len(texts))]
    out = folder / "bench.vvp"
    args = ["-g2012", "-s", "bench", "-o", "bench.vvp", *parts]
    run_tool(find("iverilog"), args, cwd=folder, timeout=60, outputs=(out,))
    done = run_tool(find("vvp"), ["bench.vvp"], cwd=folder, timeout=60)
    return [line.split() for line in done.output.splitlines() if not line.startswith("bench")]


SLICE_BENCH = """
module bench;
  reg clk = 0;
  reg [100:0] rows [0:{last}];
  reg [100:0] row = 0;
  wire [47:0] p;
  integer i;
  slice dut (.clk(clk), .rst(1'b0), .x(row[95:48]), .z(row[47:0]), .opcode(row[100:96]), .p(p));
  initial begin
    $readmemh("rows.hex", rows);
    for (i = 0; i <= {last}; i = i + 1) begin
      row = rows[i];
      #5 clk = 1;
      #5 $display("p %h", p);
      clk = 0;
    end
  end
endmodule
"""


def slice_results(folder, kind, model, stimuli):
    rows = "".join(f"{op << 96 | x << 48 | z:x}\n" for op, x, z in stimuli)
    (folder / "rows.hex").write_text(rows)
    bench = SLICE_BENCH.format(last=len(stimuli) - 1)
    text = component_verilog(LogicSlice(kind), "slice")
    lines = simulate(folder, bench, text, model)
    return [line[1] for line in lines if line and line[0] == "p"]


def lanewise(table: int, x: int, z: int) -> int:
    out = 0
    for pair, (a, b) in enumerate(((~x, ~z), (x, ~z), (~x, z), (x, z))):
        out |= (a & b) if table >> pair & 1 else 0
    return out & ALL


def every_mode(seed: int):
    rng = random.Random(seed)
    pairs = CORNERS + [(rng.getrandbits(48), rng.getrandbits(48)) for _ in range(8)]
    stimuli = [(mode, x, z) for x, z in pairs for mode in LOGIC_MODES]
    rng.shuffle(stimuli)
    return stimuli


@pytest.mark.parametrize("kind", ["dsp48e1", "dsp48e1 of Yosys", "dsp48e2", "fabric"])
def test_every_opcode_is_what_the_vendor_says(tmp_path, kind):
    stimuli = every_mode(1)
    model = yosys_model() if kind.endswith("Yosys") else model_text()
    rows = [(mode.opcode, x, z) for mode, x, z in stimuli]
    got = slice_results(tmp_path, kind.split()[0], model, [*rows, rows[0]])
    want = [f"{lanewise(mode.table, x, z):012x}" for mode, x, z in stimuli]
    assert got[SLICE_LATENCY - 1 : -1] == want[: len(got) - SLICE_LATENCY]
    assert len(got) - SLICE_LATENCY == len(want) - 1


def test_the_vendors_words_and_our_tables_agree():
    for mode in LOGIC_MODES:
        text = mode.text.replace("(NOT X)", "(1 - X)").replace("(NOT Z)", "(1 - Z)")
        invert = re.search(r"\b(NAND|NOR|XNOR)\b", text) is not None
        for plain, operator in (("XNOR", "^"), ("NAND", "&"), ("NOR", "|")):
            text = text.replace(plain, operator)
        for plain, operator in (("XOR", "^"), ("AND", "&"), ("OR", "|")):
            text = text.replace(plain, operator)
        for index in range(4):
            value = eval(text, {"X": index & 1, "Z": index >> 1})  # noqa: S307
            assert mode.table >> index & 1 == value ^ invert, mode


def test_the_compilers_operations_are_modes_of_the_slice():
    modes = {mode.opcode: mode for mode in LOGIC_MODES}
    assert len(modes) == 16
    assert {op.table for op in OPERATIONS} == {mode.table for mode in LOGIC_MODES}
    for op in OPERATIONS:
        assert modes[op.opcode].table == op.table
        assert opmode(op.y_ones, 7) == op.opmode
        assert opmode(op.y_ones, 9) == op.opmode


# Registers as the engine sets them, each left out, and all left out.
REGISTERS = ("AREG", "BREG", "CREG", "PREG", "OPMODEREG", "ALUMODEREG")
SETTINGS = [{}, *({name: 0} for name in REGISTERS), dict.fromkeys(REGISTERS, 0)]

MODEL_BENCH = """
module bench;
  reg clk = 0;
  reg [114:0] row = 0;
  wire [47:0] p{n};
  integer seed = 1, i, errors = 0;
  {units}
  wire [3:0] mode = {{row[96] | row[97], 1'b1, row[98], row[99]}};
  initial begin
    for (i = 0; i < 3000; i = i + 1) begin
      row = {{$random(seed), $random(seed), $random(seed), $random(seed)}};
      case (i % 16)
        0: row[95:0] = {{48'haaaaaaaaaaaa, 48'hcccccccccccc}};
        1: row[95:0] = 0;
        2: row[95:0] = {{96{{1'b1}}}};
      endcase
      // Enables are mostly on, resets mostly off; at times none of them moves.
      if (i % 4 == 1) row[114:101] = {{6'b0, 8'hff}};
      #5;
      clk = 1;
      #5;
      {checks}
      clk = 0;
    end
    $display("errors %0d", errors);
  end
endmodule
"""

UNIT = """
  {cell} #({parameters}) u{n} (.P(p{n}), .CLK(clk), .A(row[95:66]), .B(row[65:48]), .C(row[47:0]),
    .OPMODE({{3'b011, row[100], 3'b011}}), .ALUMODE(mode), .INMODE(5'b0), .CARRYINSEL(3'b0),
    .CARRYIN(1'b0), .D(25'h1ffffff), .ACIN(30'b0), .BCIN(18'b0), .PCIN(48'b0),
    .CARRYCASCIN(1'b0), .MULTSIGNIN(1'b0),
    .CEA2(row[101]), .CEB2(row[102]), .CEC(row[103]), .CECTRL(row[104]), .CEALUMODE(row[105]),
    .CEP(row[106]), .CEA1(1'b0), .CEB1(1'b0), .CEAD(1'b0), .CECARRYIN(1'b0), .CED(1'b0),
    .CEINMODE(1'b0), .CEM(1'b0),
    .RSTA(&row[109:107]), .RSTB(&row[110:108]), .RSTC(&row[111:109]), .RSTP(&row[112:110]),
    .RSTCTRL(1'b0), .RSTALUMODE(1'b0), .RSTALLCARRYIN(1'b0), .RSTD(1'b0), .RSTINMODE(1'b0),
    .RSTM(1'b0));
"""


def compare_with_yosys(folder, model) -> int:
    """Number of clocks and settings in which the two models differ."""
    units, checks, names = "", "", []
    for i, setting in enumerate(SETTINGS):
        values = {"MREG": 0, **dict.fromkeys(REGISTERS, 1), **setting}
        values |= {"ACASCREG": values["AREG"], "BCASCREG": values["BREG"]}
        parameters = ", ".join(f".{name}({value})" for name, value in values.items())
        parameters += ', .USE_MULT("NONE")'
        for cell, n in (("DSP48E1", 2 * i), ("ours_DSP48E1", 2 * i + 1)):
            units += UNIT.format(cell=cell, n=n, parameters=parameters)
            names.append(f"p{n}")
        # Before the control registers are loaded, no mode of the logic unit is chosen.
        checks += f"if (i > 3 && p{2 * i} !== p{2 * i + 1}) errors = errors + 1;\n"
    bench = MODEL_BENCH.format(n=", ".join(names)[1:], units=units, checks=checks)
    ours = model.replace("module DSP48E1 ", "module ours_DSP48E1 ")
    assert ours != model
    lines = simulate(folder, bench, yosys_model(), ours)
    return int(next(line[1] for line in lines if line[0] == "errors"))


def test_our_model_equals_yosys_model(tmp_path):
    assert compare_with_yosys(tmp_path, model_text()) == 0


FAULTS = {
    "wrong function": ("xs & ~zs", "xs & zs"),
    "swapped modes": ("5'b1_1110", "5'b0_1000"),
    "late result": ("PREG ? p_q", "PREG ? p_q ^ c_q"),
    "reset ignored": ("if (rstc)", "if (1'b0)"),
    "enable ignored": ("else if (ceb2)", "else"),
    "halves apart": ("x[47:18]", "{x[47:19], x[19]}"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_in_the_model_are_seen(tmp_path, fault):
    old, new = FAULTS[fault]
    text = model_text()
    assert old in text
    assert compare_with_yosys(tmp_path, text.replace(old, new, 1)) > 0


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('.USE_MULT("NONE")', '.USE_MULT("MULTIPLY")'),
        (".MREG(32'd0)", ".MREG(32'd1)"),
        (".CARRYIN(1'h0)", ".CARRYIN(1'h1)"),
        (".ALUMODE(opcode[3:0])", ".ALUMODE(4'b0001)"),
        (".INMODE(5'h00)", ".INMODE(5'h01)"),
    ],
)
def test_settings_we_do_not_model_give_undefined_results(tmp_path, old, new):
    text = component_verilog(LogicSlice("dsp48e1"), "slice")
    assert old in text, text
    rows = "".join(f"{0b01100 << 96 | 5 << 48 | 3:x}\n" for _ in range(4))
    (tmp_path / "rows.hex").write_text(rows)
    lines = simulate(tmp_path, SLICE_BENCH.format(last=3), text.replace(old, new), model_text())
    assert [line[1] for line in lines][-1] == "x" * 12


def test_no_such_slice():
    with pytest.raises(UsageError, match="dsp48e1, dsp48e2, fabric"):
        check_kind("dsp58")
