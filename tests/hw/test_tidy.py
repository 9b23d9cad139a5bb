"""Verilog of Amaranth components: the same circuit as Yosys writes, without its style."""

import re

import pytest
from helpers_lint import lint
from helpers_logic import layered_net

from nnlogic.backends.mac.model.lower import compile_mac
from nnlogic.backends.stream.model.scan import Scan
from nnlogic.core.errors import ToolFailed
from nnlogic.core.windows import Frame, Window
from nnlogic.design.build import build
from nnlogic.hw.convert import yosys_verilog
from nnlogic.hw.dsp.verilog import write_engine
from nnlogic.hw.lut.core import LogicCore
from nnlogic.hw.mac.core import MacCore
from nnlogic.hw.stream.window import WindowGenerator, WindowShape
from nnlogic.hw.stream_wrapper import StreamParameters, StreamWrapper
from nnlogic.hw.tidy import tidy
from nnlogic.tools.find import find
from nnlogic.tools.run import run_tool
from tests.backends.dsp.helpers import random_program
from tests.backends.mac.helpers import linear_net


def wrapper():
    design = build(layered_net(), name="toy")
    component = StreamWrapper(StreamParameters.of(design))
    return yosys_verilog({"top": component}, flatten=True)


def core():
    return yosys_verilog({"top": LogicCore(build(layered_net(), name="toy", schedule=1))})


def sums():
    return yosys_verilog({"top": MacCore(compile_mac(linear_net(), "fabric").mac)})


def window():
    shape = WindowShape(
        Scan(Frame(1, 5, 6), Window((3, 3), (2, 1)), 1), 2, 1,
        tuple((0, tap, bit) for tap in range(9) for bit in (0, 1)), "registers",
    )  # fmt: skip
    return yosys_verilog({"top": WindowGenerator(shape)}, flatten=True)


PARTS = {"wrapper": wrapper, "core": core, "sums": sums, "window": window}


@pytest.fixture(scope="module", params=list(PARTS))
def written(request):
    raw = PARTS[request.param]()
    return raw, tidy(raw)


def equivalent(folder, raw, text):
    """Ask Yosys whether two texts are the same circuit, register by register."""
    for side, verilog in (("gold", raw), ("gate", text)):
        renamed = re.sub(r"\btop(?=_\w|\b)", side, verilog)
        (folder / f"{side}.v").write_text(renamed)
    lines = []
    for side in ("gold", "gate"):
        lines += [
            f"read_verilog {side}.v",
            f"hierarchy -top {side}",
            "proc",
            "flatten",
            "memory_map",
            "opt_clean",
            f"design -stash {side}",
        ]
    lines += [
        "design -copy-from gold gold",
        "design -copy-from gate gate",
        "equiv_make gold gate both",
        "hierarchy -top both",
        "equiv_simple -undef",
        "equiv_induct -undef",
        "equiv_status -assert",
    ]
    (folder / "equiv.ys").write_text("\n".join(lines) + "\n")
    run_tool(find("yosys"), ["equiv.ys"], cwd=folder, timeout=300, failure_phrases=("ERROR:",))


def test_the_same_circuit(tmp_path, written):
    equivalent(tmp_path, *written)


def test_another_circuit_is_found(tmp_path):
    raw = wrapper()
    text = tidy(raw)
    assert "credits - 1'h1" in text
    with pytest.raises(ToolFailed):
        equivalent(tmp_path, raw, text.replace("credits - 1'h1", "credits + 1'h1"))


def test_nothing_is_numbered_or_declared_twice(written):
    _, text = written
    assert not re.search(r"\b_\d+_\b", text)
    for module in text.split("endmodule"):
        names = re.findall(
            r"^ +(?:(?:input|output) +)?(?:wire|reg) +(?:\[.*?\] )?(\w+)", module, re.M
        )
        assert len(names) == len(set(names))
    assert max(map(len, text.splitlines())) <= 120


def test_a_register_with_a_number_takes_the_name_of_its_wire():
    text = (
        "module m(clk, a, y);\n  input clk;\n  wire clk;\n  input a;\n  wire a;\n  output y;\n"
        "  wire y;\n  reg _0_;\n  always @(posedge clk)\n    _0_ <= a;\n  assign y = _0_;\n"
        "endmodule\n"
    )
    assert "output reg  y" in tidy(text)
    assert "y <= a;" in tidy(text)


def module(*lines):
    ports = "".join(f"  input {p};\n  wire {p};\n" for p in "abcd")
    body = "\n".join(f"  {line}" for line in lines)
    return f"module m(a, b, c, d, y);\n{ports}  output y;\n  wire y;\n{body}\nendmodule\n"


def test_a_chain_of_numbered_wires_becomes_one_expression():
    text = module(
        "wire _0_;", "wire _1_;",
        "assign y = _1_ | c;", "assign _0_ = ~ a;", "assign _1_ = _0_ & b;",
    )  # fmt: skip
    assert "assign y = (~a & b) | c;" in tidy(text)
    assert "unused_bits = &{1'b0, d};" in tidy(text)


def test_what_is_read_twice_or_by_a_cell_gets_a_name():
    text = module("wire _0_;", "assign _0_ = a & b;", "assign y = _0_ ^ (c | _0_);")
    assert "assign y_part = a & b;" in tidy(text)
    text = module("wire _0_;", "assign _0_ = a & b;", "sub s (", "  .p(_0_),", "  .q(y)", ");")
    assert "assign part = a & b;" in tidy(text)


def test_nothing_whose_width_depends_on_what_stands_around_it_is_folded():
    inverted = ["wire _0_;", "wire [3:0] z;", "assign _0_ = ~ a;", "assign y = z == 4'h3;"]
    for reader in ("assign z = 4'h2 + _0_;", "assign z = 4'h2 & _0_;", "assign z = { 3'h0, _0_ };"):
        text = tidy(module(*inverted, reader))
        assert "z_part = ~a;" in text


def test_zeros_in_front_of_a_narrow_operand_are_written_out():
    text = module("wire [3:0] s;", "wire [5:0] t;", "assign s = { a, b, c, d };",
                  "assign t = s + 3'h5;", "assign y = t == 6'h9;")  # fmt: skip
    assert "assign t = { 2'h0, s } + 6'h05;" in tidy(text)


def test_what_is_compared_is_as_wide_on_both_sides():
    text = module("wire [3:0] s;", "wire z;", "assign s = { a, b, c, d };", "assign z = ! s;",
                  "assign y = (s == 1'h1) | z;")  # fmt: skip
    out = tidy(text)
    assert "assign y = (s == 4'h1) | z;" in out
    assert "assign z = (s == 4'h0);" in out
    kept = tidy(module("assign y = ! a;"))
    assert re.search(r"assign y = ! ?a;", kept)


def test_what_only_a_cell_gives_and_nothing_reads_is_said():
    cell = ["sub s (", "  .p({ w[3:2], v }),", "  .q(w[1:0]),", "  .s(u)", ");"]
    other = ["sub t (", "  .p(u)", ");"]
    wires = ["wire [3:0] w;", "wire v;", "wire u;", "assign y = w[1] ^ w[0];"]
    out = tidy(module(*wires, *cell, *other))
    assert "unused_bits = &{1'b0, a, b, c, d, w[3:2], v};" in out


def test_text_of_another_kind_is_refused():
    with pytest.raises(ValueError, match="not a module"):
        tidy("module m #(parameter N = 1) (input a);\nendmodule\n")


def test_an_engine_has_nothing_that_checkers_of_style_dislike(tmp_path):
    files = write_engine(
        random_program(slices=3, contexts=2, input_banks=2), tmp_path, kind="fabric"
    )
    assert lint(tmp_path, files, "random") == []


def test_sums_have_nothing_that_checkers_of_style_dislike(tmp_path):
    file = tmp_path / "top.v"
    file.write_text(tidy(sums()))
    assert lint(tmp_path, [file], "top") == []
