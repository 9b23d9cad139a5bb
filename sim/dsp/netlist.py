"""Post-synthesis netlists of engines as Verilog that simulators take."""

from __future__ import annotations

from pathlib import Path

from nnlogic.core.archive import write_bytes
from nnlogic.core.progress import SILENT, Progress
from nnlogic.flows.targets import Target
from nnlogic.sim.netlist import behavioural

# The engine's ports around a netlist whose ports are those of `nnlogic.backends.dsp.flow.CORE`.
ENGINE = """module {top} (
  input aclk, input aresetn, input [{wx}:0] s_axis_tdata, input s_axis_tvalid,
  output s_axis_tready, output [{wy}:0] m_axis_tdata, output m_axis_tlast, output m_axis_tvalid,
  input m_axis_tready, output busy
);
  {core} netlist (
    .clk(aclk), .rst(!aresetn), .in_valid(s_axis_tvalid), .ready(m_axis_tready), .x(s_axis_tdata),
    .out_valid(m_axis_tvalid), .y({{m_axis_tdata, m_axis_tlast, s_axis_tready, busy}})
  );
endmodule
"""


def simulatable(
    netlist: Path,
    top: str,
    widths: tuple[int, int],
    target: Target,
    folder: Path,
    *,
    progress: Progress = SILENT,
) -> tuple[Path, ...]:
    """Write an engine's netlist with behavioural cells, and the engine's ports around it.

    Parameters
    ----------
    netlist : Path
        From `nnlogic.backends.dsp.flow.synthesize_engine`.
    top : str
        The engine's module.
    widths : (int, int)
        Bits of ``s_axis_tdata`` and of ``m_axis_tdata``.
    target, folder, progress
        As for `behavioural`, which says what is returned and raised.
    """
    core = f"{top}_core"
    sources = behavioural(netlist, core, target, folder, progress=progress)
    engine = folder / "engine_ports.v"
    ports = ENGINE.format(top=top, core=core, wx=widths[0] - 1, wy=widths[1] - 1)
    write_bytes(engine, ports.encode())
    return (engine, *sources)
