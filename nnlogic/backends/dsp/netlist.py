"""Simulate the post-synthesis netlist of an engine, and plant a wrong bit in it."""

from __future__ import annotations

import time
from itertools import islice
from pathlib import Path

import numpy as np

from nnlogic.backends.dsp.kernels import has_kernels
from nnlogic.backends.dsp.model.ir import Program
from nnlogic.backends.dsp.rows import NETLIST_CHECK, NETLIST_FAULT
from nnlogic.backends.dsp.verify import GROUPS
from nnlogic.core.errors import ToolFailed, ToolNotFound, ToolTimeout, UsageError
from nnlogic.core.progress import Progress
from nnlogic.flows.targets import Target
from nnlogic.hw.dsp.encode import EngineShape
from nnlogic.job.directory import Run
from nnlogic.job.rows import read_saved
from nnlogic.job.simulate import need_simulator
from nnlogic.report.rows import Check
from nnlogic.sim.dsp.netlist import simulatable
from nnlogic.sim.dsp.run import EngineRegression, run_engine
from nnlogic.sim.netlist import wrong_netlists

SECONDS = 600.0
"""Most a simulation may take; larger netlists are left to the vendor's simulator."""
TESTS = ("engine_full_rate", "engine_stalls")
"""What a netlist is put through; the Verilog it was made from goes through all of them."""
TRIES = 6
"""Wrong bits planted until one is seen: not every bit of a memory is read."""


class _Netlist:
    def __init__(
        self, run: Run, name: str, widths: tuple[int, int], target: Target, progress: Progress
    ) -> None:
        self.program = Program.load(run.ir_path("program"))
        rows, expected = read_saved(run.path / "sim" / "rows.npz")
        picked = np.arange(GROUPS * self.program.vectors) % len(rows.codes)
        self.codes, self.expected = rows.codes[picked], expected[picked]
        self.rows = min(len(picked), len(rows.codes))
        self.folder = run.path / "sim"
        self.name, self.widths, self.target, self.progress = name, widths, target, progress
        self.simulator = _simulator()

    def simulate(self, netlist: Path, folder: str, tests: tuple[str, ...]) -> EngineRegression:
        files = simulatable(
            netlist, self.name, self.widths, self.target, self.folder / folder / "sources",
            progress=self.progress,
        )  # fmt: skip
        return run_engine(
            self.program,
            files,
            self.folder / folder / self.simulator,
            codes=self.codes,
            expected=self.expected,
            simulator=self.simulator,
            timeout=SECONDS,
            progress=self.progress,
            tests=tests,
        )


def _simulator() -> str:
    """Verilator where it is there: netlists are slow on Icarus."""
    try:
        need_simulator("verilator")
    except ToolNotFound:
        need_simulator("icarus")
        return "icarus"
    return "verilator"


def netlist_checks(
    run: Run, netlist: Path, name: str, widths: tuple[int, ...], target: Target, progress: Progress
) -> list[Check]:
    """Run the engine's tests on its netlist, and on netlists with one wrong bit.

    Parameters
    ----------
    run : Run
        Compiled; its saved rows are the vectors.
    netlist : Path
        From synthesis.
    name : str
        The engine's module.
    widths : tuple of int
        Bits of ``s_axis_tdata`` and of ``m_axis_tdata``.
    target : Target
    progress : Progress

    Returns
    -------
    list of Check
        For rung 6; "not run", with the reason, where a tool or a model is missing.
    """
    if has_kernels(run) or len(widths) > 2:
        why = "netlists of engines with several kernels are not simulated"
        return [Check(NETLIST_CHECK, detail=why)]
    try:
        found = _Netlist(run, name, (widths[0], widths[1]), target, progress)
        with progress.step("check: Verilog = netlist"):
            check = _regression(found, netlist)
        if check.verdict == "fail":
            return [check]
        with progress.step("fault in the netlist"):
            return [check, _fault(found, netlist)]
    except (ToolFailed, ToolNotFound, ToolTimeout, UsageError) as error:
        last = error.why.strip().splitlines()[-1:]
        return [Check(NETLIST_CHECK, detail=": ".join([error.what, *last]))]


def _regression(found: _Netlist, netlist: Path) -> Check:
    result = found.simulate(netlist, "netlist", TESTS)
    shape = EngineShape.of(found.program)
    good = (
        result.failed == 0
        and result.passed > 0
        and result.latency == shape.turnaround
        and result.interval == found.program.interval
    )
    detail = (
        f"{result.passed} tests passed, {result.failed} failed on {result.simulator}; small cells "
        "as Yosys models them, block RAMs and DSP cells as nnlogic does; not proved"
    )
    verdict = "pass" if good else "fail"
    how = f"sampled n={found.rows}"
    return Check(NETLIST_CHECK, verdict, how, detail, round(result.seconds, 3))  # type: ignore[arg-type]


def _fault(found: _Netlist, netlist: Path) -> Check:
    """Plant wrong bits until the bench sees one; a check that never does has failed."""
    started = time.monotonic()
    folder = found.folder / "netlist-fault"
    folder.mkdir(parents=True, exist_ok=True)
    unseen = []
    for text, where in islice(wrong_netlists(netlist.read_text()), TRIES):
        wrong = folder / "wrong.v"
        wrong.write_text(text)
        result = found.simulate(wrong, "netlist-fault", TESTS[:1])
        if result.failed:
            many = result.failed + result.passed
            detail = f"one bit of {where}: {result.failed} of {many} tests failed"
            took = round(time.monotonic() - started, 3)
            return Check(NETLIST_FAULT, "pass", f"sampled n={found.rows}", detail, took)
        unseen.append(where)
    detail = f"not seen: {'; '.join(unseen) or 'no bit to plant'}"
    return Check(NETLIST_FAULT, "fail", f"sampled n={found.rows}", detail)
