"""What simulations of all backends share: bulk vectors, cocotb on a free-running core."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nnlogic.checks.verdict import Verdict
from nnlogic.core.errors import ToolNotFound
from nnlogic.core.formats import IntArray
from nnlogic.core.progress import Progress
from nnlogic.hw.names import Core, StreamedCore
from nnlogic.job import facts
from nnlogic.job.backend import Simulate
from nnlogic.job.directory import Run
from nnlogic.job.rows import Rows
from nnlogic.report.rows import Check, ToolRow
from nnlogic.sim.bulk import run_bulk
from nnlogic.sim.cocotb_run import run_regression
from nnlogic.tools.find import find

PROTOCOL_ROWS = 1000
FEWEST_ROWS = 32
INTERPRETED = 2_000_000_000
"""Rows times bytes of Verilog that a simulator without a compiler gets through in minutes."""
TOOLS = {"verilator": ("verilator", "g++", "make"), "icarus": ("iverilog",)}
"""Programs that each simulator needs, the one that names its version first."""


def need_simulator(simulator: str) -> None:
    """Raise ToolNotFound where a program that a simulator needs is missing."""
    for tool in TOOLS[simulator]:
        find(tool)


def has_simulator(simulator: str) -> bool:
    """Whether a simulator can be used."""
    try:
        need_simulator(simulator)
    except ToolNotFound:
        return False
    return True


def simulator_facts(ran: Sequence[str]) -> list[ToolRow]:
    """Return the simulators that ran as rows of the report."""
    return facts.tool_facts(*(TOOLS[name][0] for name in ran))


def bulk_verdict(
    core: Core,
    files: Sequence[Path],
    folder: Path,
    rows: Rows,
    expected: IntArray,
    progress: Progress,
) -> tuple[Verdict, IntArray]:
    """Run all rows through a compiled model; return what that says, and the outputs."""
    started = time.monotonic()
    outputs = run_bulk(core, files, folder, codes=rows.codes, progress=progress)
    seconds = time.monotonic() - started
    how = f"sampled n={len(rows.codes)}"
    bad = np.argwhere(outputs != expected)
    if not len(bad):
        return Verdict("QuantNet", "Verilog", True, how, rows.what, seconds=seconds), outputs
    row, column = (int(v) for v in bad[0])
    port = core.outputs[column].name
    where = f"row {row}, {port}: expected {expected[row, column]}, got {outputs[row, column]}"
    found = Verdict("QuantNet", "Verilog", False, how, f"{len(bad)} values", where, seconds)
    return found, outputs


def core_regression(
    run: Run,
    core: StreamedCore,
    files: Sequence[Path],
    codes: IntArray,
    expected: IntArray,
    simulator: str,
    ask: Simulate,
) -> Check:
    """Run cocotb on one simulator and return its check; "not run" when it is missing.

    Raises
    ------
    ToolNotFound
        It is missing, and all are required.
    """
    title = f"cocotb on {simulator}"
    n = min(len(codes), protocol_rows(files, simulator))
    try:
        result = run_regression(
            core,
            files,
            run.path / "sim" / f"cocotb-{simulator}",
            simulator=simulator,
            codes=codes[:n],
            expected=expected[:n],
            progress=ask.progress,
        )
    except ToolNotFound as error:
        return missing_simulator(title, error, ask)
    measured = (
        f"{result.passed} tests passed, {result.failed} failed; latency "
        f"{result.measured_latency} cycles, initiation interval {result.measured_interval}"
    )
    good = (
        result.failed == 0
        and result.passed > 0
        and result.measured_latency == core.latency
        and result.measured_interval == 1
    )
    word = "pass" if good else "fail"
    return Check(title, word, f"sampled n={n}", measured, round(result.seconds, 3))  # type: ignore[arg-type]


def protocol_rows(files: Sequence[Path], simulator: str) -> int:
    """Return how many rows the protocol tests run on a simulator, for Verilog of its size."""
    if simulator == "verilator":
        return PROTOCOL_ROWS
    size = sum(Path(file).stat().st_size for file in files)
    return max(FEWEST_ROWS, min(PROTOCOL_ROWS, INTERPRETED // max(1, size)))


def missing_simulator(title: str, error: ToolNotFound, ask: Simulate) -> Check:
    """Return the check of a simulator that is missing; raise where all are required."""
    if ask.require_all:
        raise error
    return Check(title, "not run", detail=f"{error.why}; {error.fix}")
