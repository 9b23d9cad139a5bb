"""Run the cocotb regression on Icarus or Verilator and read what it found."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nnlogic.core.errors import ToolFailed, ToolNotFound, ToolTimeout, UsageError
from nnlogic.core.formats import IntArray
from nnlogic.core.progress import SILENT, Progress
from nnlogic.hw.names import StreamedCore
from nnlogic.sim.cocotb_results import TestOutcome, read_results
from nnlogic.sim.harness import TOP, bench_top, beside_bits, check_rows, row_words
from nnlogic.sim.ram_models import ram_models
from nnlogic.sim.verilate import verilate
from nnlogic.tools.find import Tool, find
from nnlogic.tools.plain import plain
from nnlogic.tools.run import run_tool
from nnlogic.tools.verilog_guard import checked_copies

SIMULATORS = {"icarus": ("iverilog", "vvp"), "verilator": ("verilator", "make", "g++")}
CORE_TESTS = (
    "core_latency_and_interval",
    "core_rows",
    "core_bubbles",
    "core_reset_in_mid_stream",
)
STREAM_TESTS = (
    "stream_full_rate",
    "stream_back_pressure",
    "stream_stall",
    "stream_reset_in_mid_stream",
)


@dataclass(frozen=True)
class CocotbRun:
    """What a module of tests gave.

    Attributes
    ----------
    simulator : str
        With its version.
    tests : tuple of TestOutcome
    measured : dict
        What the tests wrote to the file that the configuration names as ``measured``.
    seconds : float
        Build included.
    """

    simulator: str
    tests: tuple[TestOutcome, ...]
    measured: dict[str, Any]
    seconds: float

    @property
    def passed(self) -> int:
        """Tests that passed."""
        return sum(test.passed for test in self.tests)

    def regression(self, rows: int) -> RegressionResult:
        """Return it as the result of a regression on so many data rows."""
        return RegressionResult(
            simulator=self.simulator,
            passed=self.passed,
            failed=len(self.tests) - self.passed,
            measured_latency=self.measured.get("latency"),
            measured_interval=self.measured.get("interval"),
            tests=self.tests,
            rows=rows,
            seconds=self.seconds,
        )


@dataclass(frozen=True)
class RegressionResult:
    """What a regression found.

    Attributes
    ----------
    simulator : str
        With its version.
    passed, failed : int
    measured_latency, measured_interval : int or None
        Clocks, as measured; None when the test that measures them did not get that far.
    tests : tuple of TestOutcome
    rows : int
        Data rows compared bit for bit.
    seconds : float
    """

    simulator: str
    passed: int
    failed: int
    measured_latency: int | None
    measured_interval: int | None
    tests: tuple[TestOutcome, ...]
    rows: int
    seconds: float


def run_regression(
    design: StreamedCore,
    files: Sequence[Path],
    folder: Path,
    *,
    simulator: str = "verilator",
    codes: IntArray,
    expected: IntArray,
    seed: int = 1,
    timeout: float | None = None,
    progress: Progress = SILENT,
) -> RegressionResult:
    """Run all protocol tests against the core and, when the design has one, the stream wrapper.

    Parameters
    ----------
    design : StreamedCore
    files : sequence of Path
        Verilog of the core, and of the wrapper when ``design.stream``.
    folder : Path
        For build products, logs and results; emptied first.
    simulator : {"verilator", "icarus"}
    codes, expected : int arrays, shapes (samples, inputs) and (samples, outputs)
        Port values in, and the port values that must come out.
    seed : int
        For gaps and back-pressure.
    timeout : float, optional
        Seconds, for the build and for the run.

    Returns
    -------
    RegressionResult
        Failing tests are part of the result, not exceptions.

    Raises
    ------
    ToolNotFound, ToolFailed, ToolTimeout
        The simulator is missing, crashed or hung, or not all tests ran.
    """
    codes, expected = check_rows(design, codes, expected)
    done = run_cocotb(
        files,
        bench_top(design, stream=design.stream),
        folder,
        module="nnlogic.sim.bench",
        names=CORE_TESTS + (STREAM_TESTS if design.stream else ()),
        config={
            "rows": [f"{r:x}" for r in row_words(codes, design.inputs)],
            "expected": [f"{r:x}" for r in row_words(expected, design.outputs)],
            "latency": design.latency,
            "wrapped": design.stream,
            "beside": beside_bits(design),
            "seed": seed,
        },
        simulator=simulator,
        seed=seed,
        timeout=timeout,
        progress=progress,
    )
    return done.regression(len(codes))


def run_cocotb(
    files: Sequence[Path],
    top: str,
    folder: Path,
    *,
    module: str,
    names: tuple[str, ...],
    config: dict[str, Any],
    simulator: str,
    seed: int,
    timeout: float | None,
    progress: Progress = SILENT,
    only: bool = False,
) -> CocotbRun:
    """Build a circuit and run a module of cocotb tests on it.

    Parameters
    ----------
    files : sequence of Path
        Verilog of the circuit.
    top : str
        Verilog of a module called `TOP` around it.
    folder : Path
        For build products, logs and results; emptied first.
    module : str
        Python module with the tests.
    names : tuple of str
        Tests that must have results.
    config : dict
        What the tests read from the file named by ``NNLOGIC_BENCH``, with ``measured`` added.
    simulator : {"verilator", "icarus"}
    seed : int
    timeout : float, optional
        Seconds, for the build and for the run.
    progress : Progress
    only : bool
        Leave out the module's other tests.

    Returns
    -------
    CocotbRun

    Raises
    ------
    UsageError
        No such simulator.
    UnsafeVerilog
        A file does more than describe a circuit.
    ToolNotFound, ToolFailed, ToolTimeout
        The simulator is missing, crashed or hung, or not all tests ran.
    """
    begin = time.monotonic()
    if simulator not in SIMULATORS:
        raise UsageError("no such simulator", why=repr(simulator), fix=", ".join(SIMULATORS))
    tools = [find(name) for name in SIMULATORS[simulator]]
    with plain(folder) as work:
        outcomes, values = _built_and_run(
            files, top, work, module, names, config, simulator, seed, timeout, progress, only, tools
        )
    version = f"{simulator} {tools[0].version_text}"
    return CocotbRun(version, outcomes, values, time.monotonic() - begin)


def _built_and_run(
    files: Sequence[Path],
    top: str,
    folder: Path,
    module: str,
    names: tuple[str, ...],
    config: dict[str, Any],
    simulator: str,
    seed: int,
    timeout: float | None,
    progress: Progress,
    only: bool,
    tools: Sequence[Tool],
) -> tuple[tuple[TestOutcome, ...], dict[str, Any]]:
    top_file = folder / f"{TOP}.v"
    top_file.write_text(top)
    own = (ram_models().encode(),)
    sources = [*checked_copies(files, folder / "rtl", own), top_file]
    if simulator == "verilator":
        _build_verilator(tools[0], sources, folder, timeout, progress)
    else:
        with progress.step(f"{simulator}: build") as step:
            _run_job(_job("build", simulator, sources, folder, module), folder, tools, timeout)
            step.advance()
    measured = folder / "measured.json"
    (folder / "bench.json").write_text(json.dumps({**config, "measured": str(measured)}))
    with progress.step(f"{simulator}: {len(names)} tests", total=len(names)) as step:
        job = _job("test", simulator, sources, folder, module, seed)
        if only:
            job["env"]["COCOTB_TEST_FILTER"] = f"({'|'.join(names)})$"
        outcomes = _simulate(job, folder, tools, timeout, names)
        step.advance(len(names))
    return outcomes, json.loads(measured.read_text()) if measured.exists() else {}


def _job(
    action: str,
    simulator: str,
    sources: Sequence[Path],
    folder: Path,
    module: str,
    seed: int = 1,
) -> dict[str, Any]:
    return {
        "action": action,
        "simulator": simulator,
        "sources": [str(s) for s in sources],
        "top": TOP,
        "build_dir": str(folder / "build"),
        "build_args": ["-Wno-timescale"] if simulator == "icarus" else [],
        "test_dir": str(folder),
        "test_module": module,
        "results": str(folder / "results.xml"),
        "seed": seed,
        "env": {"NNLOGIC_BENCH": str(folder / "bench.json"), "COCOTB_ANSI_OUTPUT": "0"},
    }


def _run_job(
    job: dict[str, Any], folder: Path, tools: Sequence[Tool], timeout: float | None
) -> None:
    path = folder / f"{job['action']}.json"
    path.write_text(json.dumps(job, indent=1))
    env = {k: v for tool in tools for k, v in tool.env.items()}
    places = [str(Path(tool.command[0]).parent) for tool in tools]
    env["PATH"] = os.pathsep.join([*places, os.environ.get("PATH", os.defpath)])
    cocotb = Tool("cocotb", (sys.executable, "-m", "nnlogic.sim.cocotb_job"), (), "cocotb", env)
    run_tool(cocotb, [path], cwd=folder, timeout=timeout, log_file=folder / f"{job['action']}.log")


def _simulate(
    job: dict[str, Any],
    folder: Path,
    tools: Sequence[Tool],
    timeout: float | None,
    names: tuple[str, ...],
) -> tuple[TestOutcome, ...]:
    results = Path(job["results"])
    results.unlink(missing_ok=True)
    failure: ToolFailed | None = None
    try:
        _run_job(job, folder, tools, timeout)
    except ToolTimeout:
        raise
    except ToolFailed as error:
        # Some versions exit with an error when tests fail; the results then say which.
        failure = error
    outcomes = read_results(results) if results.exists() else ()
    missing = [n for n in names if n not in {t.name for t in outcomes}]
    if failure is not None and (missing or all(t.passed for t in outcomes)):
        raise failure
    if missing:
        raise ToolFailed(
            "the cocotb regression is incomplete",
            where=str(folder / "test.log"),
            why=f"{len(outcomes)} of {len(names)} tests have results; missing: "
            f"{', '.join(missing)}",
        )
    return outcomes


def _build_verilator(
    tool: Tool, sources: Sequence[Path], folder: Path, timeout: float | None, progress: Progress
) -> None:
    """Build without the runner: it makes every net public, which is slow to compile and to run."""
    try:
        import cocotb_tools.config as config
    except ImportError as error:
        raise ToolNotFound(
            "cocotb is needed and not installed", fix="pip install 'nnlogic[flow]'"
        ) from error
    build = folder / "build"
    build.mkdir()
    public = folder / "public.vlt"
    public.write_text(f'`verilator_config\npublic_flat_rw -module "{TOP}" -var "*"\n')
    libs = config.libs_dir
    verilate(
        tool,
        [
            *("--vpi", "--Mdir", build, "--top-module", TOP, "--prefix", "Vtop", "-o", TOP),
            *("--timescale", "1ns/1ps"),
            *("-LDFLAGS", f"-Wl,-rpath,{libs} -L{libs} -lcocotbvpi_verilator"),
        ],
        [config.share_dir / "lib" / "verilator" / "verilator.cpp", public, *sources],
        folder,
        build / TOP,
        "verilator: build",
        quick=True,
        timeout=timeout,
        progress=progress,
    )
