"""Simulate a run of the mac backend, and plant faults in its chains."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from nnlogic.backends.mac.checks.faults import planted_mac_faults
from nnlogic.backends.mac.model.ir import MacNet
from nnlogic.backends.mac.rows import VERILOG_FAULT
from nnlogic.checks.faults import planted_faults
from nnlogic.checks.verdict import Verdict
from nnlogic.core.errors import IRError
from nnlogic.core.folders import fresh_folder
from nnlogic.core.progress import Progress
from nnlogic.design.ir import HardwareDesign
from nnlogic.hw.mac.verilog import MacPair
from nnlogic.hw.slices import MODELS
from nnlogic.job import facts
from nnlogic.job.backend import Simulate
from nnlogic.job.directory import Run
from nnlogic.job.ladder import accuracy_rows, verdict_check
from nnlogic.job.rows import read_saved
from nnlogic.job.simulate import bulk_verdict, core_regression
from nnlogic.job.stages.tables import load_simplified
from nnlogic.quant.ir import QuantNet
from nnlogic.report.model import Report
from nnlogic.report.rows import Check
from nnlogic.sim.bulk import run_bulk
from nnlogic.tables.ir import Instance

FAULT_ROWS = 1024


def load_pair(run: Run) -> tuple[MacPair, tuple[Path, ...]]:
    """Return the cores of a run and their Verilog, the model of the slices last."""
    mac = MacNet.load(run.ir_path("mac"))
    design = HardwareDesign.load(run.ir_path("design"))
    name = run.report.name
    rtl = run.path / "rtl"
    stream = (rtl / f"{name}_stream.v").exists()
    model = run.path / "sim" / MODELS
    files = (*sorted(rtl.glob("*.v")), *((model,) if model.exists() else ()))
    return MacPair(name, mac, design, stream), files


def simulate_mac(run: Run, ask: Simulate) -> Report:
    """Run bulk vectors, cocotb and the planted faults; return the report with their checks.

    Raises
    ------
    ToolNotFound
        Verilator, or with `require_all` any simulator, is missing.
    """
    net = QuantNet.load(run.ir_path("quant"))
    tail = QuantNet.load(run.ir_path("tail"))
    pair, files = load_pair(run)
    rows, expected = read_saved(run.path / "sim" / "rows.npz")
    report = run.report

    progress, folder = ask.progress, run.path / "sim" / "bulk"
    verdict, outputs = bulk_verdict(pair, files, folder, rows, expected, progress)
    report = report.with_check(5, verdict_check("bulk vectors, compiled model", verdict))
    report = report.put(*accuracy_rows(net, rows, "RTL", outputs))
    for name in ask.simulators:
        check = core_regression(run, pair, files, rows.codes, expected, name, ask)
        report = report.with_check(5, check)

    with progress.step("planted faults"):
        codes = rows.codes[:FAULT_ROWS]
        for title, verdict in planted_mac_faults(net, pair.mac, tail, codes=codes):
            report = report.with_check(0, verdict_check(title, verdict))
        report = report.with_check(0, verilog_fault_check(run, pair, files, progress))
        for title, verdict in _tail_faults(run, pair, codes):
            report = report.with_check(0, verdict_check(title, verdict))
    return report.put(*facts.tool_facts("verilator"))


def _tail_faults(run: Run, pair: MacPair, codes: object) -> Iterator[tuple[str, Verdict]]:
    """Faults in tables, logic and Verilog of the tail, where there is a LUT to plant them in."""
    tables = load_simplified(run.path)
    if not pair.design.logic.stats()["luts"] or not any(
        isinstance(block, Instance) for block in tables.blocks
    ):
        return
    file = run.path / "rtl" / f"{pair.design.name}.v"
    folder = run.path / "sim" / "faults"
    fields = pair.mac.evaluate(codes)  # type: ignore[arg-type]
    yield from planted_faults(tables, pair.design, [file], folder, codes=fields, simulate=False)


def verilog_fault_check(
    run: Run, pair: MacPair, files: Sequence[Path], progress: Progress
) -> Check:
    """Cut a cascade in the Verilog of the chains; the bulk rows must see it.

    Not run where the outputs are the same for all of them, as no fault in a sum can show.
    """
    rows, expected = read_saved(run.path / "sim" / "rows.npz")
    codes, expected = rows.codes[:FAULT_ROWS], expected[:FAULT_ROWS]
    if (expected == expected[0]).all():
        why = f"the outputs are the same for all of {len(codes)} rows: no fault in a sum can show"
        return Check(VERILOG_FAULT, detail=why)
    started = time.monotonic()
    folder = fresh_folder(run.path / "sim" / "faults_mac")
    wrong = []
    where = ""
    for file in files:
        if file.stem != pair.mac.name:
            wrong.append(file)
            continue
        text, where = plant_verilog_fault(file.read_text())
        wrong.append(folder / file.name)
        wrong[-1].write_text(text)
    outputs = run_bulk(pair, wrong, folder, codes=codes, progress=progress)
    caught = bool((outputs != expected).any())
    found = Verdict(
        "planted fault", "what the bench says", caught, f"sampled n={len(codes)}", where=where
    )
    return verdict_check(VERILOG_FAULT, found.timed(started))


def plant_verilog_fault(text: str) -> tuple[str, str]:
    """Return Verilog of chains in which one slice loses what it should add, and where.

    Raises
    ------
    IRError
        There is no such place.
    """
    for pattern, new in (
        (r"\.PCIN\(chain\d+_slice\d+_pcout\)", ".PCIN(48'h000000000000)"),
        (r"\.C\(48'h[0-9a-f]+\)", ".C(48'h555555555555)"),
        (r"(chain\d+_slice\d+_p(?:_next)? <?= )[^;]+;", r"\g<1>48'h000000000000;"),
    ):
        places = list(re.finditer(pattern, text))
        if places:
            place = places[-1]
            line = text.count("\n", 0, place.start()) + 1
            planted = text[: place.start()] + place.expand(new) + text[place.end() :]
            return planted, f"line {line}: {place[0]}"
    raise IRError("no slice to plant a fault in", why="no cascade, sum or constant in the Verilog")
