from __future__ import annotations

import dataclasses
import sys

import pytest

from nnlogic.core.errors import TargetMissed, ToolFailed, UsageError
from nnlogic.flows import pnr as module
from nnlogic.flows.harness import HARNESS, harness_verilog
from nnlogic.flows.pnr import place_and_route, pnr_arguments
from nnlogic.flows.synth import NetPort
from nnlogic.flows.targets import Target
from nnlogic.tools.find import Tool, find, name_of

CONTROL = (
    NetPort("clk", "input", 1),
    NetPort("rst", "input", 1),
    NetPort("in_valid", "input", 1),
    NetPort("out_valid", "output", 1),
)


@pytest.mark.parametrize("name", ["ecp5", "ice40"])
def test_small_design_on_a_real_device(small_synth, name, tmp_path, recorder):
    target = Target.named(name)
    result = place_and_route(small_synth[name], target, tmp_path, clock=50.0, progress=recorder)
    assert result.fmax_mhz > 100
    assert result.met is True
    result.require_clock()
    assert result.device == target.pnr.devices[0].name
    assert result.seed == 1
    assert "--seed 1" in result.command
    assert (result.harness_luts, result.harness_ffs) == (7, 16)
    used, available = result.utilization[target.pnr.lut_resource]
    assert small_synth[name].luts_total <= used <= available
    assert result.path.delay_ns == pytest.approx(1000 / result.fmax_mhz, abs=0.01)
    assert result.files["bitstream"].stat().st_size > 10_000
    assert recorder.notes[0] == "harness"
    assert recorder.notes[-1] == "bitstream"
    assert len(recorder.notes) <= recorder.steps[0][1]


def test_clock_that_is_not_met_says_by_how_much(small_synth, tmp_path, monkeypatch):
    placed = _with_fake_nextpnr(small_synth, tmp_path, monkeypatch, GOOD, clock=400.0)
    assert placed.met is False
    with pytest.raises(TargetMissed, match=r"reached 123\.0 MHz") as error:
        placed.require_clock()
    assert error.value.exit_code == 6
    assert "--clock" in error.value.fix


def test_no_clock_is_neither_met_nor_missed(small_synth, tmp_path, monkeypatch):
    placed = _with_fake_nextpnr(small_synth, tmp_path, monkeypatch, GOOD, clock=None)
    assert placed.met is None
    assert placed.asked_mhz == Target.named("ecp5").clock_mhz
    assert placed.path_in_core is False
    placed.require_clock()


@pytest.mark.parametrize(
    "words",
    [
        "Unable to place cell 'core.a_LC', no BELs remaining to implement cell type 'ICESTORM_LC'",
        "Unable to find legal placement for all cells, design is probably at utilisation limit.",
        "Unable to find a placement location for cell 'core.a'",
    ],
)
def test_design_without_room_is_a_missed_target(small_synth, tmp_path, monkeypatch, words):
    body = f"print({'ERROR: ' + words!r}); raise SystemExit(1)"
    with pytest.raises(TargetMissed, match=r"needs 32 LUTs") as error:
        _with_fake_nextpnr(small_synth, tmp_path, monkeypatch, body)
    assert words in error.value.why
    assert "24288" in error.value.why


def test_other_failures_stay_tool_failures(small_synth, tmp_path, monkeypatch):
    body = "print('ERROR: cannot read chip database'); raise SystemExit(1)"
    with pytest.raises(ToolFailed, match="chip database"):
        _with_fake_nextpnr(small_synth, tmp_path, monkeypatch, body)


def test_exit_0_without_report_is_a_tool_failure(small_synth, tmp_path, monkeypatch):
    with pytest.raises(ToolFailed, match=r"did not write pnr\.json"):
        _with_fake_nextpnr(small_synth, tmp_path, monkeypatch, "pass")


def test_device_that_is_too_small_is_refused_before_any_tool_runs(small_synth, tmp_path):
    total = dataclasses.replace(small_synth["ice40"].total, luts={"SB_LUT4": 100_000})
    synth = dataclasses.replace(small_synth["ice40"], total=total)
    with pytest.raises(TargetMissed, match="needs 100000 LUTs"):
        place_and_route(synth, Target.named("ice40"), tmp_path / "pnr")
    assert not (tmp_path / "pnr").exists()


def test_arguments_are_pinned():
    target = Target.named("ice40")
    arguments = pnr_arguments(target.pnr, target.pnr.devices[0], 100.0)
    assert arguments == [
        "--hx8k",
        "--package",
        "ct256",
        "--json",
        "harness.json",
        "--top",
        "harness",
        "--freq",
        "100",
        "--timing-allow-fail",
        "--seed",
        "1",
        "--report",
        "pnr.json",
        "--asc",
        "layout.asc",
    ]


def test_harness_connects_every_bit_once():
    data = (NetPort("x_a", "input", 3), NetPort("x_b", "input", 1), NetPort("y_c", "output", 5))
    text = harness_verilog("core_top", (*CONTROL, *data))
    for pin in (
        ".x_a(x[2:0])",
        ".x_b(x[3:3])",
        ".y_c(y[4:0])",
        ".clk(clk)",
        ".out_valid(out_valid)",
    ):
        assert pin in text
    assert f"module {HARNESS} " in text
    assert "(* blackbox *)\nmodule core_top (input [0:0] clk" in text


def test_core_without_its_control_ports_is_refused():
    with pytest.raises(UsageError, match="no port in_valid, out_valid"):
        harness_verilog("top", CONTROL[:2])


GOOD = """
import json
report = {"fmax": {"clk": {"achieved": 123.0, "constraint": 1}}, "critical_paths": [],
          "utilization": {"TRELLIS_COMB": {"used": 3, "available": 9}}}
open("pnr.json", "w").write(json.dumps(report))
open("layout.config", "w").write("x")
"""


def _with_fake_nextpnr(synths, folder, monkeypatch, body, clock=None):
    fakes = {
        "nextpnr-ecp5": Tool("nextpnr-ecp5", (sys.executable, "-c", body), (0, 8), "fake"),
        "ecppack": Tool("ecppack", (sys.executable, "-c", PACK), (0, 8), "fake"),
    }
    monkeypatch.setattr(
        module, "find", lambda program: fakes.get(name_of(program)) or find(program)
    )
    return place_and_route(synths["ecp5"], Target.named("ecp5"), folder, clock=clock)


PACK = "import sys; open(sys.argv[2], 'w').write('bits')"
