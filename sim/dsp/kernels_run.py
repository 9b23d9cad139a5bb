"""Run an engine and a host against a chain of program interpreters, on Icarus or Verilator."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlogic.backends.dsp.model.ir import Program
from nnlogic.backends.dsp.model.kernel_chain import KernelChain
from nnlogic.backends.dsp.model.ops import LANES
from nnlogic.core import bits
from nnlogic.core.archive import write_bytes
from nnlogic.core.bits import Words
from nnlogic.core.formats import IntArray
from nnlogic.core.names import identifier
from nnlogic.core.progress import SILENT, Progress
from nnlogic.hw.dsp.commands import command_bits
from nnlogic.hw.dsp.encode import EngineShape
from nnlogic.sim.cocotb_results import TestOutcome
from nnlogic.sim.cocotb_run import run_cocotb
from nnlogic.sim.dsp.run import bench_top
from nnlogic.sim.dsp.vectors import groups_of, lane_words, output_beats

KERNEL_TESTS = (
    "kernels_full_rate",
    "kernels_waits_for_its_packets",
    "kernels_stalls",
    "kernels_reset",
    "kernels_faults_are_seen",
)
REPEATS = 3


@dataclass(frozen=True)
class Kernels:
    """One engine's programs, and the host that runs them.

    Attributes
    ----------
    name : str
        Of the engine.
    programs : tuple of Program
    most : int
        Words of program memory, as given to `nnlogic.hw.dsp.verilog.write_kernels`.
    host : str
        ``module:class`` of what feeds the engine, see `nnlogic.sim.dsp.host.ScheduleHost`.
    arguments : mapping
        JSON data the class is called with.
    codes : tuple of int array
        Per program the output port values that must come out, shape (samples, outputs).
    faults : mapping of str to mapping
        Arguments of hosts with a planted fault, by title.
    """

    name: str
    programs: tuple[Program, ...]
    most: int
    host: str
    arguments: Mapping[str, Any]
    codes: tuple[IntArray, ...]
    faults: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class KernelsRegression:
    """What the tests of a chain found.

    Attributes
    ----------
    simulator : str
        With its version.
    passed, failed : int
    visits, promised : tuple of int
        Clocks of each kernel from its command to its last beat out, measured (none when the
        test that measures them did not get that far) and computed.
    faults : mapping of str to str
        What the host's check said of each planted fault; "" where it saw nothing.
    tests : tuple of TestOutcome
    seconds : float
    """

    simulator: str
    passed: int
    failed: int
    visits: tuple[int, ...]
    promised: tuple[int, ...]
    faults: Mapping[str, str]
    tests: tuple[TestOutcome, ...]
    seconds: float


def chain_kernels(
    chain: KernelChain,
    schedule: Path,
    folder: Path,
    *,
    most: int,
    codes: IntArray,
    expected: IntArray,
    faults: Mapping[str, Path] | None = None,
) -> Kernels:
    """Return a chain with a host that follows a schedule file.

    Parameters
    ----------
    chain : KernelChain
    schedule : Path
        From `nnlogic.hw.dsp.host.write_host`.
    folder : Path
        Receives the host's data.
    most : int
        Words of program memory.
    codes, expected : int arrays, shapes (samples, inputs) and (samples, outputs)
        Port values in, and the port values that must come out; full groups where a kernel runs
        several times.
    faults : mapping of str to Path, optional
        Schedule files with a planted fault, by title.
    """
    samples = len(codes)
    packed = bits.pack_ports(codes, chain.inputs)
    kept = chain.host(packed, [p.evaluate_words for p in chain.programs])
    batches = groups_of(chain.programs[0], samples) * chain.contexts
    everywhere = np.full((1, packed.shape[1]), ~np.uint64(0))
    there = lane_words(everywhere, samples, batches)[0]
    wanted = lane_words(bits.pack_ports(expected, chain.outputs), samples, batches).T
    data = {
        "batches": _hex(lane_words(packed, samples, batches).T),
        "expected": [
            [[f"{word:x}", f"{lanes:x}"] for word in words]
            for words, lanes in zip(wanted.tolist(), there.tolist(), strict=True)
        ],
    }
    path = Path(folder).resolve() / "host_data.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, json.dumps(data).encode())

    def arguments(file: Path) -> dict[str, str]:
        return {"schedule": str(Path(file).resolve()), "data": str(path)}

    return Kernels(
        name=chain.name,
        programs=chain.programs,
        most=most,
        host="nnlogic.sim.dsp.host:from_files",
        arguments=arguments(schedule),
        codes=tuple(_made(chain, i, kept, samples) for i in range(len(chain.programs))),
        faults={title: arguments(file) for title, file in (faults or {}).items()},
    )


def _made(chain: KernelChain, kernel: int, kept: Words, samples: int) -> IntArray:
    """Return what a kernel makes, in the order in which it does: groups, runs, then vectors."""
    runs, program = chain.times[kernel]
    words = kept[chain.starts[kernel] : chain.starts[kernel + 1]]
    each = words.reshape(runs, -1, words.shape[1])
    codes = np.stack([bits.unpack_ports(own, program.outputs, samples) for own in each])
    if runs == 1:
        return codes[0]
    groups = codes.reshape(runs, -1, chain.vectors, codes.shape[2])
    made: IntArray = groups.transpose(1, 0, 2, 3).reshape(-1, codes.shape[2])
    return made


def run_kernels(
    kernels: Kernels,
    files: Sequence[Path],
    folder: Path,
    *,
    repeats: int = REPEATS,
    simulator: str = "verilator",
    seed: int = 1,
    timeout: float | None = None,
    progress: Progress = SILENT,
) -> KernelsRegression:
    """Run the tests of an engine with several kernels: full rate, order, stalls, resets.

    Parameters
    ----------
    kernels : Kernels
    files : sequence of Path
        Verilog from `nnlogic.hw.dsp.verilog.write_kernels`.
    folder : Path
        For build products, logs and results; emptied first.
    repeats : int
        How often the chain runs with gaps, 0 to 3, and with resets, twice as often.
    simulator : {"verilator", "icarus"}
    seed : int
    timeout : float, optional
        Seconds, for the build and for the run.
    progress : Progress

    Returns
    -------
    KernelsRegression
        Failing tests are part of the result, not exceptions.

    Raises
    ------
    UsageError, ToolNotFound, ToolFailed, ToolTimeout
        The simulator is unknown, missing, crashed or hung, or not all tests ran.
    """
    shape = EngineShape.of_all(kernels.programs, kernels.most)
    config = bench_config(kernels, shape, repeats=repeats, seed=seed)
    done = run_cocotb(
        files,
        bench_top(
            identifier(kernels.name),
            LANES * shape.input_banks,
            LANES * len(shape.emitters),
            command_bits(shape),
        ),
        folder,
        module="nnlogic.sim.dsp.kernels_bench",
        names=KERNEL_TESTS,
        config=config,
        simulator=simulator,
        seed=seed,
        timeout=timeout,
        progress=progress,
    )
    # Tests that had nothing to do have shown nothing.
    idle = {"kernels_faults_are_seen"} if not kernels.faults else set()
    idle |= {"kernels_stalls", "kernels_reset"} if not repeats else set()
    done = replace(done, tests=tuple(test for test in done.tests if test.name not in idle))
    return KernelsRegression(
        simulator=done.simulator,
        passed=done.passed,
        failed=len(done.tests) - done.passed,
        visits=tuple(done.measured.get("visits", ())),
        promised=tuple(config["visits"]),
        faults=done.measured.get("faults", {}),
        tests=done.tests,
        seconds=done.seconds,
    )


def bench_config(
    kernels: Kernels, shape: EngineShape, *, repeats: int = REPEATS, seed: int = 1
) -> dict[str, Any]:
    """Return what `nnlogic.sim.dsp.kernels_bench` reads."""
    beats = [
        output_beats(p, codes, shape.emitters)
        for p, codes in zip(kernels.programs, kernels.codes, strict=True)
    ]
    each = zip(shape.kernels, kernels.programs, kernels.codes, strict=True)
    return {
        "host": kernels.host,
        "arguments": dict(kernels.arguments),
        "expected": [[f"{b:x}" for b in want] for want, _ in beats],
        "masks": [[f"{b:x}" for b in mask] for _, mask in beats],
        "visits": [
            kernel.visit(groups_of(program, len(codes)), load=not shape.resident)
            for kernel, program, codes in each
        ],
        "faults": {title: dict(arguments) for title, arguments in kernels.faults.items()},
        "repeats": repeats,
        "seed": seed,
    }


def _hex(words: NDArray[np.uint64]) -> list[list[str]]:
    return [[f"{word:x}" for word in row] for row in words.tolist()]
