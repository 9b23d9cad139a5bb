"""Write a ContinuousDesign as Verilog, beside the cores that it instantiates."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from nnlogic.backends.stream.model.continuous import ContinuousDesign
from nnlogic.core.formats import Port
from nnlogic.core.names import Identifier
from nnlogic.design.ir import HardwareDesign
from nnlogic.hw.convert import component_verilog
from nnlogic.hw.header import Origin
from nnlogic.hw.stream.files import write_modules
from nnlogic.hw.stream.samples import SampleCore, SampleShape, SampleStream, sample_parts


def write_samples(
    design: ContinuousDesign,
    cores: Mapping[str, HardwareDesign],
    folder: Path,
    *,
    shapes: Mapping[str, SampleShape] | None = None,
    origin: Origin | None = None,
) -> tuple[Path, ...]:
    """Write ``<name>.v``, the free-running stream, and ``<name>_stream.v``, its AXI4-Stream.

    Parameters
    ----------
    design : ContinuousDesign
    cores : mapping of str to HardwareDesign
        Kernels and dense layers by module; their Verilog is written apart.
    folder : Path
        Made when it does not exist.
    shapes : mapping of str to SampleShape, optional
        As for `nnlogic.hw.stream.samples.sample_parts`.
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
    core = component_verilog(SampleCore(design, cores), design.name, sample_parts(design, shapes))
    wrapper = component_verilog(SampleStream(design), design.top)
    texts = {
        Identifier(design.name): (core, _core_lines(design)),
        design.top: (wrapper, _wrapper_lines(design)),
    }
    return write_modules(texts, folder, origin)


def _core_lines(design: ContinuousDesign) -> list[str]:
    reach = design.reach
    return [
        f"a result of the last {reach.samples} samples, every {reach.hop}, without frames",
        f"{design.pipeline} clocks after the sample that completes it",
        "",
        "clk        rising edge",
        "rst        synchronous, active high: forgets all samples",
        "in_valid   x holds a sample",
        "out_valid  y holds a result",
        *_fields("x", design.inputs),
        *_fields("y", design.outputs),
    ]


def _wrapper_lines(design: ContinuousDesign) -> list[str]:
    reach = design.reach
    return [
        f"AXI4-Stream around {design.name}; aresetn is synchronous and active low",
        f"a result every {reach.hop} samples, {design.latency} clocks after the one that completes "
        "it; none before the first",
        f"{reach.samples} samples have come in",
        "",
        *_fields("s_axis_tdata", design.inputs),
        *_fields("m_axis_tdata", design.outputs),
    ]


def _fields(name: str, ports: tuple[Port, ...]) -> list[str]:
    lines, at = [f"{name}, the rest is padding:"], 0
    for port in ports:
        lines.append(f"  [{at + port.format.bits - 1}:{at}]  {port.name}  {port.format}")
        at += port.format.bits
    return lines
