"""Write a stream as Verilog, with frames or without, beside the cores that it instantiates."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from nnlogic.backends.stream.model.continuous import ContinuousDesign
from nnlogic.backends.stream.model.cycles import StreamTiming
from nnlogic.backends.stream.model.ir import StreamDesign
from nnlogic.core.formats import Port
from nnlogic.core.names import Identifier
from nnlogic.design.ir import HardwareDesign
from nnlogic.hw.convert import component_verilog
from nnlogic.hw.header import Origin
from nnlogic.hw.stream.core import StreamCore, stream_parts
from nnlogic.hw.stream.files import write_modules
from nnlogic.hw.stream.samples import SampleCore, SampleShape, SampleStream, sample_parts
from nnlogic.hw.stream.window import WindowShape
from nnlogic.hw.stream.wrapper import FrameStream

Notes = Mapping[str, str]


def write_stream(
    design: StreamDesign,
    cores: Mapping[str, HardwareDesign],
    folder: Path,
    *,
    shapes: Mapping[int, WindowShape] | None = None,
    origin: Origin | None = None,
) -> tuple[Path, ...]:
    """Write ``<name>.v``, the free-running stream, and ``<name>_stream.v``, its AXI4-Stream.

    Parameters
    ----------
    design : StreamDesign
    cores : mapping of str to HardwareDesign
        Kernels and dense layers by module; their Verilog is written apart.
    folder : Path
        Made when it does not exist.
    shapes : mapping of int to WindowShape, optional
        As for `nnlogic.hw.stream.core.stream_parts`.
    origin : Origin, optional
        Told at the top of the files.

    Returns
    -------
    tuple of Path
        The free-running stream first.

    Raises
    ------
    ToolNotFound, ToolFailed
        Yosys is missing or failed.
    """
    core = component_verilog(StreamCore(design, cores), design.name, stream_parts(design, shapes))
    wrapper = component_verilog(FrameStream(design), design.top)
    texts = {
        Identifier(design.name): (core, _core_lines(design)),
        design.top: (wrapper, _wrapper_lines(design, _notes(origin))),
    }
    return write_modules(texts, folder, origin)


def write_samples(
    design: ContinuousDesign,
    cores: Mapping[str, HardwareDesign],
    folder: Path,
    *,
    shapes: Mapping[str, SampleShape] | None = None,
    origin: Origin | None = None,
) -> tuple[Path, ...]:
    """Write a stream without frames, see `write_stream`.

    Parameters
    ----------
    design : ContinuousDesign
    cores, folder, origin
        As for `write_stream`.
    shapes : mapping of str to SampleShape, optional
        As for `nnlogic.hw.stream.samples.sample_parts`.
    """
    core = component_verilog(SampleCore(design, cores), design.name, sample_parts(design, shapes))
    wrapper = component_verilog(SampleStream(design), design.top)
    texts = {
        Identifier(design.name): (core, _sample_core_lines(design, _notes(origin))),
        design.top: (wrapper, _sample_wrapper_lines(design, _notes(origin))),
    }
    return write_modules(texts, folder, origin)


def _core_lines(design: StreamDesign) -> list[str]:
    lines = [f"{len(design.layers)} window generators, {design.beats} beats a frame", ""]
    for number, layer in enumerate(design.layers):
        module = design.module(number, "window")
        lines.append(f"{module}  {layer.name}: window {layer.window} of {layer.frame}")
    return [
        *lines,
        "",
        "clk        rising edge",
        "rst        synchronous, active high: forgets all frames",
        "in_valid   x holds a beat; in_first: the first of a frame",
        "go         frames may push out their last windows while no other has begun",
        "out_valid  y holds a result; out_first, out_last: the ends of a frame",
    ]


def _wrapper_lines(design: StreamDesign, notes: Notes) -> list[str]:
    timing, first = StreamTiming.of(design), design.layers[0]
    bits = first.width
    lines = [
        f"AXI4-Stream around {design.name}; aresetn is synchronous and active low",
        f"a frame of {design.beats} beats every {timing.interval} clocks; {timing.alone} clocks "
        "from its first beat to its result",
        "",
        f"s_axis_tdata, a beat of {first.lanes} positions, the rest is padding:",
    ]
    for lane in range(first.lanes):
        lines.append(f"  [{(lane + 1) * bits - 1}:{lane * bits}]  position {lane} of the beat")
    channels = design.inputs[: first.frame.channels]
    told = ", ".join(str(notes.get(p.name, p.format)) for p in channels)
    lines.append(f"a position, channel by channel from its lowest bit: {told}")
    if design.tag:
        lines.append(
            f"s_axis_tuser, with the first beat of a frame, is m_axis_tuser[{design.tag}:1]"
        )
    if design.dense is None:
        lines.append("m_axis_tdata, the rest is padding:")
        return [*lines, f"  [{design.output_width - 1}:0]  a beat of the last map"]
    return [*lines, *_fields("m_axis_tdata", design.outputs)]


def _sample_core_lines(design: ContinuousDesign, notes: Notes) -> list[str]:
    reach = design.reach
    return [
        f"a result of the last {reach.samples} samples, every {reach.hop}, without frames",
        f"{design.pipeline} clocks after the sample that completes it",
        "",
        "clk        rising edge",
        "rst        synchronous, active high: forgets all samples",
        "in_valid   x holds a sample",
        "out_valid  y holds a result",
        *_fields("x", design.inputs, notes),
        *_fields("y", design.outputs),
    ]


def _sample_wrapper_lines(design: ContinuousDesign, notes: Notes) -> list[str]:
    reach = design.reach
    return [
        f"AXI4-Stream around {design.name}; aresetn is synchronous and active low",
        f"a result every {reach.hop} samples, {design.latency} clocks after the one that completes "
        "it; none before the first",
        f"{reach.samples} samples have come in",
        "",
        *_fields("s_axis_tdata", design.inputs, notes),
        *_fields("m_axis_tdata", design.outputs),
    ]


def _notes(origin: Origin | None) -> Notes:
    """Return what else there is to say of inputs."""
    return {} if origin is None else origin.notes


def _fields(name: str, ports: tuple[Port, ...], notes: Notes | None = None) -> list[str]:
    lines, at = [f"{name}, the rest is padding:"], 0
    for port in ports:
        told = (notes or {}).get(port.name, port.format)
        lines.append(f"  [{at + port.format.bits - 1}:{at}]  {port.name}  {told}")
        at += port.format.bits
    return lines
