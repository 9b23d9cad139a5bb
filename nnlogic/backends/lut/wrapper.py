"""What the stream wrapper of a core takes: counted beside the core, never in its figures."""

from __future__ import annotations

from pathlib import Path

from nnlogic.core.archive import write_bytes
from nnlogic.design.ir import HardwareDesign
from nnlogic.flows.memories import Resources, resources_of, stream_target
from nnlogic.flows.synth import synthesize
from nnlogic.flows.targets import Target
from nnlogic.hw.lines import vector
from nnlogic.hw.names import port_names
from nnlogic.job.tools import Ask
from nnlogic.report.rows import ResourceRow

WRAPPER, BOTH = "stream wrapper", "core and stream wrapper"


def wrapper_rows(
    design: HardwareDesign, rtl: Path, folder: Path, ask: Ask, core: ResourceRow
) -> list[ResourceRow]:
    """Synthesize the wrapper around a stand-in for the core; return its row and that of both.

    Parameters
    ----------
    design : HardwareDesign
        One with a stream wrapper.
    rtl : Path
        Folder of its Verilog.
    folder : Path
        For the tool's files.
    ask : Ask
    core : ResourceRow
        Total of the core.

    Raises
    ------
    ToolNotFound, ToolFailed, ToolTimeout
        A program is missing or failed.
    """
    found = count_wrapper(design, rtl, folder, ask)
    kinds = ", ".join(f"{count} {cell}" for cell, count in found.cells.items())
    memory = f"FIFO of results: {found.memory_luts} LUTs as memory, {found.brams} block RAMs"
    wrapper = ResourceRow(
        WRAPPER, "synth", found.luts, found.ffs, found.wide_muxes, f"{kinds}; {memory}"
    )
    both = ResourceRow(
        BOTH,
        "synth",
        _sum(core.luts, wrapper.luts),
        _sum(core.ffs, wrapper.ffs),
        _sum(core.wide_muxes, wrapper.wide_muxes),
        "sum of the two; what a design that instantiates it gets",
    )
    return [wrapper, both]


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other


def count_wrapper(design: HardwareDesign, rtl: Path, folder: Path, ask: Ask) -> Resources:
    """Return what the wrapper alone takes, with memories allowed for its FIFO."""
    target: Target = stream_target(ask.target)
    stream = f"{design.name}_stream"
    folder.mkdir(parents=True, exist_ok=True)
    stand_in = folder / f"{design.name}.v"
    write_bytes(stand_in, stand_in_text(design).encode())
    sources = [stand_in, rtl / f"{stream}.v"]
    result = synthesize(sources, stream, target, folder, timeout=ask.timeout, progress=ask.progress)
    return resources_of(result.modules[stream], ask.target)


def stand_in_text(design: HardwareDesign) -> str:
    """Return a core of the same ports, whose outputs cannot be known without its inputs."""
    x_names, y_names = port_names(design)
    ports = [f"input wire {name}" for name in ("clk", "rst", "in_valid")]
    for way, names, data in (
        ("input", x_names, design.inputs), ("output", y_names, design.outputs)
    ):  # fmt: skip
        ports += [f"{way} wire {vector(p.format.bits)} {names[p.name]}" for p in data]
    read = ", ".join(["rst", "in_valid", *x_names.values()])
    given = [f"  assign {y_names[p.name]} = {{{p.format.bits}{{seen}}}};" for p in design.outputs]
    return "\n".join(
        [
            f"module {design.name} (",
            ",\n".join(f"  {port}" for port in [*ports, "output reg out_valid"]),
            ");",
            f"  wire seen = ^{{{read}}};",
            "  always @(posedge clk) out_valid <= seen;",
            *given,
            "endmodule",
            "",
        ]
    )
