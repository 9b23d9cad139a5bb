"""Run the benches of a stream without frames: sliding windows by unique tags, and the whole."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nnlogic.backends.stream.model.continuous import ContinuousDesign
from nnlogic.backends.stream.model.samples import result_bits, sample_bits
from nnlogic.core.bits import Bools
from nnlogic.core.formats import IntArray
from nnlogic.core.progress import SILENT, Progress
from nnlogic.hw.stream.samples import SampleShape, sample_shapes
from nnlogic.sim.cocotb_run import CocotbRun, run_cocotb
from nnlogic.sim.harness import TOP
from nnlogic.sim.stream.run import SECONDS

SAMPLE_TESTS = (
    "samples_times",
    "samples_all",
    "samples_back_pressure",
    "samples_blocked",
    "samples_reset",
)
WRONG_BITS_TEST = "samples_wrong_bits"
CHAIN_TESTS = ("unique_tags",)
TURNS = 3
"""Windows behind the first that tags are followed through: their control repeats each time."""


def run_samples_bench(
    design: ContinuousDesign,
    files: Sequence[Path],
    folder: Path,
    *,
    samples: IntArray,
    expected: IntArray,
    simulator: str = "verilator",
    tests: tuple[str, ...] = SAMPLE_TESTS,
    faults: int = 0,
    seed: int = 1,
    timeout: float = SECONDS,
    progress: Progress = SILENT,
) -> CocotbRun:
    """Run the tests of a whole stream at its AXI4-Stream ports.

    Parameters
    ----------
    design : ContinuousDesign
    files : sequence of Path
        Verilog of the stream and of all that it instantiates.
    folder : Path
        For build products, logs and results; emptied first.
    samples, expected : int arrays, shapes (samples, channels) and (results, outputs)
    simulator : {"verilator", "icarus"}
    tests : tuple of str
        Of `SAMPLE_TESTS`, or `WRONG_BITS_TEST`.
    faults : int
        Width of an input ``fault`` of the top, for a netlist with wrong bits; 0 for none.
    seed : int
    timeout : float
        Seconds, for the build and for the run.
    progress : Progress

    Returns
    -------
    CocotbRun
        Its ``measured`` holds ``latency`` and ``interval`` in clocks, and ``first``: samples up to
        the one that completes the first result.

    Raises
    ------
    ToolNotFound, ToolFailed, ToolTimeout
        The simulator is missing, crashed or hung, or not all tests ran.
    """
    reach = design.reach
    return run_cocotb(
        files,
        _stream_top(design, faults),
        folder,
        module="nnlogic.sim.stream.samples_bench",
        names=tests,
        config={
            "samples": _words(sample_bits(design, samples)),
            "results": _words(result_bits(design, expected)),
            "reach": reach.samples,
            "hop": reach.hop,
            "faults": faults,
            "settle": design.latency + design.fifo_depth * reach.hop + 8,
            "seed": seed,
        },
        simulator=simulator,
        seed=seed,
        timeout=timeout,
        progress=progress,
        only=True,
    )


def run_chains(
    design: ContinuousDesign,
    files: Sequence[Path],
    folder: Path,
    *,
    modules: Sequence[str] | None = None,
    simulator: str = "icarus",
    seed: int = 1,
    timeout: float = SECONDS,
    progress: Progress = SILENT,
) -> CocotbRun:
    """Send unique tags through sliding windows; parameters as for `run_samples_bench`.

    Parameters
    ----------
    modules : sequence of str, optional
        Whose windows; by default all there are.
    """
    shapes = sample_shapes(design)
    chosen = {m: s for m, s in shapes.items() if modules is None or m in modules}
    return run_cocotb(
        files,
        _chains_top(chosen),
        folder,
        module="nnlogic.sim.stream.chains_bench",
        names=CHAIN_TESTS,
        config={
            "seed": seed,
            "windows": [
                {"name": module, **_tagged(shape, seed + i)}
                for i, (module, shape) in enumerate(chosen.items())
            ],
        },
        simulator=simulator,
        seed=seed,
        timeout=timeout,
        progress=progress,
        only=True,
    )


def chain_tags(shape: SampleShape, seed: int) -> Bools:
    """Return passes of tags, shape (passes, samples, bits): another one for every bit."""
    count = shape.extent + TURNS * shape.stride + 1
    passes = int(3 * count * shape.width).bit_length() + 6
    rng = np.random.default_rng(seed)
    while True:
        values = rng.integers(0, 2, (passes, count, shape.width)).astype(bool)
        flat = values.reshape(passes, -1)
        if len(np.unique(flat, axis=1).T) == flat.shape[1] and (flat.any(0) & ~flat.all(0)).all():
            return values


def _tagged(shape: SampleShape, seed: int) -> dict[str, Any]:
    values = chain_tags(shape, seed)
    due = np.arange(shape.extent - 1, values.shape[1], shape.stride)
    ages, wires = (np.array(column) for column in zip(*shape.places, strict=True))
    windows = values[:, due[:, None] - ages, wires]
    return {
        "samples": [_words(one) for one in values],
        "expected": [_words(one) for one in windows],
        "due": due.tolist(),
    }


def _words(rows: Bools) -> list[str]:
    """Return rows of bits as hexadecimal words, the first bit lowest."""
    packed = np.packbits(rows, axis=1, bitorder="little")[:, ::-1]
    return [bytes(word).hex() for word in packed]


def _stream_top(design: ContinuousDesign, faults: int) -> str:
    wide_in, wide_out = (8 * -(-w // 8) for w in (design.input_width, design.output_width))
    ports = [
        *("input aclk", "input aresetn", f"input [{wide_in - 1}:0] s_axis_tdata"),
        *("input s_axis_tvalid", "output s_axis_tready"),
        *(f"output [{wide_out - 1}:0] m_axis_tdata", "output m_axis_tvalid"),
        "input m_axis_tready",
        *([f"input [{faults - 1}:0] fault"] if faults else ()),
    ]
    return _top(ports, [f"  {design.top} dut ({_pins([p.split()[-1] for p in ports])});"])


def _chains_top(shapes: dict[str, SampleShape]) -> str:
    ports, body = ["input clk", "input rst"], []
    for i, (module, shape) in enumerate(shapes.items()):
        mine = [
            *(f"input g{i}_in_valid", f"input [{shape.width - 1}:0] g{i}_x"),
            *(f"output g{i}_out_valid", f"output [{len(shape.places) - 1}:0] g{i}_window"),
        ]
        pins = _pins([port.split()[-1] for port in mine], f"g{i}_")
        body.append(f"  {module} g{i} ({pins}, .clk(clk), .rst(rst));")
        ports += mine
    return _top(ports, body)


def _pins(names: Sequence[str], prefix: str = "") -> str:
    return ", ".join(f".{name.removeprefix(prefix)}({name})" for name in names)


def _top(ports: Sequence[str], body: Sequence[str]) -> str:
    head = f"`timescale 1ns / 1ps\nmodule {TOP} (\n  " + ",\n  ".join(ports) + "\n);\n"
    return head + "\n".join(body) + "\nendmodule\n"
