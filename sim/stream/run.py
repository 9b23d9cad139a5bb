"""Run the benches of a stream: window generators by unique tags, and the whole."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nnlogic.backends.stream.model.cycles import StreamTiming, frame_bits, passed
from nnlogic.backends.stream.model.ir import MapLayer, StreamDesign
from nnlogic.core import bits
from nnlogic.core.bits import Bools
from nnlogic.core.formats import IntArray
from nnlogic.core.progress import SILENT, Progress
from nnlogic.core.windows import PADDING
from nnlogic.sim.cocotb_run import CocotbRun, run_cocotb
from nnlogic.sim.harness import TOP

STREAM_TESTS = (
    "stream_times",
    "stream_frames",
    "stream_back_pressure",
    "stream_blocked",
    "stream_reset_in_mid_frame",
    "stream_short_frames",
    "stream_without_tlast",
)
WRONG_BITS_TEST = "stream_wrong_bits"
TAG_TESTS = ("unique_tags",)
SECONDS = 1800.0
"""For a build, and for a run: thousands of LUTs take Icarus ten minutes on a busy machine."""


def run_stream_bench(
    design: StreamDesign,
    files: Sequence[Path],
    folder: Path,
    *,
    codes: IntArray,
    expected: IntArray,
    simulator: str = "verilator",
    tests: tuple[str, ...] = STREAM_TESTS,
    faults: int = 0,
    seed: int = 1,
    timeout: float = SECONDS,
    progress: Progress = SILENT,
) -> CocotbRun:
    """Run the tests of a whole stream at its AXI4-Stream ports.

    Parameters
    ----------
    design : StreamDesign
    files : sequence of Path
        Verilog of the stream and of all that it instantiates.
    folder : Path
        For build products, logs and results; emptied first.
    codes, expected : int arrays, shapes (frames, inputs) and (frames, outputs)
    simulator : {"verilator", "icarus"}
    tests : tuple of str
        Of `STREAM_TESTS`, or `WRONG_BITS_TEST`.
    faults : int
        Width of an input ``fault`` of the top, for a netlist with wrong bits; 0 for none.
    seed : int
    timeout : float
        Seconds, for the build and for the run.
    progress : Progress

    Returns
    -------
    CocotbRun
        Its ``measured`` holds ``latency``, ``steady`` and ``interval`` in clocks.

    Raises
    ------
    ToolNotFound, ToolFailed, ToolTimeout
        The simulator is missing, crashed or hung, or not all tests ran.
    """
    timing = StreamTiming.of(design)
    out = bits.unpack(bits.pack_ports(expected, design.outputs), len(expected)).T
    return run_cocotb(
        files,
        _stream_top(design, faults),
        folder,
        module="nnlogic.sim.stream.bench",
        names=tests,
        config={
            "frames": _beats(frame_bits(design, codes), design.beats),
            "expected": _beats(out, design.output_beats),
            "passed": passed(design),
            "interval": timing.interval,
            "faults": faults,
            "settle": max(timing.alone, timing.steady) + timing.fifo_depth + 8,
            "tag": design.tag,
            "seed": seed,
        },
        simulator=simulator,
        seed=seed,
        timeout=timeout,
        progress=progress,
        only=True,
    )


def run_tags(
    design: StreamDesign,
    files: Sequence[Path],
    folder: Path,
    *,
    layers: Sequence[int] | None = None,
    simulator: str = "icarus",
    seed: int = 1,
    timeout: float = SECONDS,
    progress: Progress = SILENT,
) -> CocotbRun:
    """Send unique tags through window generators; parameters as for `run_stream_bench`.

    Parameters
    ----------
    layers : sequence of int, optional
        Whose generators; by default all there are.
    """
    numbers = [n for n, layer in enumerate(design.layers) if not layer.scan.passes]
    numbers = numbers if layers is None else list(layers)
    return run_cocotb(
        files,
        _tags_top(design, numbers),
        folder,
        module="nnlogic.sim.stream.tags",
        names=TAG_TESTS,
        config={
            "seed": seed,
            "generators": [
                {
                    "name": design.layers[number].name,
                    **tagged_frames(design.layers[number], seed + number),
                }
                for number in numbers
            ],
        },
        simulator=simulator,
        seed=seed,
        timeout=timeout,
        progress=progress,
    )


def tags(layer: MapLayer, seed: int) -> Bools:
    """Return frames of tags, shape (frames, positions, bits of a position).

    Read along the frames, every bit of every position has another tag, also where it is read a
    frame too early or too late, and no tag is constant like padding.
    """
    shape = (layer.frame.positions, layer.width)
    frames = 2 * int(3 * shape[0] * shape[1]).bit_length() + 2
    rng = np.random.default_rng(seed)
    while True:
        values = rng.integers(0, 2, (frames, *shape)).astype(bool)
        flat = values.reshape(frames, -1)
        shifted = [flat[1:-1], flat[:-2], flat[2:]]
        every = np.concatenate([*shifted, np.zeros_like(flat[1:-1, :1]), ~flat[1:-1, :1] | True], 1)
        if len(np.unique(every, axis=1).T) == every.shape[1]:
            return values


def tagged_frames(layer: MapLayer, seed: int) -> dict[str, Any]:
    """Return frames of tags and the windows that must come out, as hexadecimal beats."""
    scan, values = layer.scan, tags(layer, seed)
    places = layer.window.taps_at(layer.frame).reshape(-1, scan.output_lanes, layer.window.taps)
    lanes, taps, wires = (np.array(column) for column in zip(*layer.used, strict=True))
    at = places[:, lanes, taps]
    padding = (layer.padding >> wires & 1).astype(bool)
    windows = np.where(at == PADDING, padding, values[:, np.maximum(at, 0), wires])
    return {"frames": _beats(values, scan.beats), "windows": _beats(windows, len(places))}


def _beats(values: Bools, beats: int) -> list[list[str]]:
    """Return bits of frames as hexadecimal beats, the first bit lowest."""
    rows = values.reshape(len(values), beats, -1)
    packed = np.packbits(rows, axis=2, bitorder="little")[:, :, ::-1]
    return [[bytes(word).hex() for word in frame] for frame in packed]


def _stream_top(design: StreamDesign, faults: int) -> str:
    wide_in, wide_out = (8 * -(-w // 8) for w in (design.input_width, design.output_width))
    ports = [
        *("input aclk", "input aresetn", f"input [{wide_in - 1}:0] s_axis_tdata"),
        *("input s_axis_tlast", "input s_axis_tvalid", "output s_axis_tready"),
        f"output [{wide_out - 1}:0] m_axis_tdata",
        *([f"input [{design.tag - 1}:0] s_axis_tuser"] if design.tag else ()),
        *(f"output [{design.tag}:0] m_axis_tuser", "output m_axis_tlast", "output m_axis_tvalid"),
        "input m_axis_tready",
        *([f"input [{faults - 1}:0] fault"] if faults else ()),
    ]
    return _top(ports, f"  {design.top} dut (", [port.split()[-1] for port in ports])


def _tags_top(design: StreamDesign, numbers: Sequence[int]) -> str:
    ports = ["input clk", "input rst"]
    body = []
    for i, number in enumerate(numbers):
        layer = design.layers[number]
        mine = [
            *(f"input g{i}_{name}" for name in ("in_valid", "in_first", "in_last", "go")),
            f"input [{layer.width * layer.lanes - 1}:0] g{i}_x",
            *(f"output g{i}_{name}" for name in ("out_valid", "out_first", "out_last")),
            f"output [{len(layer.used) - 1}:0] g{i}_window",
        ]
        names = [port.split()[-1] for port in mine]
        pins = [f".{n.removeprefix(f'g{i}_')}({n})" for n in names] + [".clk(clk)", ".rst(rst)"]
        pins += [f".in_tag({design.tag}'d0)"] if design.tag else []
        body.append(f"  {design.module(number, 'window')} g{i} ({', '.join(pins)});")
        ports += mine
    head = f"`timescale 1ns / 1ps\nmodule {TOP} (\n  " + ",\n  ".join(ports) + "\n);\n"
    return head + "\n".join(body) + "\nendmodule\n"


def _top(ports: Sequence[str], instance: str, names: Sequence[str]) -> str:
    pins = ",\n    ".join(f".{name}({name})" for name in names)
    head = f"`timescale 1ns / 1ps\nmodule {TOP} (\n  " + ",\n  ".join(ports) + "\n);\n"
    return f"{head}{instance}\n    {pins}\n  );\nendmodule\n"
