"""Verilog that does more than describe a circuit reaches no tool."""

from pathlib import Path

import pytest
from hostile import payloads

from nnlogic.core.errors import UnsafeVerilog
from nnlogic.hw.slices import model_text
from nnlogic.tools.verilog_guard import check_sources, checked_copies, find_unsafe

GOLDEN = sorted((Path(__file__).parents[1] / "hw" / "golden").glob("*.v"))
PLAIN = """`timescale 1ns / 1ps
// a table, 100 % of it (* see */ above
module \\a[0] (input [1:0] x, output reg y /* one
bit */);
  (* ROM_STYLE = "distributed", keep *) wire z = x[0] ^ 2'b1_0 >> 'h0;
  part #(.KIND("NONE"), .INIT(64'hdead_beef)) c (.a($signed(x)), .\\q[1] (z));
  always @(*) case (x) 2'd0: y = 1'b0; default: y = z; endcase
endmodule
"""


@pytest.mark.parametrize("text", [PLAIN, model_text(), *(p.read_text() for p in GOLDEN)])
def test_circuits_pass(text):
    assert find_unsafe("x.v", text.encode()) == []
    assert find_unsafe("x.v", text.replace("\n", "\r\n").encode()) == []


BAD = {
    'initial $system("x");': "$system",
    "initial $readmemh(file, m);": "$readmemh",
    "initial #1$finish;": "$finish",
    "initial # 'h a$finish;": "$finish",
    "initial #'d1$finish;": "$finish",
    "wire a$b;": "$b",
    "$error;": "$error",
    "initial $ root.x = 1;": "system task or function $",
    '`include "/etc/passwd"': "`include",
    "`define x y": "`define",
    "`x": "`x",
    "`timescale `x": "`timescale",
    '`line 1 "a" 0': "`line",
    "bind a b c();": "bind",
    'import "DPI-C" function void f();': "import",
    "export p::*;": "export",
    "program p; endprogram": "program",
    "initial force a = 1;": "force",
    "initial #1force a = 1;": "force",
    "task t; endtask": "task",
    "config c; endconfig": "config",
    "final begin end": "final",
    "(* verilator_public *) wire x;": "attribute verilator_public",
    '(* keep = "a" /* b */ *) wire x;': "attribute",
    "(* keep wire x;": "(*",
    "// verilator public_flat": "verilator public_flat",
    "/*verilator tracing_off*/": "verilator tracing_off",
    "// synopsys translate_off": "synopsys translate_off",
    "// a comment \\": "backslash",
    "// a \r $system": "control character",
    "// a \x00": "control character",
    "wire x;\rwire y;": "character",
    "wire \x00x;": "character",
    "wire \u00e9;": "character",
    "wire \\a`b ;": "escaped",
    "wire \\a//b ;": "escaped",
    "wire x = \\\n y;": "escaped",
    '"abc': '"',
    'parameter P = """a" """; initial $system("x"); //"': "$system",
    "/* open": "/*",
    "a */": "*/",
}


@pytest.mark.parametrize(("line", "word"), BAD.items(), ids=range(len(BAD)))
def test_all_else_is_named_with_its_line(line, word, tmp_path):
    text = PLAIN + line + "\n"
    problems = find_unsafe("x.v", text.encode())
    number = PLAIN.count("\n") + 1
    assert any(word in p.why and p.where == f"x.v:{number}" and p.fix for p in problems), problems
    file = tmp_path / "x.v"
    file.write_bytes(text.encode())
    with pytest.raises(UnsafeVerilog, match=f"x.v:{number}"):
        check_sources([file])
    with pytest.raises(UnsafeVerilog):
        checked_copies([file], tmp_path / "rtl")
    assert not (tmp_path / "rtl").exists()


def test_payloads_are_found():
    for text in payloads(Path("/tmp/canary"))[:4]:
        assert find_unsafe("x.v", (PLAIN + text).encode("utf-8"))


def test_copies_have_plain_names_and_are_what_was_checked(tmp_path):
    files = [tmp_path / name for name in ("a;touch x.v", "$(touch x).v", "A_touch_x.v", "-o.v")]
    for i, file in enumerate(files):
        file.write_text(f"module m{i}; endmodule\n")
    copies = checked_copies(files, tmp_path / "rtl")
    assert [c.name for c in copies] == ["a_touch_x.v", "touch_x.v", "A_touch_x_2.v", "o.v"]
    assert [c.read_text() for c in copies] == [f.read_text() for f in files]


def test_own_models_are_known_to_the_byte(tmp_path):
    own = b"module m; task t; endtask endmodule\n"
    for extra, good in ((b"", True), (b"\n", False)):
        (tmp_path / "m.v").write_bytes(own + extra)
        if good:
            assert checked_copies([tmp_path / "m.v"], tmp_path / "a", (own,))
        else:
            with pytest.raises(UnsafeVerilog, match=r"m\.v:1"):
                checked_copies([tmp_path / "m.v"], tmp_path / "b", (own,))
