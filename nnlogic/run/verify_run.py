"""Simulate a compiled run: bulk vectors, cocotb on both simulators, planted faults."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from nnlogic.checks.verdict import Verdict
from nnlogic.core.errors import Different, ToolNotFound, UsageError
from nnlogic.core.formats import IntArray
from nnlogic.core.progress import SILENT, Progress
from nnlogic.design.ir import HardwareDesign
from nnlogic.hw.names import Core, StreamedCore
from nnlogic.quant.ir import QuantNet
from nnlogic.report.model import Report
from nnlogic.report.rows import Artifact, Check
from nnlogic.job import facts
from nnlogic.job.directory import (
    Run,
    close_run,
    is_dsp_run,
    is_mac_run,
    is_mixed_run,
    reopened_run,
)
from nnlogic.job.evidence import COMPARED, bound, compared, forget_netlist, roots_changed
from nnlogic.job.ladder import accuracy_rows, verdict_check
from nnlogic.run.recheck import recheck
from nnlogic.job.rows import Rows, read_saved
from nnlogic.run.simplified import load_simplified
from nnlogic.tools.find import find

SIMULATORS = ("verilator", "icarus")
PROTOCOL_ROWS = 1000


def verify(
    path: Path | str,
    *,
    simulators: Sequence[str] = SIMULATORS,
    require_all: bool = False,
    progress: Progress = SILENT,
) -> Run:
    """Run the simulation rungs of the verification ladder on a compiled run.

    Parameters
    ----------
    path : path
        A run directory with Verilog.
    simulators : sequence of str
        Of ``"verilator"`` and ``"icarus"``. The bulk model always uses Verilator.
    require_all : bool
        Raise when a simulator is missing; otherwise its row says "not run" and why.

    Returns
    -------
    Run
        With report.json, report.html and STATUS brought up to date.

    Raises
    ------
    Different
        Something differs; STATUS is ``failed``. Or a verdict is of other files than those that are
        there, and cannot be found again from the run; STATUS is ``stale``.
    ToolNotFound
        Verilator, or with `require_all` any simulator, is missing.
    """
    unknown = sorted(set(simulators) - set(SIMULATORS))
    if unknown:
        raise UsageError("unknown simulator", why=", ".join(unknown), fix=" or ".join(SIMULATORS))
    with reopened_run(Path(path)) as opened:
        run = replace(opened, report=forget_netlist(opened.report))
        dsp, mixed = is_dsp_run(run), is_mixed_run(run)
        if not dsp and not mixed and not run.ir_path("design").exists():
            raise UsageError(
                "nothing to simulate",
                where=str(run.path),
                why="the run has no Verilog",
                fix="compile it without --stop-after",
            )
        taken = {number: compared(run.path, number) for number in COMPARED}
        changed = roots_changed(run.path)
        if dsp:
            from nnlogic.backends.dsp.verify import simulate_engine

            report = simulate_engine(run, tuple(simulators), require_all, progress)
        elif mixed:
            from nnlogic.backends.chain.verify import simulate_mixed

            report = simulate_mixed(run, tuple(simulators), require_all, progress)
        elif is_mac_run(run):
            from nnlogic.backends.mac.verify import simulate_mac

            report = simulate_mac(run, tuple(simulators), require_all, progress)
        else:
            find("verilator"), find("g++"), find("make")
            report = _simulate(run, tuple(simulators), require_all, progress)
        stale = report.stale or bool(changed)
        status = "failed" if report.failed else "stale" if stale else _status(report)
        report = bound(report.replace(status=status), run.path, run.report, taken)
        close_run(run.path, report, "segments/")
    if report.failed:
        rung = next(r for r in report.ladder if r.verdict == "fail")
        bad = next(c for c in rung.checks if c.verdict == "fail")
        raise Different(f"check failed: {bad.title}", where=str(path), why=bad.detail)
    refuse_stale(Path(path), report, changed)
    return Run(Path(path), report)


def refuse_stale(path: Path, report: Report, changed: Sequence[str] = ()) -> None:
    """Raise Different where a verdict of a run is not of the files that are there now."""
    if not report.stale and not changed:
        return
    old = [c for rung in report.ladder for c in rung.checks if c.verdict == "stale"]
    raise Different(
        "the run was changed after it was checked",
        where=str(path),
        why="; ".join([f"{c.title}: {c.detail}" for c in old[:3]] or changed),
        fix="compile the network again; figures and verdicts of the changed files are withdrawn",
    )


def _status(report: Report) -> str:
    """``verified`` needs every rung from 0 to 5 to have passed on at least one simulator."""
    simulated = [c.verdict for c in report.rung(5).checks if c.title.startswith("cocotb")]
    others = [c.verdict for c in report.rung(5).checks if not c.title.startswith("cocotb")]
    ok = "pass" in simulated and all(v == "pass" for v in others)
    ok = ok and all(report.rung(n).verdict == "pass" for n in (0, 2, 3, 4))
    return "verified" if ok else "compiled"


def _simulate(
    run: Run, simulators: tuple[str, ...], require_all: bool, progress: Progress
) -> Report:
    from nnlogic.checks.faults import planted_faults
    from nnlogic.sim.bulk import run_bulk

    report = recheck(run, run.report, progress)
    if report.failed:
        return report
    net = QuantNet.load(run.ir_path("quant"))
    tables = load_simplified(run.path)
    design = HardwareDesign.load(run.ir_path("design"))
    rows, expected = read_saved(run.path / "sim" / "rows.npz")
    files = sorted((run.path / "rtl").glob("*.v"))

    with progress.step("bulk vectors through a compiled model", total=len(rows.codes)) as step:
        started = time.monotonic()
        outputs = run_bulk(design, files, run.path / "sim" / "bulk", codes=rows.codes)
        step.advance(len(rows.codes))
    verdict = compare_outputs(design, rows, expected, outputs, time.monotonic() - started)
    report = report.with_check(5, verdict_check("bulk vectors, compiled model", verdict))
    report = report.put(*accuracy_rows(net, rows, "RTL", outputs))

    for name in simulators:
        check = run_simulator(run, design, files, rows.codes, expected, name, require_all, progress)
        report = report.with_check(5, check)

    with progress.step("planted faults"):
        for title, caught in planted_faults(
            tables, design, files, run.path / "sim" / "faults", codes=rows.codes
        ):
            report = report.with_check(0, verdict_check(title, caught))
    used = ["verilator", *(["iverilog"] if "icarus" in simulators and _have("iverilog") else [])]
    return report.put(*facts.tool_facts(*used), Artifact("sim/rows.npz", "rows simulated"))


def compare_outputs(
    design: Core, rows: Rows, expected: IntArray, outputs: IntArray, seconds: float
) -> Verdict:
    """Compare what bulk simulation gave with what the network says."""
    how = f"sampled n={len(rows.codes)}"
    bad = np.argwhere(outputs != expected)
    if not len(bad):
        return Verdict("QuantNet", "Verilog", True, how, rows.what, seconds=seconds)
    row, column = (int(v) for v in bad[0])
    port = design.outputs[column].name
    where = f"row {row}, {port}: expected {expected[row, column]}, got {outputs[row, column]}"
    return Verdict("QuantNet", "Verilog", False, how, f"{len(bad)} values", where, seconds)


def _have(name: str) -> bool:
    try:
        find(name)
    except ToolNotFound:
        return False
    return True


def run_simulator(
    run: Run,
    design: StreamedCore,
    files: Sequence[Path],
    codes: IntArray,
    expected: IntArray,
    simulator: str,
    require_all: bool,
    progress: Progress,
) -> Check:
    """Run cocotb on one simulator and return its check; "not run" when it is missing."""
    from nnlogic.sim.cocotb_run import run_regression

    title = f"cocotb on {simulator}"
    n = min(len(codes), PROTOCOL_ROWS)
    try:
        result = run_regression(
            design,
            files,
            run.path / "sim" / f"cocotb-{simulator}",
            simulator=simulator,
            codes=codes[:n],
            expected=expected[:n],
            progress=progress,
        )
    except ToolNotFound as error:
        if require_all:
            raise
        return Check(title, "not run", detail=f"{error.why}; {error.fix}")
    measured = (
        f"{result.passed} tests passed, {result.failed} failed; latency "
        f"{result.measured_latency} cycles, initiation interval {result.measured_interval}"
    )
    good = (
        result.failed == 0
        and result.passed > 0
        and result.measured_latency == design.latency
        and result.measured_interval == 1
    )
    word = "pass" if good else "fail"
    return Check(title, word, f"sampled n={n}", measured, round(result.seconds, 3))  # type: ignore[arg-type]
