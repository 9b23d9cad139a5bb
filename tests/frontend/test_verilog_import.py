"""LogicNets-family Verilog: what is read, and what is refused with file and line."""

import re
from contextlib import suppress

import numpy as np
import pytest
from helpers_verilog import MYREG, random_family
from hypothesis import given, settings
from hypothesis import strategies as st

from nnlogic.core import bits
from nnlogic.core.errors import CheckpointError, UnsupportedModel
from nnlogic.frontend import load
from nnlogic.frontend.verilog.case import number, read_case
from nnlogic.frontend.verilog.load import load_verilog
from nnlogic.frontend.verilog.text import NotTables
from nnlogic.quant.ir import QuantNet


def buses(net, codes):
    """Input and output codes as integers: port after port, LSB first."""
    out = []
    for ports, values in ((net.inputs, codes), (net.outputs, net.evaluate(codes))):
        words = bits.raw_to_bits(values, [p.format.bits for p in ports])
        out.append([sum(int(b) << i for i, b in enumerate(column)) for column in words.T])
    return out


def assert_same(net, family, n=200):
    x, y = buses(net, bits.random_codes(net.inputs, n))
    assert y == [family.evaluate(value) for value in x]


def one_file(tmp_path, text):
    path = tmp_path / "top.v"
    path.write_text(text)
    return path


def evaluate(path, values):
    """Outputs of a network with one input and one output bus."""
    net = load_verilog(path)
    widths = [p.format.bits for p in net.inputs]
    total = sum(widths)
    raw = np.array([[v >> i & 1 for v in values] for i in range(total)], dtype=bool)
    y = net.evaluate(bits.bits_to_raw(raw, widths))
    out = bits.raw_to_bits(y, [p.format.bits for p in net.outputs])
    return [sum(int(b) << i for i, b in enumerate(column)) for column in out.T]


def refused(path):
    with pytest.raises(UnsupportedModel) as caught:
        load_verilog(path)
    assert caught.value.problems or caught.value.why
    return caught.value.text()


def test_separate_files(tmp_path):
    family = random_family()
    net = load(family.write(tmp_path / "iiot"))
    assert net.name == "iiot"
    assert [layer.name for layer in net.layers] == ["layer0", "layer1", "layer2"]
    assert [len(layer.formats) for layer in net.layers] == [5, 4, 2]
    assert [p.name for p in net.inputs] == [f"M0_{i}" for i in range(6)]
    assert {str(p.format) for p in net.inputs} == {"u2"}
    assert [p.name for p in net.outputs] == ["M3_0", "M3_1"]
    assert net.info["verilog"]["registers"] == 3
    assert net.info["verilog"]["ties"] == {"rst": 0}
    assert_same(net, family)


def test_all_in_one_file_reads_the_same(tmp_path):
    family = random_family(1)
    apart = load_verilog(family.write(tmp_path / "a"))
    (tmp_path / "b").mkdir()
    path = tmp_path / "b" / "logicnet.v"
    path.write_text("`timescale 1ns / 1ps\n" + "\n".join(family.files().values()))
    together = load_verilog(path)
    assert (
        together.text().replace("b\n", "a\n", 1).splitlines()[1:] == (apart.text().splitlines()[1:])
    )
    assert_same(together, family)


def test_modules_in_oddly_named_files_are_found(tmp_path):
    family = random_family(2)
    path = family.write(tmp_path)
    (tmp_path / "layer1.v").rename(tmp_path / "something_else.v")
    assert_same(load_verilog(path), family)


def test_the_run_survives_saving(tmp_path):
    family = random_family(3)
    load_verilog(family.write(tmp_path)).save(tmp_path / "net.safetensors")
    assert_same(QuantNet.load(tmp_path / "net.safetensors"), family)


@given(st.integers(0, 10_000), st.integers(1, 3))
@settings(max_examples=15, deadline=None)
def test_any_network_reads_as_it_computes(tmp_path_factory, seed, depth):
    family = random_family(seed, sizes=(3, 4, 2)[:depth], features=4)
    rng = np.random.default_rng(seed)
    for layer in family.layers:  # any order of bits, also single ones and repeated ones
        for pins, _ in layer:
            pins[:] = rng.permutation(pins).tolist()
            if rng.random() < 0.3:
                pins[0] = pins[1]
    assert_same(load_verilog(family.write(tmp_path_factory.mktemp("v"))), family, 64)


def test_a_bit_read_alone_splits_its_neuron(tmp_path):
    family = random_family(4, sizes=(3, 1), features=3)
    family.layers[1][0][0][:] = [5, 2, 1, 0]
    net = load_verilog(family.write(tmp_path))
    assert [str(f) for f in net.layers[0].formats] == ["u2", "u1", "u1", "u1", "u1"]
    assert_same(net, family)


@pytest.mark.parametrize(
    "case",
    [
        "case (a) 2'b00: y = 1; 2'b01: y = 0; 2'b10: y = 0; 2'b11: y = 1; endcase",
        "case (a) 2'd0: y = 1'b1; 2'h3: y = 1'b1; default: y = 1'b0; endcase",
        "case (a) 0, 3 : y = 1'd1 ;\n default y = 0; endcase",
        "case ({a[1], a[0]}) 2'B0_0: begin y = 1; end 3: begin y = 'h1; end default: y=0; endcase",
        "y = 0; case (a) 2'o0: y = ONE; 3: y = ONE; endcase",
        "case (a) 0: y = 1; 0: y = 0; 3: y = 1; 9: y = 0; default: y = 2'b10; endcase",
        "case (a) // comment 7: y = 1;\n 0: y = 1; /* 1: y = 1; */ 3: y = 1; default: y=0; endcase",
    ],
)
@pytest.mark.parametrize("block", ["always @(a) begin", "always @* begin", "always@( * )begin"])
def test_forms_of_a_table(tmp_path, case, block):
    text = f"module t(a, y); input [1:0] a; output y; reg y; localparam ONE = 1'b1;\n{block} {case}"
    assert evaluate(one_file(tmp_path, text + " end endmodule\n"), [0, 1, 2, 3]) == [1, 0, 0, 1]


def test_registers_of_other_forms(tmp_path):
    text = """
module n(input wire [1:0] i, output reg [1:0] o);
  always @(*) case (i) 0: o = 3; 1: o = 2; 2: o = 0; default: o = 1; endcase
endmodule
module stage(input clk, input arst_n, input [1:0] d, output reg [1:0] q);
  always @(posedge clk or negedge arst_n) if (~arst_n) q <= 2'b0; else q <= d;
endmodule
module net #(parameter W = 2) (input clk, arst_n, input [W-1:0] x, output [W - 1 : 0] y);
  wire [W-1:0] a, b; reg [W-1:0] c;
  stage s0 (clk, arst_n, x, a);
  n n0 (.i(a), .o(b));
  always @(posedge clk) begin c <= {b[0 +: 1], b[1]}; end
  n n1 (.o(y), .i(c[1:0]));
endmodule
"""
    table = [3, 2, 0, 1]
    swap = [0, 2, 1, 3]
    path = one_file(tmp_path, text)
    assert evaluate(path, range(4)) == [table[swap[table[v]]] for v in range(4)]
    facts = load_verilog(path).info["verilog"]
    assert (facts["registers"], facts["ties"], facts["clock"]) == (2, {"arst_n": 1}, "clk")


def test_a_clocked_table_is_a_register(tmp_path):
    text = """module net(input clk, input [1:0] x, output [1:0] y); reg [1:0] q; assign y = q;
  always @(posedge clk) begin case (x) 0: q <= 3; default: q <= 1; endcase end endmodule"""
    path = one_file(tmp_path, text)
    assert evaluate(path, range(4)) == [3, 1, 1, 1]
    assert load_verilog(path).info["verilog"]["registers"] == 1


def test_constants_and_inputs_may_pass_to_the_outputs(tmp_path):
    text = """module net(input [2:0] x, output [5:0] y); wire t;
  assign y = {2'b10, x[2], t, {2{x[0]}}};
  n n0 (.i({x[0], 1'b1}), .o(t)); endmodule
module n(input [1:0] i, output reg o);
  always @(i) case (i) 0: o = 0; 1: o = 1; 2: o = 1; 3: o = 0; endcase endmodule"""
    expected = [32 | (v >> 2 & 1) << 3 | (1 - (v & 1)) << 2 | 3 * (v & 1) for v in range(8)]
    assert evaluate(one_file(tmp_path, text), range(8)) == expected


def test_two_kinds_of_layer(tmp_path):
    """PolyLUT-Add: adder modules follow the layers without a register."""
    family = random_family(5, sizes=(4, 2), features=4)
    files = family.files()
    text = "\n".join(files.values()).replace("layer1", "adder0").replace("logicnet", "polylut")
    path = tmp_path / "polylut.v"
    path.write_text(text)
    net = load_verilog(path)
    assert [layer.name for layer in net.layers] == ["layer0", "adder0"]
    assert_same(net, family)


def test_missing_entries_are_named(tmp_path):
    family = random_family()
    path = family.write(tmp_path)
    for name, gone in (("layer0_N1", ["0011", "1111"]), ("layer1_N0", ["0000"])):
        file = tmp_path / f"{name}.v"
        text = "".join(
            line
            for line in file.read_text().splitlines(keepends=True)
            if not any(f"'b{g}:" in line for g in gone)
        )
        file.write_text(text)
    text = refused(path)
    for part in (
        "layer0_N1.v:6 layer0_N1  2 of 16 entries are missing, the first is 4'b0011",
        "layer1_N0.v:6 layer1_N0  1 of 16 entries are missing, the first is 4'b0000",
        "latch",
    ):
        assert part in text


def test_missing_modules_are_all_named(tmp_path):
    path = random_family().write(tmp_path)
    (tmp_path / "layer0_N0.v").unlink()
    (tmp_path / "layer1.v").unlink()
    text = refused(path)
    assert "2 problems" in text
    assert re.search(r"layer0.v:4 layer0 +the module layer0_N0 is in no file here", text)
    assert re.search(r"logicnet.v:9 logicnet +the module layer1 is in no file here", text)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("4'b0101: M1r = 2'b", "4'b01x1: M1r = 2'b", "a label of x, z or ? in a plain case"),
        ("4'b0101: M1r", "4'b0101: M2r", "M1r has no value on 1 of 16"),
        ("assign M1 = M1r;", "assign M1 = M1r / M0[1:0];", "'/' between signals"),
        ("assign M1 = M1r;", "assign M1 = {M1r, 1};", "the constant 1 needs a width"),
        ("assign M1 = M1r;", "assign M1 = {M1r, M1r};", "4 bits are connected to 2"),
        ("assign M1 = M1r;", "assign M1 = M1q;", "M1q is not declared"),
        ("assign M1 = M1r;", "assign M1 = M0[5:4];", "M0[5:4] is outside [3:0]"),
        ("assign M1 = M1r;", "assign M1[0] = M1r[0];", "M1[1] is read, but nothing drives it"),
        ("assign M1 = M1r;", "assign M1 = M1r; assign M1 = M1r;", "M1[0] is driven twice"),
        ("always @ (M0) begin", "always @ (M0) begin if (M0[0])", "M1r has no value on 8 of 16"),
        ("endcase", "endcase for (i = 0; i < 2; i = i + 1) M1r = 0;", "'for' in a block"),
        ("endmodule", "initial M1r = 0;\nendmodule", "M1r is set once: it is no array"),
        ("endmodule", "initial $display(1);\nendmodule", "expected"),
        ("endcase", "", "without endcase"),
        ("endmodule", "", "no endmodule"),
        ("always @ (M0)", '`include "x.v"\nalways @ (M0)', "`include"),
        ("input [3:0] M0", "inout [3:0] M0", "expected"),
        ("input [3:0] M0", "input [0:3] M0", "the range [0:3]"),
        ("always @ (M0) begin", "always @ (negedge M0) begin", "falling edge"),
    ],
)
def test_other_code_is_refused_with_its_place(tmp_path, old, new, says):
    path = random_family().write(tmp_path)
    file = tmp_path / "layer1_N2.v"
    file.write_text(file.read_text().replace(old, new))
    text = refused(path)
    assert says in text, text
    assert re.search(r"layer1(_N2)?\.v:\d+", text), text


MIXED = ".M0({M2[7], M2w[6], M2[5], M2w[4], M2[3], M2w[2], M2[1], M2w[0]})"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (".M0(M1w)", ".M0({M1w[9:8], M2})", "feedback between tables: layer1_inst.layer1_N"),
        (".M0(M2w)", MIXED, "paths cross 2, 3 registers"),
        (".M0(M1w)", ".M0(M0w)", "12 bits are connected to 10"),
        (".M0(M1w)", ".M9(M1w)", "no port M9"),
        (".M0(M1w), ", "", "is read, but nothing drives it"),
        ("#(.DataWidth(10))", "#(.Width(10))", "no parameter Width"),
        (".M0(M1w)", ".M0({M1w[9:1], clk})", "a clock or reset is read as data"),
    ],
)
def test_wrong_wiring_is_refused(tmp_path, old, new, says):
    path = random_family().write(tmp_path)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    assert says in refused(path)


@pytest.mark.parametrize(
    ("register", "says"),
    [
        (MYREG.replace("else data_out<=0;", ""), "without else"),
        (MYREG.replace("else data_out<=0;", "else data_out<=data_out;"), "not a reset"),
        (MYREG.replace("posedge clk", "negedge clk"), "falling edge"),
        (MYREG.replace("<=data_in", "=data_in"), "behavioural"),
        (MYREG.replace("<=data_in", "<=data_out"), "depends on itself"),
    ],
)
def test_registers_that_do_more_than_delay_are_refused(tmp_path, register, says):
    path = random_family().write(tmp_path)
    (tmp_path / "myreg.v").write_text(register)
    assert says in refused(path)


def test_too_wide_a_table_is_refused(tmp_path):
    text = """module t(input [16:0] a, output reg y);
  always @(a) case (a) 0: y = 1; default: y = 0; endcase endmodule"""
    assert "17 input bits, limit 16" in refused(one_file(tmp_path, text))


def test_the_top_must_be_clear(tmp_path):
    text = "module a(input x, output y); assign y = x; endmodule\n"
    path = one_file(tmp_path, text + text.replace("module a", "module b"))
    assert "top modules: a, b" in refused(path)
    path.rename(tmp_path / "b.v")
    assert load_verilog(tmp_path / "b.v").info["top"] == "b"


def test_no_file_and_no_text(tmp_path):
    with pytest.raises(CheckpointError, match="no such file"):
        load(tmp_path / "none.v")
    (tmp_path / "binary.v").write_bytes(b"\xff\xfe\x00module")
    with pytest.raises(CheckpointError, match="text in UTF-16"):
        load(tmp_path / "binary.v")
    with pytest.raises(CheckpointError, match="cannot read"):
        load_verilog(tmp_path / "binary.v")
    with pytest.raises(CheckpointError, match="an empty file"):
        load(one_file(tmp_path, ""))
    with pytest.raises(UnsupportedModel, match="no top module"):
        load(one_file(tmp_path, "// nothing\n"))


def test_the_fast_and_the_general_reader_agree():
    rng = np.random.default_rng(0)
    labels, values = rng.permutation(64), rng.integers(0, 8, 64)
    fast = "".join(
        f"\t6'b{k:06b}: M1r = 3'b{v:03b};\n" for k, v in zip(labels, values, strict=True)
    )
    slow = "".join(f" 6'd{k} : M1r <= 3'h{v:x} ;" for k, v in zip(labels, values, strict=True))
    expected = np.empty(64, np.int64)
    expected[labels] = values
    for text in (fast, slow, fast + "\tdefault: M1r = 0;\n", fast[: len(fast) // 2] + slow):
        assert np.array_equal(read_case(text, 0, len(text)).table(6, 3, {}), expected)


@pytest.mark.parametrize(
    ("text", "value"),
    [("12", (None, 12)), ("4'b1_01", (4, 5)), ("3'd9", (3, 1)), ("'hF", (None, 15)),
     ("8'o17", (8, 15)), ("4 'sb11", (4, 3))],
)  # fmt: skip
def test_literals(text, value):
    assert number(text, 0) == value


def test_a_digit_outside_the_base_is_refused():
    with pytest.raises(NotTables):
        number("4'b12", 0)


@pytest.mark.parametrize("seed", range(4))
def test_damaged_text_is_an_error_or_a_network(tmp_path, seed):
    """Whatever stands in a file, the answer is a network or a message, never a crash."""
    rng = np.random.default_rng(seed)
    words = re.findall(r"\w+|\s+|[^\w\s]", "".join(random_family(0, (2, 1), 3).files().values()))
    pool = [*sorted(set(words)), "'", "{", "`", "99999999999999999999", "case", "\\", "+:", "64'hf"]
    path = tmp_path / "logicnet.v"
    for _ in range(40):
        damaged = list(words)
        for at in rng.integers(0, len(words), rng.integers(1, 4)):
            damaged[at] = pool[rng.integers(len(pool))] if rng.random() < 0.7 else ""
        path.write_text("".join(damaged))
        with suppress(UnsupportedModel):
            load_verilog(path).verify()
