"""Wrong bits beside right ones in a netlist: what is written, and what is said of them."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from nnlogic.backends.stream import netlist as bench_module
from nnlogic.backends.stream.netlist import NetlistBench, netlist_checks
from nnlogic.backends.stream.rows import NETLIST_CHECK, NETLIST_FAULT
from nnlogic.core.errors import UsageError
from nnlogic.core.progress import SILENT
from nnlogic.flows.targets import Target
from nnlogic.report.rows import Check
from nnlogic.sim.cocotb_results import TestOutcome
from nnlogic.sim.cocotb_run import CocotbRun
from nnlogic.sim.netlist import with_wrong_bits

TEXT = """module core(clk, x, y);
  input clk;
  input [2:0] x;
  output [1:0] y;
  LUT3 #(
    .INIT(8'he8)
  ) \\sum.bit  (
    .I0(x[0]),
    .I1(x[1]),
    .I2(x[2]),
    .O(y[0])
  );
  LUT2 #(
    .INIT(4'h0)
  ) never (
    .I0(x[0]),
    .I1(x[1]),
    .O(y[1])
  );
endmodule
"""


def test_a_like_with_one_wrong_bit_stands_beside_a_lut():
    text, places = with_wrong_bits(TEXT, "core", 5)
    assert places == ("LUT3 \\sum.bit",)
    assert "module core(clk, x, y, nnlogic_wrong);\n  input [0:0] nnlogic_wrong;\n" in text
    for name, bits in (("\\sum.bit ", "8'he8"), ("nnlogic_wrong_0", "8'he0")):
        assert f".INIT({bits})\n  ) {name} (\n    .I0(x[0]),\n" in text
    choice = "nnlogic_wrong[0] ? nnlogic_wrong_other[0] : nnlogic_wrong_as_is[0]"
    assert f"  assign y[0] = {choice};\n" in text
    assert text.endswith(TEXT[TEXT.index("  LUT2") :])


def test_luts_of_fewest_inputs_are_tried_first():
    # A bit of a wide LUT may not be read on a few frames; one of a narrow LUT hardly fails to be.
    lut = "  LUT{n} #(\n    .INIT({size}'h8)\n  ) l{i} (\n{pins}    .O(y[{i}])\n  );\n"
    widths = [6] * 20 + [2, 1] + [6] * 20
    cells = [
        lut.format(n=n, size=1 << n, i=i, pins="".join(f"    .I{k}(x[{k}]),\n" for k in range(n)))
        for i, n in enumerate(widths)
    ]
    text = "module core(x, y);\n" + "".join(cells) + "endmodule\n"
    made, places = with_wrong_bits(text, "core", 4)
    assert places[:2] == ("LUT1 l21", "LUT2 l20")
    assert len(set(places)) == 4
    for number, place in enumerate(places):
        assert f"assign y[{place.split(' l')[1]}] = nnlogic_wrong[{number}] ?" in made


def test_no_bit_to_plant_is_said():
    for text, top in ((TEXT[TEXT.index("  LUT2") :], "core"), (TEXT, "other")):
        with pytest.raises(UsageError, match="wrong bit cannot be planted"):
            with_wrong_bits(text, top, 5)


@pytest.mark.parametrize("seen", [True, False])
def test_a_bench_that_sees_no_wrong_bit_has_failed(seen, tmp_path, monkeypatch):
    monkeypatch.setattr(bench_module, "behavioural", lambda *_, **__: (tmp_path / "flat.v",))
    monkeypatch.setattr(bench_module, "tag_simulator", lambda: "icarus")
    file = tmp_path / "netlist.v"
    file.write_text(TEXT)
    asked = []

    def run(files, folder, simulator, faults):
        asked.append((files[0].read_text(), simulator, faults))
        tests = (TestOutcome("all", True, ""), TestOutcome("wrong", seen, "no wrong bit"))
        return CocotbRun("icarus 1", tests, {"wrong": 0} if seen else {}, 1.0)

    def check(found):
        assert [t.name for t in found.tests] == ["all"]
        return Check(NETLIST_CHECK, "pass", "sampled n=3", "as promised")

    bench = NetlistBench(tmp_path / "sim", "core", "ports {faults}", "wrong", run, check, 3)
    result = SimpleNamespace(
        files={"netlist_verilog": file}, total=SimpleNamespace(luts_total=2, ffs=0)
    )
    ask = SimpleNamespace(target=Target.named("xc7"), progress=SILENT)
    found = {c.title: c for c in netlist_checks(result, bench, ask)}
    assert asked == [("ports 1", "icarus", 1)]
    assert found[NETLIST_CHECK].verdict == "pass"
    assert found[NETLIST_FAULT].verdict == ("pass" if seen else "fail")
    assert "LUT3 \\sum.bit" in found[NETLIST_FAULT].detail
    file.write_text("nothing")
    (only,) = netlist_checks(result, bench, ask)
    assert (only.title, only.verdict) == (NETLIST_CHECK, Check(NETLIST_CHECK).verdict)
