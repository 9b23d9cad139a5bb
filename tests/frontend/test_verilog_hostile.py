"""Verilog that would hang a reader or fill the memory is refused, and the limit is said."""

import os
import resource
import time

import pytest

from nnlogic.core.errors import CheckpointError, NNLogicError
from nnlogic.core.limits import ENTRIES, INSTANCES, NESTING
from nnlogic.frontend import load

HEAD = "module top(input [3:0] x, output [3:0] y);\n"
REG = HEAD.replace("output", "output reg")
SUB = HEAD + "sub s(.x(x), .y(y));\nendmodule\n"


def chain(length, copies=1):
    """Modules within each other, each used `copies` times by the one before."""
    text = ""
    for i in range(length):
        name = "top" if i == 0 else f"m{i}"
        inner = "".join(f"m{i + 1} s{j}(.x(x), .y({'' if j else 'y'}));\n" for j in range(copies))
        inner = inner if i < length - 1 else "assign y = ~x;\n"
        text += f"module {name}(input [3:0] x, output [3:0] y);\n{inner}endmodule\n"
    return text


def assign(value, head=HEAD):
    return f"{head}assign y = {value};\nendmodule\n"


def port(high, rest="assign y = x[0];"):
    return f"module top(input [{high}:0] x, output y);\n{rest}\nendmodule\n"


CALLS = "".join(
    f"function [3:0] f{i}; input [3:0] k; f{i} = f{i + 1}(k) + f{i + 1}(k); endfunction\n"
    for i in range(15)
)
REFUSED = {
    "3,000 modules": (chain(3000), "more than 1,024 levels deep"),
    "parentheses": (assign("(" * 100_000 + "x" + ")" * 100_000), "nested more than 64 levels"),
    "braces": (assign("{" * 100_000 + "x" + "}" * 100_000), "nested more than 64 levels"),
    "indices": (assign("x[" * 50_000 + "0" + "]" * 50_000), "nested more than 64 levels"),
    "operators": (assign("~" * 100_000 + "x"), "more than 8 operators in a row"),
    "ifs": (f"{REG}always @* {'if (x==3) ' * 50_000}y=2;\nendmodule\n", "nested more than 64"),
    "begins": (f"{REG}always @* {'begin ' * 50_000}y=2;\nendmodule\n", "nested more than 64"),
    "million bits": (
        "module top(input [999999:0] x, output [999999:0] y);\nassign y = x;\nendmodule\n",
        "1,000,000 input bits, limit 131,072",
    ),
    "many wires": (
        port(3, "".join(f"wire [999999:0] w{i};\n" for i in range(50)) + "assign y = x[0];"),
        "signals of more than 4,194,304 bits together",
    ),
    "many words": (
        port(3, "".join(f"reg [3:0] r{i} [0:1000000];\n" for i in range(9)) + "assign y = x[0];"),
        "signals of more than 4,194,304 bits together",
    ),
    "width": (port("2**40"), "the range [1099511627776:0]"),
    "tower": (port("2**2**2**2**2**2"), "the range [4294967296:0]"),
    "shift": (port("1<<99999999999"), "a constant of 100,000,000,000 bits, limit 1,048,576"),
    "digits": (port("9" * 50_000), "is not a number"),
    "literal": (assign("99999999999'd1"), "a literal of 99999999999 bits"),
    "copies": (assign("{1000000000{x}}"), "1000000000 copies of 4 bits"),
    "compare": (assign("x == {1000000{1'b1}}"), "a value of 1,000,000 bits"),
    "array": (port(3, "reg [3:0] r [0:2**40]; assign y = x[0];"), "1099511627777 words"),
    "function": (
        assign("f(x)", HEAD + "function [3:0] f; input [3:0] k; f = f(k); endfunction\n"),
        "functions called 16 levels deep",
    ),
    "calls": (
        assign("f0(x)", HEAD + CALLS + "function [3:0] f15; input k; f15 = k; endfunction\n"),
        "more than 1,024 calls in one expression",
    ),
    "comment": (HEAD + "/* " * 100_000, "no top module"),
    "attribute": (HEAD + "(* " * 100_000, "no top module"),
    "case": (f"{REG}always @* case (x) 0: y=1; {'@@ ' * 100_000} endcase\nendmodule\n", "'@'"),
    "word": (assign('"' + "a" * 50_000 + '"'), "cannot read '\"aaaaaaaa"),
    "chain": (assign("x == 0 ? 3 : " * 60_000 + "1"), "more than 8,192 operands, or branches"),
    "sum": (assign(" + ".join(["x"] * 60_000)), "more than 8,192 operands, or branches"),
    "else": (
        f"{REG}always @* {'if (x==3) y=1; else ' * 60_000}y=2;\nendmodule\n",
        "more than 8,192",
    ),
    "labels": (
        f"{REG}always @* case (x) {'0: y = 1; ' * 30_000} default: y = 2; endcase\nendmodule\n",
        "30,000 labels of a case, for a selector of 16 values",
    ),
    "lists of labels": (
        f"{REG}always @* case (x) {'0, 1: begin y = 1; end ' * 40} default: y = 2; endcase\n"
        "endmodule\n",
        "80 labels of a case, for a selector of 16 values",
    ),
    "a name": (assign("x" * 70_000), "70,000 characters at top.v:2, limit 60,000"),
    "a number": (assign("4'b" + "0" * 70_000), "70,001 characters"),
    "modules": ("".join(f"module m{i}(); endmodule\n" for i in range(20_000)), "19992 more"),
}
READ = {
    "900 modules": chain(900),
    "a chain in parentheses": assign(
        "".join(f"(x == 4'd{i % 16}) ? 4'd{i % 7} : (" for i in range(5_000)) + "4'd1" + ")" * 5_000
    ),
    "a long sum": assign(" + ".join(["x"] * 5_000)),
    "a long product": assign(" + x * ".join(["x"] * 2_000)),
    "a long if": f"{REG}always @* {'if (x==3) y=1; else ' * 2_000}y=2;\nendmodule\n",
    "blanks": assign("x") + " " * 500_000,
    "blanks in a case": f"{REG}always @* case (x){' ' * 200_000}0: y=1;"
    f"{' ' * 200_000}default: y = 2; endcase\nendmodule\n",
}


@pytest.fixture(autouse=True)
def little(tmp_path):
    """Time and memory are bounded for every file."""
    start, before = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    assert time.monotonic() - start < 60
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 800_000  # KiB


def write(folder, text):
    path = folder / "top.v"
    path.write_text(text)
    return path


@pytest.mark.parametrize("name", REFUSED)
def test_a_limit_is_said(tmp_path, name):
    text, says = REFUSED[name]
    with pytest.raises(NNLogicError) as caught:
        load(write(tmp_path, text))
    error = caught.value
    assert error.exit_code == 3
    assert says in error.text(), error.text()[:500]
    assert "top.v" in error.text()
    assert len(error.text()) < 20_000


@pytest.mark.parametrize("name", READ)
def test_what_is_only_long_is_read(tmp_path, name):
    load(write(tmp_path, READ[name])).verify()


def test_modules_that_double_stop_at_the_limit(tmp_path, monkeypatch):
    monkeypatch.setenv(INSTANCES.variable, "1000")
    with pytest.raises(NNLogicError, match="INSTANCES=2000"):
        load(write(tmp_path, chain(40, 2)))


def test_tables_together_have_a_limit(tmp_path, monkeypatch):
    monkeypatch.setenv(ENTRIES.variable, str(1 << 18))
    ports = "".join(f", output y{i}" for i in range(9))
    body = "".join(f"assign y{i} = ^x ^ {i % 2};\n" for i in range(9))
    with pytest.raises(NNLogicError, match="tables of more than 262,144 entries together"):
        load(write(tmp_path, f"module top(input [15:0] x{ports});\n{body}endmodule\n"))


def test_nesting_that_a_user_allows_is_no_bug(tmp_path, monkeypatch):
    monkeypatch.setenv(NESTING.variable, "1000000")
    load(write(tmp_path, assign("(" * 80 + "~x" + ")" * 80)))
    with pytest.raises(NNLogicError, match="nested too deep"):
        load(write(tmp_path, assign("(" * 50_000 + "~x" + ")" * 50_000)))


def test_what_is_no_file_beside_is_passed_over(tmp_path):
    path = write(tmp_path, SUB)
    os.mkfifo(tmp_path / "a.v")
    os.mkfifo(tmp_path / "sub.v")
    (tmp_path / "loop.v").symlink_to("loop.v")
    (tmp_path / "folder.v").mkdir()
    (tmp_path / "zero.v").symlink_to("/dev/zero")
    with pytest.raises(NNLogicError, match="the module sub is in no file here"):
        load(path)


def test_a_top_that_is_no_file(tmp_path):
    path = tmp_path / "top.v"
    os.mkfifo(path)
    with pytest.raises(CheckpointError, match="not a regular file"):
        load(path)
    path.unlink()
    path.symlink_to("top.v")
    with pytest.raises(CheckpointError, match="cannot read the file"):
        load(path)
    path.unlink()
    path.symlink_to("/dev/zero")
    with pytest.raises(CheckpointError, match="not a regular file"):
        load(path)
