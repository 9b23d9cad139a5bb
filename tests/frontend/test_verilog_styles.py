"""Ways to write a table or a sum: each is read, and proved against what yosys reads."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from test_verilog_import import evaluate, refused

from nnlogic.checks.inputs.verilog import check_imported
from nnlogic.core.errors import UnsafeVerilog
from nnlogic.frontend.verilog.load import load_verilog

CASES = Path(__file__).parents[1] / "cases" / "files"
TABLE = [3, 1, 2, 0, 1, 1, 0, 2]
ROWS = list(enumerate(TABLE))
HEAD = "module top(input [2:0] x, output [1:0] y);\n"
REG = "module top(input [2:0] x, output reg [1:0] y);\n"
ITEMS = " ".join(f"3'd{i}: y = {v};" for i, v in ROWS)
CHAIN = " : ".join(f"x == {i} ? 2'd{v}" for i, v in ROWS[:-1]) + f" : 2'd{TABLE[-1]}"
NESTED = ""
for i, v in ROWS[:-1]:
    NESTED += f"(x == 3'd{i}) ? 2'd{v} : ("
NESTED += f"2'd{TABLE[-1]}" + ")" * 7
VECTOR = "".join(f"{v:02b}" for v in reversed(TABLE))
WORDS = " ".join(f"rom[{i}] = {v};" for i, v in ROWS)
FUNCTION = f"""function [1:0] f; input [2:0] k; reg [1:0] t;
  begin t = 0; case (k) {ITEMS.replace("y =", "t =")} endcase f = t; end endfunction
"""
STYLES = {
    "always_comb": REG + f"always_comb begin case (x) {ITEMS} endcase end",
    "unique case": REG + f"always_comb unique case (x) {ITEMS} endcase",
    "priority case": REG + f"always @* priority case (x) {ITEMS} endcase",
    "casez": REG + "always @* casez (x) 3'b000: y = 3; 3'b010: y = 2; 3'b111: y = 2;\n"
    "3'b?11, 3'b11z: y = 0; default: y = 1; endcase",
    "chain": HEAD + f"assign y = {CHAIN};",
    "nested chain": HEAD + f"assign y = {NESTED};",
    "if": REG
    + "always @(*) "
    + " else ".join(f"if (x == {i}) y = {v};" for i, v in ROWS[:-1])
    + f" else begin y = {TABLE[-1]}; end",
    "nested if": REG + "always @* begin y = 1; if (x[2]) begin if (x == 6) y = 0; if (&x) y = 2;"
    " end else case (x[1:0]) 0: y = 3; 2: y = 2; 3: begin y = 0; end endcase end",
    "rom": HEAD + f"reg [1:0] rom [0:7]; initial begin {WORDS} end assign y = rom[x];",
    "wires": HEAD
    + "wire [1:0] rom [7:0];"
    + "".join(f"assign rom[{i}] = {v};" for i, v in ROWS)
    + "assign y = rom[x];",
    "vector": HEAD + f"localparam [15:0] T = 16'b{VECTOR}; assign y = T[2*x +: 2];",
    "vectors": HEAD
    + "".join(f"localparam [7:0] T{b} = 8'b{VECTOR[1 - b :: 2]};" for b in (0, 1))
    + "assign y = {T1[x], T0[x]};",
    "function": HEAD + FUNCTION + "assign y = f(x);",
    "function, SystemVerilog": HEAD + "function automatic logic [1:0] f(input logic [2:0] k);\n"
    f"case (k) {ITEMS.replace('y =', 'f =')} endcase endfunction assign y = f(x);",
    "clocked": "module top(input clk, input [2:0] x, output reg [1:0] y);\n"
    f"always @(posedge clk) case (x) {ITEMS.replace('=', '<=')} endcase",
    "clocked rom": "module top(input clk, input [2:0] x, output reg [1:0] y);\n"
    f"reg [1:0] rom [0:7]; initial begin {WORDS} end always @(posedge clk) y <= rom[x];",
    "clocked if": "module top(input clk, input rst, input [2:0] x, output reg [1:0] y);\n"
    f"always @(posedge clk) if (rst) y <= 0; else case (x) {ITEMS.replace('=', '<=')} endcase",
    "sum of products": HEAD
    + "".join(
        f"assign y[{b}] = " + " | ".join(f"x == {i}" for i, v in ROWS if v >> b & 1) + ";"
        for b in (0, 1)
    ),
    "$readmemb": HEAD + 'reg [1:0] rom [0:7]; initial $readmemb("t.mem", rom); assign y = rom[x];',
    "$readmemh": HEAD + 'reg [1:0] rom [0:7]; initial begin $readmemh("t.hex", rom); end\n'
    "assign y = rom[x];",
    "unused x": REG + f"always @* case (x) {ITEMS} default: y = 2'bxx; endcase",
}


def write(folder, text, name="top.v"):
    path = folder / name
    path.write_text(text + "\nendmodule\n" if "endmodule" not in text else text)
    (folder / "t.mem").write_text("// words\n" + "\n".join(f"{v:02b}" for v in TABLE[:4])
                                  + "\n@4 " + " ".join(f"{v:02b}" for v in TABLE[4:]))  # fmt: skip
    (folder / "t.hex").write_text(" ".join(f"{v:x}" for v in TABLE) + "\n")
    return path


def proved(path):
    net = load_verilog(path)
    verdict = check_imported(net, path)
    assert (verdict.equal, verdict.how) == (True, "proved"), verdict.text()
    return net


@pytest.mark.parametrize("style", STYLES)
def test_every_style_is_read_and_proved(tmp_path, style):
    path = write(tmp_path, STYLES[style])
    proved(path)
    assert evaluate(path, list(range(8))) == TABLE


@pytest.mark.parametrize("style", sorted(set(STYLES) - {"casez", "nested if", "sum of products"}))
def test_a_changed_entry_of_any_style_is_found(tmp_path, style):
    path = write(tmp_path, STYLES[style])
    net = load_verilog(path)
    text = path.read_text()
    changed = text
    pairs = [(f"3'd7: {t} {op} 2", f"3'd7: {t} {op} 0") for t in "ytf" for op in ("=", "<=")]
    pairs += [(": 2'd2;", ": 2'd0;"), ("(2'd2)", "(2'd0)"), ("y = 2; end", "y = 0; end")]
    pairs += [("rom[7] = 2;", "rom[7] = 0;"), ("'b1000", "'b0000"), ("T1 = 8'b1", "T1 = 8'b0")]
    for old, new in pairs:
        changed = changed.replace(old, new)
    path.write_text(changed)
    if changed == text:
        for name, last in (("t.mem", "10"), ("t.hex", "2")):
            words = tmp_path / name
            words.write_text(words.read_text().rstrip().removesuffix(last) + "1")
    assert not check_imported(net, path).equal


def test_the_cases_of_the_log():
    for name in (
        "table_unique_case.v",
        "table_conditional.v",
        "verilog_bom.v",
        "narrow_neurons_top.v",
    ):
        proved(CASES / name)


@pytest.mark.parametrize("end", ["\n", "\r\n", " \t\n", "\n\n"])
def test_line_ends_and_blanks_do_not_matter(tmp_path, end):
    path = tmp_path / "top.v"
    text = (CASES / "narrow_neurons_top.v").read_text()
    path.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", end).encode())
    proved(path)


@pytest.mark.parametrize("fan_in", range(9))
def test_neurons_of_any_width(tmp_path, fan_in):
    rng = np.random.default_rng(fan_in)
    table = rng.integers(0, 2, 1 << fan_in)
    rows = "".join(f"{max(fan_in, 1)}'d{i}: q = 1'b{v};\n" for i, v in enumerate(table))
    rows += "" if fan_in else "default: q = 1'b0;\n"
    inner = f"module n(input [{max(fan_in, 1) - 1}:0] i, output o);\nreg q; assign o = q;\n"
    inner += f"always @ (i) begin case (i)\n{rows}endcase end endmodule\n"
    read = f"x[{fan_in - 1}:0]" if fan_in else "1'b0"
    text = f"module top(input [8:0] x, output [1:0] y);\nn n0(.i({read}), .o(y[0]));\n"
    text += "assign y[1] = x[8];\nendmodule\n"
    path = tmp_path / "top.v"
    path.write_text(text + inner)
    proved(path)
    values = rng.integers(0, 512, 64)
    expected = [int(table[v % (1 << fan_in)]) | int(v) >> 8 << 1 for v in values]
    assert evaluate(path, values.tolist()) == expected


def test_an_unknown_value_that_matters_is_no_proof(tmp_path):
    path = write(tmp_path, STYLES["unused x"])
    net = load_verilog(path)
    path.write_text(path.read_text().replace("3'd7: y = 2;", ""))
    verdict = check_imported(net, path)
    assert not verdict.equal
    assert "has no value" in verdict.detail


ENSEMBLE = """module top(input [11:0] x, output [{w}:0] y0, output [{w}:0] y1, output best);
wire [5:0] a0, b0, c0, a1, b1, c1;
part #(.K(1)) p0(.x(x[3:0]), .y(a0)); part #(.K(7)) p1(.x(x[7:4]), .y(b0));
part #(.K(9)) p2(.x(x[11:8]), .y(c0)); part #(.K(5)) q0(.x(x[3:0]), .y(a1));
part #(.K(3)) q1(.x(x[7:4]), .y(b1)); part #(.K(11)) q2(.x(x[11:8]), .y(c1));
assign y0 = a0 + b0 + c0;
assign y1 = a1 + b1 + c1;
assign best = y1 > y0;
endmodule
module part #(parameter K = 1) (input [3:0] x, output [5:0] y);
  assign y = (x * K + 5) ^ (x << 2);
endmodule
"""


@pytest.mark.parametrize("width", [6, 8])
def test_networks_that_add(tmp_path, width):
    """Sums of 18 bits, and a comparison of two of them, do not fit a table each."""
    path = tmp_path / "top.v"
    path.write_text(ENSEMBLE.format(w=width - 1))
    proved(path)
    values = np.random.default_rng(0).integers(0, 4096, 300)

    def part(x, k):
        return ((x * k + 5) ^ (x << 2)) % 64

    lows = values % 16, values // 16 % 16, values // 256
    sums = [
        sum(part(x, k) for x, k in zip(lows, ks, strict=True)) for ks in ((1, 7, 9), (5, 3, 11))
    ]
    y0, y1 = (s % (1 << width) for s in sums)
    expected = y0 | y1 << width | (y1 > y0).astype(int) << 2 * width
    assert evaluate(path, values.tolist()) == expected.tolist()


def test_signed_sums_and_their_largest(tmp_path):
    text = """module top(input signed [8:0] a, input signed [8:0] b, input signed [8:0] c,
  output signed [10:0] s, output signed [8:0] m, output [2:0] z);
  assign s = a + b - c;
  assign m = a >= b ? (a >= c ? a : c) : b >= c ? b : c;
  assign z = {a < c, ~|a, b == -9'sd3};
endmodule"""
    path = tmp_path / "top.v"
    path.write_text(text)
    proved(path)


def random_expression(rng, depth):
    """An expression of signals a (3 bits), b (2), signed s (3) and constants."""
    leaf = ["a", "b", "s", "a[1]", "a[2:1]", "{b, a[0]}", "3'd5", "2", "-4'sd3", "{2{b[0]}}",
            "s[1:0]", "$signed(a)", "$unsigned(s)", "1'b1", "a[b[0] +: 2]"]  # fmt: skip
    if depth == 0 or rng.random() < 0.15:
        return str(rng.choice(leaf))
    kind = rng.integers(0, 5)
    one, two, three = (random_expression(rng, depth - 1) for _ in range(3))
    if kind == 0:
        return f"({rng.choice(['~', '!', '-', '&', '|', '^', '~&', '~|', '~^'])}({one}))"
    if kind == 1:
        return f"({one} ? {two} : {three})"
    if kind == 2:
        return f"({one} {rng.choice(['==', '!=', '<', '<=', '>', '>='])} {two})"
    if kind == 3:
        return f"({one} {rng.choice(['<<', '>>', '>>>'])} {rng.choice(['1', '2', 'b'])})"
    ops = rng.choice(["+", "-", "*", "&", "|", "^", "~^", "&&", "||"], 2)
    return f"({one} {ops[0]} {two} {ops[1]} {three})"


@pytest.mark.parametrize("seed", range(12))
def test_random_expressions_are_what_yosys_reads(tmp_path, seed):
    rng = np.random.default_rng(seed)
    outputs = [(i, int(rng.integers(1, 9))) for i in range(6)]
    ports = [f"output {'signed ' * (i % 2)}[{w - 1}:0] y{i}" for i, w in outputs]
    text = f"module top(input [2:0] a, input [1:0] b, input signed [2:0] s, {', '.join(ports)});\n"
    for i, _ in outputs:
        expression = ""
        while not expression.startswith("("):  # of wires alone, the widths must match
            expression = random_expression(rng, 3)
        text += f"assign y{i} = {expression};\n"
    path = tmp_path / "top.v"
    path.write_text(text + "endmodule\n")
    proved(path)


@pytest.mark.parametrize("seed", range(6))
def test_wide_expressions_are_taken_apart_rightly(tmp_path, seed):
    rng = np.random.default_rng(seed)
    signs = [" signed" * int(rng.integers(0, 2)) for _ in range(3)]
    ports = ", ".join(
        f"input{s} [{w}:0] {n}" for s, w, n in zip(signs, (9, 10, 8), "abs", strict=True)
    )
    lines = []
    for i in range(3):
        ops = rng.choice(["+", "-", "&", "|", "^"], 2)
        lines.append(f"assign y{i} = a {ops[0]} b {ops[1]} s;")
    compare = rng.choice(["<", "<=", ">", ">=", "==", "!="], 2)
    lines.append(f"assign y3 = (a {compare[0]} b) ? ~a : -s;")
    lines.append(f"assign y4 = {{8'd0, a {compare[1]} s, !(a ^ b), ^a ^ ^b, (a && b) || s}};")
    outputs = ", ".join(f"output [11:0] y{i}" for i in range(5))
    path = tmp_path / "top.v"
    path.write_text(f"module top({ports}, {outputs});\n" + "\n".join(lines) + "\nendmodule\n")
    proved(path)


KEYWORDS = """module bit(input [1:0] logic, output do, output [1:0] final);
  wire [1:0] int; // final do
  assign int = logic;
  assign do = int[0] ^ int[1];
  priority program(.var(logic), .ref(final));
endmodule
module priority(input [1:0] var, output reg [1:0] ref);
  always @(var) case (var) 0: ref = 1; 1: ref = 2; 2: ref = 3; 3: ref = 0; endcase
endmodule
"""


def test_names_that_are_keywords_of_systemverilog(tmp_path):
    path = tmp_path / "bit.v"
    path.write_text(KEYWORDS)
    net = proved(path)
    assert net.info["verilog"]["changed"] == sorted(
        ["bit", "logic", "do", "final", "int", "priority", "program", "var", "ref"]
    )
    path.write_text(KEYWORDS.replace("int[0] ^ int[1]", "int[0] | int[1]"))
    assert not check_imported(net, path).equal


@pytest.mark.parametrize("name", ["do", "final", "program"])
def test_systemverilog_keeps_its_keywords(tmp_path, name):
    path = tmp_path / "top.v"
    path.write_text(
        f"module top(input [1:0] x, output reg {name});\nalways_comb {name} = x == 2;\nendmodule\n"
    )
    with pytest.raises(UnsafeVerilog, match=f"keyword {name}"):
        load_verilog(path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (STYLES["$readmemb"].replace("t.mem", "../t.mem"), "a file of words called '../t.mem'"),
        (STYLES["$readmemb"].replace("t.mem", "/etc/passwd"), "a file of words called"),
        (STYLES["$readmemb"].replace("t.mem", "absent.mem"), "no file absent.mem beside"),
        (STYLES["$readmemb"].replace("t.mem", "link.mem"), "no file link.mem beside"),
        (STYLES["$readmemb"].replace("t.mem", "top.v"), "a file of words called 'top.v'"),
        (STYLES["$readmemb"].replace("t.mem", "t.hex"), "3 is not a number"),
        (STYLES["$readmemb"].replace("[0:7]", "[0:6]"), "10 for word 7 of 7 words"),
        (STYLES["$readmemb"].replace("[0:7]", "[7:0]"), "whose first word is the last one"),
        (STYLES["$readmemb"].replace("[0:7]", "[0:8]").replace("rom[x]", "rom[x + 4'd1]"),
         "nothing is written to rom[8]"),
        (STYLES["rom"].replace("rom[x]", "rom[x + 4'd1]"), "rom[8] is beyond the array"),
        (STYLES["rom"].replace("rom[7] =", "rom[6] ="), "rom[6] is written twice"),
        (STYLES["always_comb"].replace("3'd7", "3'd6"), "would have a latch"),
        (STYLES["unique case"].replace("3'd7", "3'd6"), "the circuit would have a latch"),
        (STYLES["casez"].replace("unique", "").replace("casez", "unique casez"), "items overlap"),
        (STYLES["unused x"].replace("3'd7: y = 2;", ""), "a value of x or z"),
        (STYLES["function"].replace("input [2:0] k; reg", "reg").replace("f(x)", "f(x)"), "with 1"),
        (STYLES["function"].replace("case (k)", "case (x)"), "the function f reads the signal x"),
        (STYLES["function"].replace("f = t;", "return t;"), "'return' in a block"),
        (HEAD + "localparam logic [1:0] T [0:1] = '{2'd1, 2'd2}; assign y = T[x[0]];",
         "the parameter T is an array"),
        ("module top(input clk, input e, input x, output reg y);\n"
         "always @(posedge clk) begin if (e) y <= x; end", "without else it keeps its value"),
        ("module top(input clk, input e, input x, output reg y);\n"
         "always @(posedge clk) case (e) 1: y <= x; endcase", "keeps its value: an enable"),
        ("module top(input [19:0] x, output reg y);\nalways @* if (x == 7) y = 1; else y = 0;",
         "reads 20 bits, limit 16"),
        ("module top(input [9:0] x, input [9:0] z, output [9:0] y);\nassign y = x * z;",
         "'*' of operands of more than 16 bits"),
    ],
)  # fmt: skip
def test_what_is_not_read_says_so_in_one_line(tmp_path, text, says):
    path = write(tmp_path, text)
    outside = tmp_path.parent / "outside.mem"
    shutil.copy(tmp_path / "t.mem", outside)
    (tmp_path / "link.mem").symlink_to(outside)
    said = refused(path)
    assert says in said, said
