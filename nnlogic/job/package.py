"""What other tools need to place the stream of a run in a system: IP-XACT, and VHDL."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from nnlogic import __version__
from nnlogic.core.archive import write_bytes
from nnlogic.core.names import Identifier
from nnlogic.flows.ipxact import Component, component_xml, vhdl_template
from nnlogic.flows.synth import NetPort
from nnlogic.hw.axi import CLOCK, RESET, buses
from nnlogic.job.context import Context
from nnlogic.report.rows import Artifact

FOLDER, COMPONENT = "ip", "component.xml"
_HEAD = re.compile(r"^module (\w+) \(\n(.*?)^\);", re.MULTILINE | re.DOTALL)
_PORT = re.compile(r"^  (input|output) +(?:wire|reg) +(?:\[(\d+):0\] )?(\w+),?$", re.MULTILINE)


def ports_of(text: str) -> Iterator[tuple[Identifier, tuple[NetPort, ...]]]:
    """Yield the modules of Verilog that nnlogic wrote, each with its ports in order."""
    for name, ports in _HEAD.findall(text):
        yield (
            Identifier(name),
            tuple(
                NetPort(Identifier(port), way, int(high or 0) + 1)
                for way, high, port in _PORT.findall(ports)
            ),
        )


def write_package(ctx: Context) -> list[Artifact]:
    """Write the component and the VHDL declaration of the stream of a run; nothing without one.

    That is ``NAME_stream``, or ``NAME`` where this has the streams itself. What the files say of
    its ports is what its Verilog says.
    """
    files = sorted((ctx.folder / "rtl").glob("*.v"))
    for top in (f"{ctx.name}_stream", str(ctx.name)):
        file = ctx.folder / "rtl" / f"{top}.v"
        found = dict(ports_of(file.read_text())) if file in files else {}
        ports = found.get(Identifier(top), ())
        names = {str(port.name) for port in ports}
        if buses(sorted(names)).keys() == {"s_axis", "m_axis"} and {CLOCK, RESET} <= names:
            return _written(ctx, Identifier(top), ports, files)
    return []


def _written(
    ctx: Context, top: Identifier, ports: tuple[NetPort, ...], files: list[Path]
) -> list[Artifact]:
    timing = ctx.report.timing
    about = f"{ctx.name}: a neural network as logic, with a result"
    if timing.samples_per_interval > 1:
        about += f" for each of {timing.samples_per_interval} samples"
    about += f" every {timing.initiation_interval} clocks, {timing.latency_cycles} clocks later"
    sources = tuple(f"../rtl/{file.name}" for file in files)
    component = Component(top, __version__, ports, sources, about)
    folder = ctx.folder / FOLDER
    folder.mkdir(exist_ok=True)
    write_bytes(folder / COMPONENT, component_xml(component).encode())
    write_bytes(folder / f"{top}.vho", vhdl_template(top, ports).encode())
    return [
        Artifact(f"{FOLDER}/{COMPONENT}", "IP-XACT component (IEEE 1685-2014) of the stream"),
        Artifact(f"{FOLDER}/{top}.vho", "VHDL declaration and instance of the stream"),
    ]
