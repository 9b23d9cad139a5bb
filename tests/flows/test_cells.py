"""A core in standard cells: area, delay and cells in the report, the netlist proved."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from nnlogic.checks.formal import prove_netlist
from nnlogic.cli.main import main
from nnlogic.core.errors import TargetMissed, ToolFailed, UnsupportedModel, UsageError
from nnlogic.design.ir import HardwareDesign
from nnlogic.flows import cells
from nnlogic.flows.cells import Library, synthesize_cells
from nnlogic.job.cells import refuse_cells
from nnlogic.job.directory import open_run
from nnlogic.run import compile, synth
from nnlogic.tools.run import Completed

SMALL = Path(__file__).parents[2] / "examples" / "asic" / "small.lib"
TIMING = "Area =     9411.00 (100.0 %)   Delay =   890.49 ps  (  3.5 %)"


@pytest.fixture(scope="module")
def run(tmp_path_factory, make_net):
    place = tmp_path_factory.mktemp("cells")
    make_net(widths=(4, 3), features=4).save(place / "net.safetensors")
    return compile(place / "net.safetensors", place / "run", target="ice40", effort="fast").path


@pytest.fixture(scope="module")
def report(run):
    return synth(run, liberty=SMALL).report


def test_the_report_has_area_delay_and_cells(run, report):
    section = report.section("cells")
    data = section.data
    areas = {"DFF": 12, "INV": 2, "BUF": 3, "NAND2": 3, "NAND3": 4, "NOR2": 3, "NOR3": 4, "AND2": 4,
             "OR2": 4, "XOR2": 7, "XNOR2": 7, "AOI21": 4, "OAI21": 4}  # fmt: skip
    design = HardwareDesign.load(open_run(run).ir_path("design"))
    assert data["measured_cells"]["DFF"] == design.registers + design.latency
    assert data["measured_area"] == sum(areas[c] * n for c, n in data["measured_cells"].items())
    assert data["measured_registers_area"] == 12 * data["measured_cells"]["DFF"]
    assert 0.05 < data["measured_delay_ns"] < 2
    assert [c.verdict for c in report.rung(6).checks] == ["pass"]
    assert report.target == "ice40"
    assert report.changes == ("synthesis, target: ice40 -> asic, small",)
    assert report.resource("total", "synth") is None


def test_a_wrong_cell_and_a_wrong_library_are_found_by_the_proof(run, report, tmp_path):
    opened = open_run(run)
    design = HardwareDesign.load(opened.ir_path("design"))
    text = (run / "synth" / "netlist.v").read_text()
    library = Library.load(SMALL)
    cell = next(name for name in ("NAND2", "NOR2", "AND2", "OR2") if f"  {name} " in text)
    other = {"NAND2": "NOR2", "NOR2": "NAND2", "AND2": "OR2", "OR2": "AND2"}[cell]
    wrong = tmp_path / "wrong.v"
    wrong.write_text(text.replace(f"  {cell} ", f"  {other} ", 1))
    assert not prove_netlist(design, [wrong], target=library).equal
    functions = {
        "NAND2": b"(!(A & B))",
        "NOR2": b"(!(A | B))",
        "AND2": b"(A & B)",
        "OR2": b"(A | B)",
    }
    liar = replace(library, data=library.data.replace(functions[cell], functions[other], 1))
    assert not prove_netlist(design, [run / "synth" / "netlist.v"], target=liar).equal


def test_an_edit_of_the_library_makes_the_verdict_stale(run, report):
    kept = run / "synth" / "cells.lib"
    before = kept.read_bytes()
    kept.write_bytes(before.replace(b"area : 7", b"area : 8"))
    try:
        assert open_run(run).report.rung(6).checks[0].verdict == "stale"
    finally:
        kept.write_bytes(before)


def test_a_clock_that_the_gates_miss_is_said(run, capsys):
    with pytest.raises(TargetMissed, match="100000 MHz is not met"):
        synth(run, liberty=SMALL, clock=100_000)


def test_a_library_without_flip_flops_is_refused(run, tmp_path):
    data = SMALL.read_bytes()
    few = Library("few", data[: data.index(b"  cell (DFF)")] + b"}\n")
    with pytest.raises(ToolFailed, match="D flip-flops are not supported"):
        synthesize_cells(run / "rtl" / "toy.v", "toy", few, tmp_path)


@pytest.mark.parametrize(
    ("types", "said", "why"),
    [
        ({"INV": 2, "$_DFF_P_": 3}, TIMING, r"lacks cells.*\n.*3 \$_DFF_P_"),
        ({"INV": 2, "$scopeinfo": 1}, "", "no timing"),
    ],
)
def test_cells_that_are_left_and_timing_that_is_missing_are_errors(
    run, tmp_path, monkeypatch, types, said, why
):
    def finished(*args, cwd, **options):
        design = {"num_cells_by_type": types, "area": 4.0}
        (cwd / "stat.json").write_text(json.dumps({"design": design}))
        return Completed(said, 1.0)

    monkeypatch.setattr(cells, "run_tool", finished)
    with pytest.raises(ToolFailed, match=why):
        synthesize_cells(run / "rtl" / "toy.v", "toy", Library.load(SMALL), tmp_path)


def test_options_that_do_not_fit_are_refused(run, tmp_path, capsys):
    assert main(["synth", str(run), "--target", "asic"]) == 2
    assert "--liberty FILE.lib" in capsys.readouterr().err
    with pytest.raises(UsageError, match="a device"):
        synth(run, target="ecp5", liberty=SMALL)
    with pytest.raises(UsageError, match="LUTs of a device"):
        synth(run, primitives=True, liberty=SMALL)
    (tmp_path / "no.lib").write_text("library without a name")
    for name, why in (("no.lib", "no `library"), ("none.lib", "No such file")):
        with pytest.raises(UsageError, match=why):
            synth(run, liberty=tmp_path / name)


def test_only_logic_of_the_whole_network_is_mapped(run, tmp_path):
    opened = open_run(run)
    with pytest.raises(UnsupportedModel, match="--backend lut"):
        refuse_cells(replace(opened, path=tmp_path))


def test_synthesis_for_a_device_takes_the_section_away(run, report):
    done = synth(run, pnr=False).report
    assert done.section("cells") is None
    assert done.resource("total", "synth").luts
