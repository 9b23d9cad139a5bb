"""Synthesis of an engine between the ports that the harness of a core expects."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nnlogic.core.archive import write_bytes
from nnlogic.core.progress import SILENT, Progress
from nnlogic.flows.memories import Resources, memory_target, resources_of
from nnlogic.flows.synth import SynthResult, synthesize
from nnlogic.flows.targets import Target

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


def synthesize_engine(
    files: Sequence[Path],
    top: str,
    widths: tuple[int, int] | tuple[int, int, int],
    target: Target,
    folder: Path,
    *,
    timeout: float | None = None,
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
    timeout : float, optional
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
    return result, resources_of(result.total, target)
