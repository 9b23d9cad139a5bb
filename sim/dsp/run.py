"""Run a DSP engine against the program interpreter, on Icarus or Verilator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nnlogic.backends.dsp.model.ir import Program
from nnlogic.backends.dsp.model.ops import LANES
from nnlogic.core.formats import IntArray
from nnlogic.core.names import identifier
from nnlogic.core.progress import SILENT, Progress
from nnlogic.hw.dsp.encode import EngineShape
from nnlogic.sim.cocotb_results import TestOutcome
from nnlogic.sim.cocotb_run import run_cocotb
from nnlogic.sim.dsp.vectors import input_beats, output_beats
from nnlogic.sim.harness import TOP

ENGINE_TESTS = (
    "engine_full_rate",
    "engine_stalls",
    "engine_blocked",
    "engine_reset_in_mid_program",
)


@dataclass(frozen=True)
class EngineRegression:
    """What the tests of an engine found.

    Attributes
    ----------
    simulator : str
        With its version.
    passed, failed : int
    latency : int or None
        Clocks from the last beat in to the last beat out of a group alone; None when the test
        that measures it did not get that far.
    interval : int or None
        Clocks per group in steady state.
    tests : tuple of TestOutcome
    samples : int
        Input vectors compared bit for bit.
    seconds : float
    """

    simulator: str
    passed: int
    failed: int
    latency: int | None
    interval: int | None
    tests: tuple[TestOutcome, ...]
    samples: int
    seconds: float


def run_engine(
    program: Program,
    files: Sequence[Path],
    folder: Path,
    *,
    codes: IntArray,
    expected: IntArray,
    simulator: str = "verilator",
    seed: int = 1,
    timeout: float | None = None,
    progress: Progress = SILENT,
    tests: tuple[str, ...] = ENGINE_TESTS,
) -> EngineRegression:
    """Run the engine's tests: full rate, stalls, a blocked output, resets.

    Parameters
    ----------
    program : Program
    files : sequence of Path
        Verilog from `nnlogic.hw.dsp.verilog.write_engine`.
    folder : Path
        For build products, logs and results; emptied first.
    codes, expected : int arrays, shapes (samples, inputs) and (samples, outputs)
        Port values in, and the port values that must come out. Six groups or more of
        ``48 * contexts`` samples show the steady state.
    simulator : {"verilator", "icarus"}
    seed : int
    timeout : float, optional
        Seconds, for the build and for the run.
    progress : Progress
    tests : tuple of str
        Of `ENGINE_TESTS`.

    Returns
    -------
    EngineRegression
        Failing tests are part of the result, not exceptions.

    Raises
    ------
    UsageError, ToolNotFound, ToolFailed, ToolTimeout
        The simulator is unknown, missing, crashed or hung, or not all tests ran.
    """
    shape = EngineShape.of(program)
    beats = input_beats(program, codes)
    want, masks = output_beats(program, expected)
    config = {
        "beats": [f"{beat:x}" for beat in beats],
        "expected": [f"{beat:x}" for beat in want],
        "masks": [f"{beat:x}" for beat in masks],
        "beats_in": shape.beats_in,
        "beats_out": shape.beats_out,
        "row_out": program.output_rows,
        "interval": program.interval,
        "latency": shape.turnaround,
        "buffers": shape.input_buffers + shape.output_buffers,
        "seed": seed,
    }
    done = run_cocotb(
        files,
        engine_top(program),
        folder,
        module="nnlogic.sim.dsp.bench",
        names=tests,
        config=config,
        simulator=simulator,
        seed=seed,
        timeout=timeout,
        progress=progress,
        only=tests != ENGINE_TESTS,
    )
    return EngineRegression(
        simulator=done.simulator,
        passed=done.passed,
        failed=len(done.tests) - done.passed,
        latency=done.measured.get("latency"),
        interval=done.measured.get("interval"),
        tests=done.tests,
        samples=len(codes),
        seconds=done.seconds,
    )


def engine_top(program: Program) -> str:
    """Return Verilog of the bench's top module around an engine."""
    wide_in = LANES * program.input_banks
    wide_out = LANES * int(program.emit.any(axis=0).sum())
    return bench_top(identifier(program.name), wide_in, wide_out)


def bench_top(name: str, wide_in: int, wide_out: int, commands: int = 0) -> str:
    """Return a top module of fixed ports around an engine called `name`.

    Parameters
    ----------
    name : str
    wide_in, wide_out, commands : int
        Bits of ``s_axis_tdata``, ``m_axis_tdata`` and ``p_axis_tdata``; 0 where there is none.
    """
    ports = [
        *("input aclk", "input aresetn", f"input [{wide_in - 1}:0] s_axis_tdata"),
        *("input s_axis_tvalid", "output s_axis_tready"),
        *(f"output [{wide_out - 1}:0] m_axis_tdata", "output m_axis_tlast"),
        *("output m_axis_tvalid", "input m_axis_tready", "output busy"),
    ]
    if commands:
        ports += [f"input [{commands - 1}:0] p_axis_tdata", "input p_axis_tvalid"]
        ports += ["output p_axis_tready"]
    names = [port.split()[-1] for port in ports]
    pins = ",\n    ".join(f".{name}({name})" for name in names)
    return (
        f"`timescale 1ns / 1ps\nmodule {TOP} (\n  " + ",\n  ".join(ports) + "\n);\n"
        f"  {name} engine (\n    {pins}\n  );\nendmodule\n"
    )
