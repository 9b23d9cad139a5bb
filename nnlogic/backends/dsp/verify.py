"""Simulate the engine of a DSP run, and plant faults in its program."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nnlogic.backends.dsp import section as dsp_section
from nnlogic.backends.dsp.kernels import has_kernels
from nnlogic.backends.dsp.model.ir import OpGraph, Program
from nnlogic.backends.dsp.rows import ENGINE_FAULT
from nnlogic.checks.verdict import Verdict
from nnlogic.core.bits import random_codes
from nnlogic.core.errors import IRError, ToolNotFound
from nnlogic.core.formats import IntArray, Port
from nnlogic.core.progress import Progress
from nnlogic.hw.dsp.encode import EngineShape
from nnlogic.hw.slices import MODELS
from nnlogic.job.backend import Simulate
from nnlogic.job.directory import Run
from nnlogic.job.ladder import verdict_check
from nnlogic.job.rows import read_saved
from nnlogic.job.simulate import missing_simulator, need_simulator, simulator_facts
from nnlogic.job.stages.tables import load_simplified
from nnlogic.logic.ir import LogicNet
from nnlogic.report.model import Report
from nnlogic.report.rows import Artifact, Check
from nnlogic.sim.dsp.run import EngineRegression, run_engine
from nnlogic.tables.ir import TableNet

GROUPS = 6
"""Groups a simulation runs: enough to see the steady state."""
FAULT_ROWS = 4096


def engine_files(folder: Path) -> tuple[Path, ...]:
    """Return the engine's Verilog, and the model of its slices where it has DSP cells."""
    model = folder / "sim" / MODELS
    return (*sorted((folder / "rtl").glob("*.v")), *((model,) if model.exists() else ()))


@dataclass(frozen=True, eq=False)
class _Engine:
    program: Program
    kind: str
    files: Sequence[Path]
    folder: Path
    codes: IntArray
    expected: IntArray
    rows: int
    progress: Progress

    def simulate(self, files: Sequence[Path], folder: str, simulator: str) -> EngineRegression:
        return run_engine(
            self.program,
            files,
            self.folder / "sim" / folder,
            codes=self.codes,
            expected=self.expected,
            simulator=simulator,
            progress=self.progress,
        )


def simulate_engine(run: Run, ask: Simulate) -> Report:
    """Run cocotb on the engine, and the planted faults; return the report with their checks.

    The rows are those of the run, against the outputs of the QuantNet, repeated to fill
    `GROUPS` groups.

    Raises
    ------
    ToolNotFound
        A simulator that is required is missing.
    """
    if has_kernels(run):
        from nnlogic.backends.dsp.kernels_verify import simulate_kernels

        return simulate_kernels(run, ask)
    files = engine_files(run.path)
    report = run.report
    dsp = dsp_section.of(report)
    if dsp is None:
        raise IRError("the report has no section of an engine", where=str(run.path))
    program = Program.load(run.ir_path("program"))
    rows, expected = read_saved(run.path / "sim" / "rows.npz")
    picked = np.arange(GROUPS * program.vectors) % len(rows.codes)
    engine = _Engine(
        program,
        dsp.kind,
        files,
        run.path,
        rows.codes[picked],
        expected[picked],
        min(len(picked), len(rows.codes)),
        ask.progress,
    )
    ran = []
    for name in ask.simulators:
        found = _regression(engine, name, ask)
        report = report.with_check(5, found)
        if found.verdict != "not run":
            ran.append(name)
    if report.failed:
        return report
    with ask.progress.step("planted faults"):
        for title, caught in _faults(run, program, rows.codes):
            report = report.with_check(0, verdict_check(title, caught))
        if ran:
            caught = _engine_fault(engine, ran[-1])
            report = report.with_check(0, verdict_check(ENGINE_FAULT, caught))
    return report.put(*simulator_facts(ran), Artifact("sim/rows.npz", "rows simulated"))


def _regression(engine: _Engine, simulator: str, ask: Simulate) -> Check:
    title = f"cocotb on {simulator}"
    try:
        need_simulator(simulator)
        result = engine.simulate(engine.files, f"cocotb-{simulator}", simulator)
    except ToolNotFound as error:
        return missing_simulator(title, error, ask)
    shape = EngineShape.of(engine.program)
    detail = (
        f"{result.passed} tests passed, {result.failed} failed; {result.latency} cycles from the "
        f"last beat in to the last beat out, a group every {result.interval}"
    )
    good = (
        result.failed == 0
        and result.passed > 0
        and result.latency == shape.turnaround
        and result.interval == engine.program.interval
    )
    how = f"sampled n={engine.rows}"
    return Check(title, "pass" if good else "fail", how, detail, round(result.seconds, 3))


def _faults(run: Run, program: Program, codes: IntArray) -> Iterator[tuple[str, Verdict]]:
    """Faults in tables and logic, then in the program; each with whether it was caught."""
    from nnlogic.backends.dsp.checks.faults import planted_program_faults

    yield from logic_faults(run, codes)
    graph = OpGraph.load(run.ir_path("ops"))
    yield from planted_program_faults(graph, program, codes=fault_rows(program.inputs, codes))


def logic_faults(run: Run, codes: IntArray) -> Iterator[tuple[str, Verdict]]:
    """Faults in the tables and in the logic of a run; each with whether it was caught."""
    from nnlogic.checks import check
    from nnlogic.checks.faults import ROWS, flip_logic_bit, flip_table_bit

    tables: TableNet = load_simplified(run.path)
    logic = LogicNet.load(run.ir_path("logic"))
    some = codes[:ROWS]
    started = time.monotonic()
    wrong_tables, where = flip_table_bit(tables, some)
    said = check(wrong_tables, logic, codes=some)
    yield "fault in a table", _caught(said, where, started)
    started = time.monotonic()
    wrong_logic, where = flip_logic_bit(logic, some)
    said = check(tables, wrong_logic, codes=some)
    yield "fault in the logic", _caught(said, where, started)


def fault_rows(inputs: Sequence[Port], codes: IntArray) -> IntArray:
    """Return rows on which planted faults must show: some of the run's, and random ones."""
    random = random_codes(inputs, FAULT_ROWS, seed=1)
    return np.concatenate([codes[:FAULT_ROWS], random])


def _caught(said: Verdict, where: str, started: float) -> Verdict:
    """A check on a faulty stage must say "different"."""
    detail = "; ".join(t for t in (said.where, said.detail) if t)[:400]
    return Verdict(
        "planted fault", "check", not said.equal, said.how, detail, where
    ).timed(started)  # fmt: skip


def _engine_fault(engine: _Engine, simulator: str) -> Verdict:
    """Simulate the engine of a program with one wrong opcode: the bench must see it."""
    from nnlogic.backends.dsp.checks.faults import TRIES, flip_opcode
    from nnlogic.hw.dsp.verilog import write_engine

    started = time.monotonic()
    rng = np.random.default_rng(0)
    program = engine.program
    for _ in range(TRIES):
        planted = flip_opcode(program, rng)
        if planted is not None and (planted[0].evaluate(engine.codes) != engine.expected).any():
            break
    else:
        raise IRError(
            "no fault in an opcode shows on these rows", where=program.name, why=f"{TRIES} tried"
        )
    wrong, where = planted
    files = write_engine(wrong, engine.folder / "sim" / "faulty", kind=engine.kind)
    result = engine.simulate(files, "faults", simulator)
    detail = f"{result.failed} of {result.failed + result.passed} tests failed on {simulator}"
    how = f"sampled n={engine.rows}"
    return Verdict("planted fault", "bench", result.failed > 0, how, detail, where).timed(started)
