"""The core of a run in standard cells: netlist, proof, section of the report."""

from __future__ import annotations

from pathlib import Path

from nnlogic.checks.formal import prove_netlist
from nnlogic.core.errors import TargetMissed, UnsupportedModel
from nnlogic.design.ir import HardwareDesign
from nnlogic.flows.cells import CellsResult, Library, synthesize_cells
from nnlogic.job import facts
from nnlogic.job.directory import Run
from nnlogic.job.ladder import verdict_check
from nnlogic.job.tools import CELLS, Ask, file_artifacts, forget_tools
from nnlogic.quant.ir import QuantNet
from nnlogic.report.model import Report
from nnlogic.report.rows import StepRow
from nnlogic.report.sections import Fact, Section, TableBlock

ASIC = "asic"
"""The target of those who give a library."""


def refuse_cells(run: Run) -> None:
    """Raise UnsupportedModel where the core of a run is not logic of the whole network."""
    place = run.ir_path("design")
    if place.exists():
        design, net = HardwareDesign.load(place), QuantNet.load(run.ir_path("quant"))
        if (design.inputs, design.outputs) == (net.inputs, net.outputs):
            return
    raise UnsupportedModel(
        "only logic is mapped to standard cells",
        where=str(run.path),
        why="the core of this run is more, or less, than the logic of the network",
        fix="compile it with --backend lut",
    )


def synth_cells(run: Run, library: Library, ask: Ask) -> tuple[Report, TargetMissed | None]:
    """Synthesize the core of a run for a library, and prove the netlist.

    Parameters
    ----------
    run : Run
    library : Library
    ask : Ask
        Its target is not used.

    Returns
    -------
    Report, TargetMissed or None
        The error of a clock that the gates alone miss.
    """
    design = HardwareDesign.load(run.ir_path("design"))
    core, folder = run.path / "rtl" / f"{design.name}.v", run.path / "synth"
    result = synthesize_cells(
        core, design.name, library, folder, clock=ask.clock, timeout=ask.timeout,
        progress=ask.progress,
    )  # fmt: skip
    report = forget_tools(run.report).with_section(_section(result))
    report = report.put(
        StepRow(f"synthesis for {library.name}", round(result.seconds, 3)),
        *file_artifacts(run.path, result.files, "synthesis"),
        *facts.tool_facts("yosys"),
    )
    with ask.progress.step("check: Verilog = netlist"):
        netlist = result.files["netlist_verilog"]
        verdict = prove_netlist(design, [netlist], target=library, timeout=ask.timeout)
    report = report.with_check(6, verdict_check("Verilog = netlist", verdict))
    return report, _missed(result, ask.clock, folder)


def _missed(result: CellsResult, clock: float | None, folder: Path) -> TargetMissed | None:
    if clock is None or result.delay_ns <= 1000 / clock:
        return None
    return TargetMissed(
        f"the clock of {clock:g} MHz is not met",
        where=str(folder),
        why=f"the longest path of gates takes {result.delay_ns} ns of {1000 / clock:.3f} ns, "
        "without wires, clock to output and setup",
        fix="lower --clock, or compile with fewer --levels-per-stage",
    )


def _section(result: CellsResult) -> Section:
    """Return what the report says, as estimates of synthesis."""
    registers = result.registers_area
    shown = {
        "library": result.library,
        "area": f"{result.area:,.10g} in units of the library, synthesis; before placement",
        "registers": "not run" if registers is None else f"{registers:,.10g} of the area",
        "cells": f"{sum(result.cells.values()):,}",
        "longest path": f"{result.delay_ns} ns of gates between registers, by ABC with the "
        "library's tables; without wires, clock to output and setup",
        "how": f"{result.tool}: {result.command}",
    }
    rows = tuple((name, f"{n:,}") for name, n in sorted(result.cells.items(), key=lambda c: -c[1]))
    return Section(
        CELLS,
        "Standard cells",
        {
            "measured_library": result.library,
            "measured_area": result.area,
            "measured_registers_area": registers,
            "measured_cells": dict(result.cells),
            "measured_delay_ns": result.delay_ns,
        },
        tuple(Fact(label, text, True) for label, text in shown.items()),
        (TableBlock("Cells", ("cell", ">count"), rows, "by count", True),),
    )
