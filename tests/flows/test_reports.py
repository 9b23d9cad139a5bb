"""Parsers against outputs that real tools wrote; see data/README.md."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nnlogic.core.errors import ToolFailed
from nnlogic.flows.reports import Cells, count_cells, read_pnr_report, read_stat
from nnlogic.flows.synth import add_cells
from nnlogic.flows.targets import Target

DATA = Path(__file__).parent / "data"


def cells(luts, ffs):
    return Cells(luts=luts, wide_muxes={}, ffs=ffs, carry=0, brams=0, dsps=0)


@pytest.mark.parametrize(
    ("target", "stage0", "stage1"),
    [
        ("ecp5", {"LUT4": 4}, {"LUT4": 4}),
        ("ice40", {"SB_LUT4": 4}, {"SB_LUT4": 4}),
        ("xcup", {"LUT4": 4}, {"LUT3": 1, "LUT4": 3}),
    ],
)
def test_cells_per_module(target, stage0, stage1):
    total, modules = read_stat(DATA / f"tiny.{target}.stat.json", Target.named(target))
    assert modules == {
        "tiny": cells({}, 7),
        "tiny_stage0": cells(stage0, 4),
        "tiny_stage1": cells(stage1, 4),
    }
    assert total == add_cells(modules.values())
    assert total.luts_total == 8


def test_module_used_twice_counts_twice_in_the_total(tmp_path):
    stat = json.loads((DATA / "tiny.ecp5.stat.json").read_text())
    del stat["modules"]["\\tiny_stage1"]
    for entry in (stat["design"], stat["modules"]["\\tiny"]):
        types = entry["num_cells_by_type"]
        types["tiny_stage0"] = 1 + types.pop("tiny_stage1")
    path = tmp_path / "stat.json"
    path.write_text(json.dumps(stat))
    total, modules = read_stat(path, Target.named("ecp5"))
    assert total.luts_total == 8
    assert add_cells(modules.values()).luts_total == 4


def test_wide_muxes_are_counted_apart():
    found = count_cells({"LUT4": 6, "PFUMX": 3, "L6MUX21": 1}, Target.named("ecp5"))
    assert found.luts_total == 6
    assert found.wide_muxes == {"L6MUX21": 1, "PFUMX": 3}


def test_cell_that_would_go_uncounted_is_an_error():
    with pytest.raises(ToolFailed, match=r"NEW_CELL \(2\)") as error:
        count_cells({"LUT4": 6, "NEW_CELL": 2, "$scopeinfo": 5}, Target.named("ecp5"), "m")
    assert error.value.where == "m"


def test_ecp5_place_and_route():
    report = read_pnr_report(DATA / "tiny.ecp5.pnr.json")
    assert report.fmax_mhz == pytest.approx(490.677, abs=0.001)
    assert report.utilization["TRELLIS_COMB"] == (12, 24288)
    assert report.utilization["TRELLIS_FF"] == (23, 24288)
    assert "DP16KD" not in report.utilization
    path = report.path
    assert path.start == "core.stage0.q_TRELLIS_FF_Q_3"
    assert path.end == "core.stage1.q_TRELLIS_FF_Q_2"
    assert path.delay_ns == pytest.approx(1000 / report.fmax_mhz, abs=0.002)
    assert path.logic_ns + path.routing_ns == pytest.approx(path.delay_ns)
    assert path.levels == 1
    assert [step.kind for step in path.steps] == [
        "clk-to-q",
        "routing",
        "logic",
        "routing",
        "setup",
    ]
    assert path.steps[1].name == "core.r1[3]"


def test_ice40_place_and_route():
    report = read_pnr_report(DATA / "tiny.ice40.pnr.json", "_LC")
    assert report.fmax_mhz == pytest.approx(626.566, abs=0.001)
    assert report.utilization == {
        "ICESTORM_LC": (25, 7680),
        "SB_GB": (1, 8),
        "SB_IO": (6, 206),
    }
    assert report.path.delay_ns == pytest.approx(1000 / report.fmax_mhz, abs=0.002)


def test_a_lut_packed_with_its_flip_flop_is_a_level(tmp_path):
    text = (DATA / "tiny.ice40.pnr.json").read_text().replace("_DFFLC", "_LC")
    (tmp_path / "pnr.json").write_text(text)
    for suffix, levels in (("", 0), (Target.named("ice40").pnr.packed_suffix, 1)):
        assert read_pnr_report(tmp_path / "pnr.json", suffix).path.levels == levels


def test_order_of_entries_does_not_matter(tmp_path):
    source = json.loads((DATA / "tiny.ecp5.pnr.json").read_text())
    source["critical_paths"].reverse()
    source = dict(reversed(source.items()))
    path = tmp_path / "pnr.json"
    path.write_text(json.dumps(source))
    assert read_pnr_report(path) == read_pnr_report(DATA / "tiny.ecp5.pnr.json")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"utilization": {}}', '{"fmax": {}}'])
def test_damaged_report_is_a_tool_failure_that_names_the_file(tmp_path, text):
    path = tmp_path / "pnr.json"
    path.write_text(text)
    with pytest.raises(ToolFailed) as error:
        read_pnr_report(path)
    assert str(path) in error.value.where


def test_missing_report_is_a_tool_failure(tmp_path):
    with pytest.raises(ToolFailed, match="No such file"):
        read_stat(tmp_path / "stat.json", Target.named("ecp5"))


def test_report_without_modules_is_a_tool_failure(tmp_path):
    path = tmp_path / "stat.json"
    path.write_text('{"modules": {"a": {}}, "design": {}}')
    with pytest.raises(ToolFailed, match="num_cells_by_type"):
        read_stat(path, Target.named("ecp5"))
