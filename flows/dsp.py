"""Synthesis, and place and route, of a DSP engine: memories are allowed, and are counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nnlogic.core.archive import write_bytes
from nnlogic.core.progress import SILENT, Progress
from nnlogic.flows.reports import Cells
from nnlogic.flows.synth import SynthResult, synthesize
from nnlogic.flows.targets import Target

# Options that keep memories and delay lines out of the figures of a LUT core.
WITHOUT = ("-nobram", "-nolutram", "-nosrl")

# LUTs that cells other than LUTs occupy. Xilinx: distributed RAMs and shift registers, UG474 and
# UG574. Lattice: a 16x4 RAM takes the four LUTs of two slices.
MEMORY_LUTS: Mapping[str, int] = {
    "SRL16E": 1,
    "SRLC32E": 1,
    "RAM32X1D": 2,
    "RAM64X1D": 2,
    "RAM128X1D": 4,
    "RAM256X1D": 8,
    "RAM32M": 4,
    "RAM64M": 4,
    "RAM32M16": 8,
    "RAM64M8": 8,
    "TRELLIS_DPR16X4": 4,
}

# What the stream ports are called by the harness of a core: see `nnlogic.flows.harness`.
CORE = """module {core} (
  input clk, input rst, input in_valid, input ready, input [{wx}:0] x,
  output out_valid, output [{wy}:0] y
);
  {top} engine (
    .aclk(clk), .aresetn(!rst), .s_axis_tvalid(in_valid), .s_axis_tdata(x[{s}:0]),
    .m_axis_tready(ready), .m_axis_tvalid(out_valid), .m_axis_tdata(y[{m}:3]),
    .m_axis_tlast(y[2]), .s_axis_tready(y[1]), .busy(y[0]){commands}
  );
endmodule
"""

COMMANDS = """,
    .p_axis_tdata(x[{last}:{s}]), .p_axis_tvalid(x[{valid}]), .p_axis_tready(y[{ready}])"""


@dataclass(frozen=True)
class Resources:
    """Resources of an engine.

    Attributes
    ----------
    dsps, brams, ffs, carry, wide_muxes : int
    luts : int
        Logic and `memory_luts` together.
    memory_luts : int
        Of `luts`, those used as memory or delay line.
    cells : mapping of str to int
        Count of each LUT and memory-LUT cell type.
    """

    dsps: int
    brams: int
    ffs: int
    carry: int
    wide_muxes: int
    luts: int
    memory_luts: int
    cells: Mapping[str, int]


def memory_target(target: Target) -> Target:
    """Return a target whose synthesis may use memories and delay lines."""
    cells = {**target.cells, "luts": (*target.cells["luts"], *MEMORY_LUTS)}
    cells["brams"] = tuple(p for p in cells["brams"] if p not in MEMORY_LUTS)
    options = tuple(option for option in target.yosys if option not in WITHOUT)
    return replace(target, yosys=options, cells=cells)


def synthesize_engine(
    files: Sequence[Path],
    top: str,
    widths: tuple[int, int] | tuple[int, int, int],
    target: Target,
    folder: Path,
    *,
    timeout: float = 900.0,
    progress: Progress = SILENT,
) -> tuple[SynthResult, Resources]:
    """Synthesize an engine with yosys and count what it takes.

    Parameters
    ----------
    files : sequence of Path
        Verilog of the engine, without simulation models: yosys knows the DSP cells.
    top : str
        The engine's module.
    widths : (int, int) or (int, int, int)
        Bits of ``s_axis_tdata``, ``m_axis_tdata``, and ``p_axis_tdata`` where the engine has it.
    target : Target
    folder : Path
        Receives script, log and netlists; made when missing.
    timeout : float
        Seconds.
    progress : Progress

    Returns
    -------
    SynthResult, Resources
        The first, with `memory_target`, is what `nnlogic.flows.pnr.place_and_route` takes.

    Raises
    ------
    ToolNotFound, ToolFailed, ToolTimeout
        No yosys, or it failed.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    core = f"{top}_core"
    wrapper = folder / f"{core}.v"
    s, m, p = (*widths, 0)[:3]
    commands = COMMANDS.format(s=s, last=s + p - 1, valid=s + p, ready=m + 3) if p else ""
    wx, wy = s - 1 + (p + 1 if p else 0), m + 2 + (1 if p else 0)
    text = CORE.format(core=core, top=top, wx=wx, wy=wy, s=s - 1, m=m + 2, commands=commands)
    write_bytes(wrapper, text.encode())
    result = synthesize(
        [*files, wrapper], core, memory_target(target), folder, timeout=timeout, progress=progress
    )
    return result, resources_of(result.total)


def resources_of(total: Cells) -> Resources:
    """Return the resources of a netlist whose memories and delay lines may be LUTs."""
    memory = sum(MEMORY_LUTS.get(cell, 0) * count for cell, count in total.luts.items())
    logic = sum(count for cell, count in total.luts.items() if cell not in MEMORY_LUTS)
    return Resources(
        dsps=total.dsps,
        brams=total.brams,
        ffs=total.ffs,
        carry=total.carry,
        wide_muxes=sum(total.wide_muxes.values()),
        luts=logic + memory,
        memory_luts=memory,
        cells=total.luts,
    )
