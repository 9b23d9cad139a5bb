"""Simulate a run of the LUT backend: bulk vectors, cocotb, planted faults."""

from __future__ import annotations

from dataclasses import replace

from nnlogic.backends.lut.rows import BULK_CHECK
from nnlogic.backends.lut.stages import verilog_files
from nnlogic.checks.faults import planted_faults
from nnlogic.design.ir import HardwareDesign
from nnlogic.design.unread import port_codes
from nnlogic.job import facts
from nnlogic.job.backend import Simulate
from nnlogic.job.directory import Run
from nnlogic.job.ladder import accuracy_rows, verdict_check
from nnlogic.job.rows import read_saved
from nnlogic.job.simulate import bulk_verdict, core_regression, has_simulator
from nnlogic.job.stages.tables import load_simplified
from nnlogic.logic.ir import LogicNet
from nnlogic.quant.ir import QuantNet
from nnlogic.report.model import Report
from nnlogic.report.rows import Artifact
from nnlogic.tools.find import find


def simulate(run: Run, ask: Simulate) -> Report:
    """Return the report of a run with what simulations and planted faults say.

    Raises
    ------
    ToolNotFound
        Verilator, which runs the bulk vectors, or any required simulator is missing.
    """
    find("verilator"), find("g++"), find("make")
    report, folder = run.report, run.path / "sim"
    net = QuantNet.load(run.ir_path("quant"))
    design = HardwareDesign.load(run.ir_path("design"))
    logic = LogicNet.load(run.ir_path("logic"))
    rows, expected = read_saved(folder / "rows.npz")
    at_ports = replace(rows, codes=port_codes(logic, design, rows.codes))
    files = verilog_files(run.path)
    verdict, outputs = bulk_verdict(
        design, files, folder / "bulk", at_ports, expected, ask.progress
    )
    report = report.with_check(5, verdict_check(BULK_CHECK, verdict))
    report = report.put(*accuracy_rows(net, rows, "RTL", outputs))
    for name in ask.simulators:
        check = core_regression(run, design, files, at_ports.codes, expected, name, ask)
        report = report.with_check(5, check)
    with ask.progress.step("planted faults"):
        tables = load_simplified(run.path)
        for title, caught in planted_faults(
            tables,
            design,
            files,
            folder / "faults",
            codes=rows.codes,
            logic=None if design.inputs == logic.inputs else logic,
        ):
            report = report.with_check(0, verdict_check(title, caught))
    icarus = "icarus" in ask.simulators and has_simulator("icarus")
    used = ["verilator", *(["iverilog"] if icarus else [])]
    return report.put(*facts.tool_facts(*used), Artifact("sim/rows.npz", "rows simulated"))
