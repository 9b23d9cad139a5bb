from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnlogic.core.errors import ToolFailed
from nnlogic.flows import synth as module
from nnlogic.flows.reports import Cells
from nnlogic.flows.synth import NetPort, add_cells, synth_script, synthesize
from nnlogic.flows.targets import Target
from nnlogic.tools.find import Tool

ROWS = "".join(f"    8'd{i}: t = 8'd{(i * i * 37 + 11 * i) % 256};\n" for i in range(256))
CASE_TABLE = f"""
module net8 (input clk, input [7:0] a, output reg [7:0] q);
  reg [7:0] t;
  always @* case (a)
{ROWS}    default: t = 8'd0;
  endcase
  always @(posedge clk) q <= t;
endmodule
"""

LATCH = """
module net8 (input clk, input en, input a, output reg q);
  always @* if (en) q = a;
endmodule
"""


def test_script_names_every_step():
    script = synth_script(["../rtl/a b.v", "c.v"], "top", Target.named("ecp5"))
    lines = script.splitlines()
    assert lines[0] == 'read_verilog "../rtl/a b.v"'
    assert "synth_ecp5 -noflatten -nowidelut -nobram -nolutram -nodsp -top top" in lines
    assert lines.index("tee -q -o stat.json stat -json") < lines.index("flatten")


@pytest.mark.parametrize("name", ["ecp5", "ice40"])
def test_small_design(small_synth, name):
    result = small_synth[name]
    assert result.target == name
    assert result.tool.startswith("yosys ")
    assert result.luts_total == 32
    assert result.ffs == 8 * 3 + 3
    assert result.modules["net8_stage0"].luts_total == 16
    assert result.modules["net8_stage0"].ffs == 8
    assert add_cells(result.modules.values()) == result.total
    assert (result.total.carry, result.total.brams, result.total.dsps) == (0, 0, 0)
    assert NetPort("x_in", "input", 8) in result.ports
    assert result.command in result.files["script"].read_text()
    assert result.seconds > 0
    for path in result.files.values():
        assert path.stat().st_size
    netlist = json.loads(result.files["netlist_json"].read_text())
    assert list(netlist["modules"]) == ["net8"]
    assert "module net8(" in result.files["netlist_verilog"].read_text()


def test_lut6_family(small_verilog, tmp_path, recorder):
    result = synthesize([small_verilog], "net8", Target.named("xcup"), tmp_path, progress=recorder)
    assert set(result.luts) <= {f"LUT{k}" for k in range(1, 7)}
    assert result.luts_total <= 40
    assert not result.wide_muxes
    assert result.ffs == 27
    assert "-nowidelut" in result.command
    ((_, total),) = recorder.steps
    assert 5 <= len(recorder.notes) <= total


def test_table_that_yosys_reads_as_a_memory_is_refused(tmp_path):
    source = tmp_path / "rom.v"
    source.write_text(CASE_TABLE)
    with pytest.raises(ToolFailed, match="Assertion failed") as error:
        synthesize([source], "net8", Target.named("ecp5"), tmp_path / "out")
    assert "$mem" in error.value.why


def test_latch_is_refused(tmp_path):
    source = tmp_path / "latch.v"
    source.write_text(LATCH)
    with pytest.raises(ToolFailed, match=r"dlatch"):
        synthesize([source], "net8", Target.named("ice40"), tmp_path / "out")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("module net8 (input a; endmodule", "syntax error"),
        ("module other (input a); endmodule", "net8"),
    ],
)
def test_yosys_own_words_are_shown(tmp_path, text, words):
    source = tmp_path / "bad.v"
    source.write_text(text)
    with pytest.raises(ToolFailed, match=words):
        synthesize([source], "net8", Target.named("ecp5"), tmp_path / "out")
    assert words in (tmp_path / "out" / "synth.log").read_text()


def test_yosys_that_exits_0_without_netlist_is_refused(small_verilog, tmp_path, monkeypatch):
    fake = Tool("yosys", (sys.executable, "-c", "print('End of script.')"), (0, 70), "fake")
    monkeypatch.setattr(module, "find", lambda name: fake)
    with pytest.raises(ToolFailed, match=r"did not write stat\.json"):
        synthesize([small_verilog], "net8", Target.named("ecp5"), tmp_path)


def test_yosys_error_with_exit_status_0_is_refused(small_verilog, tmp_path, monkeypatch):
    code = (
        "print('ERROR: planted'); [open(f, 'w').write('{}') for f in ('stat.json', "
        "'netlist.json', 'netlist.v')]"
    )
    fake = Tool("yosys", (sys.executable, "-c", code), (0, 70), "fake")
    monkeypatch.setattr(module, "find", lambda name: fake)
    with pytest.raises(ToolFailed, match="planted"):
        synthesize([small_verilog], "net8", Target.named("ecp5"), tmp_path)


counts = st.dictionaries(st.sampled_from(["LUT4", "LUT6"]), st.integers(0, 9))


@given(st.lists(st.builds(Cells, counts, counts, *[st.integers(0, 9)] * 4), max_size=4))
def test_sum_of_figures(parts):
    total = add_cells(parts)
    assert total.luts_total == sum(part.luts_total for part in parts)
    assert total.ffs == sum(part.ffs for part in parts)
    assert sum(total.wide_muxes.values()) == sum(sum(p.wide_muxes.values()) for p in parts)


def test_run_folder_can_be_moved(small_synth):
    script = Path(small_synth["ecp5"].files["script"]).read_text()
    read = [line for line in script.splitlines() if line.startswith("read_verilog")]
    assert len(read) == 1
    assert not read[0].split('"')[1].startswith("/")


def test_device_primitives_are_kept_as_they_are(tmp_path):
    source = tmp_path / "prim.v"
    source.write_text(
        "module prim (input clk, input [3:0] a, output reg q);\n  wire n;\n"
        "  LUT4 #(.INIT(16'h6996)) lut (.A(a[0]), .B(a[1]), .C(a[2]), .D(a[3]), .Z(n));\n"
        "  always @(posedge clk) q <= n;\nendmodule\n"
    )
    result = synthesize([source], "prim", Target.named("ecp5"), tmp_path / "out")
    assert result.luts == {"LUT4": 1}
    assert result.ffs == 1
