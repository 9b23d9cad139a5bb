"""Scripts for Vivado: written for the user, never run here."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from nnlogic.core.archive import write_bytes
from nnlogic.core.errors import UsageError
from nnlogic.core.inert import TclWord
from nnlogic.core.names import Identifier
from nnlogic.flows.targets import Target

SCRIPT, CONSTRAINTS = "vivado.tcl", "timing.xdc"
STREAM_SCRIPT, STREAM_CONSTRAINTS = "vivado_stream.tcl", "timing_stream.xdc"
CLOCK = Identifier("clk")


def write_vivado(
    files: Sequence[Path],
    top: str,
    target: Target,
    folder: Path,
    clock: float | None = None,
    port: str = CLOCK,
    names: tuple[str, str] = (SCRIPT, CONSTRAINTS),
) -> tuple[Path, Path]:
    """Write a script and timing constraints that implement a core, out of context or in it.

    Parameters
    ----------
    files : sequence of Path
        Verilog sources; named relative to `folder`, so that the run can be moved.
    top : str
        Name of the core module.
    target : Target
        One with a Vivado part.
    folder : Path
        Made when missing.
    clock : float, optional
        MHz; the target's own goal when there is none.
    port : str
        Clock input of the core.
    names : tuple of str
        Of the script and of the constraints.

    Returns
    -------
    script, constraints : Path

    Raises
    ------
    UsageError
        Vivado does not serve the target.
    """
    if not target.part:
        raise UsageError(
            f"there is no Vivado script for {target.name}",
            why="Vivado does not serve this family",
            fix=f"choose {Target.flags(lambda other: bool(other.part))}",
        )
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    sources = [Path(os.path.relpath(file, folder)).as_posix() for file in files]
    script, constraints = (folder / name for name in names)
    text = vivado_tcl(sources, Identifier(top), target.part, names)
    write_bytes(script, text.encode())
    write_bytes(constraints, timing_xdc(clock or target.clock_mhz, Identifier(port)).encode())
    return script, constraints


def vivado_tcl(
    sources: Sequence[str],
    top: Identifier,
    part: str,
    names: tuple[str, str] = (SCRIPT, CONSTRAINTS),
) -> str:
    """Return the Tcl: synthesis, optimization, placement, routing, reports.

    Out of context unless the argument ``in_context`` is given: then ports get buffers and places,
    as far as the part has pins. With ``luts`` the cells of ``synth/rtl`` are read where they are.

    The synthesis options are those of Vivado's strategy Flow_PerfOptimized_high, which published
    results for LUT networks use; xcvu9p-flgb2104-2-i is theirs too.

    Parameters
    ----------
    sources : sequence of str
        Verilog files, relative to the folder of the script.
    top : Identifier
    part : str
    names : tuple of str
        Of the script and of the constraints.
    """
    script, constraints = names
    listed = "\n".join(f"  [file join $here {TclWord(source)}] \\" for source in sources)
    return f"""\
# Implements {top} on {part}, out of context unless told otherwise.
# Run: vivado -mode batch -source {script} [-tclargs [in_context] [luts]]
# luts reads LUT cells in place of expressions, which Vivado would map anew, so that the LUTs stay
# those that nnlogic found; "nnlogic synth RUN" for a target of the vendor writes them to synth/rtl.
set here [file dirname [file normalize [info script]]]
set context [expr {{"in_context" in $argv ? "default" : "out_of_context"}}]
set out [file join $here vivado {top} $context]
file mkdir $out

set sources [list \\
{listed}
]
if {{"luts" in $argv}} {{
  set found 0
  foreach source $sources {{
    set cells [file join $here .. synth rtl [file tail $source]]
    if {{[file exists $cells]}} {{
      incr found
      set source $cells
    }}
    lappend chosen $source
  }}
  if {{!$found}} {{error "no LUT cells in synth/rtl: run nnlogic synth first"}}
  set sources $chosen
}}
read_verilog $sources
read_xdc [file join $here {constraints}]

synth_design -top {top} -part {TclWord(part)} -mode $context \\
  -flatten_hierarchy rebuilt -fanout_limit 400 -fsm_extraction one_hot \\
  -keep_equivalent_registers -resource_sharing off -no_lc -shreg_min_size 5
report_utilization -file [file join $out synth_utilization.rpt]

opt_design
place_design
phys_opt_design
route_design

report_utilization -file [file join $out utilization.rpt]
report_utilization -hierarchical -file [file join $out utilization_modules.rpt]
report_timing_summary -file [file join $out timing_summary.rpt]
report_timing -max_paths 10 -file [file join $out timing_paths.rpt]
write_checkpoint -force [file join $out routed.dcp]

set path [get_timing_paths -max_paths 1 -nworst 1 -setup]
set period [get_property PERIOD [get_clocks clk]]
set slack [get_property SLACK $path]
puts [format "Fmax %.1f MHz (period %.3f ns, slack %.3f ns)" \\
  [expr {{1000.0 / ($period - $slack)}}] $period $slack]
"""


def timing_xdc(clock_mhz: float, port: Identifier = CLOCK) -> str:
    """Return the constraints: clock ``clk`` on a port; data ports are timed inside the core.

    Parameters
    ----------
    clock_mhz : float
    port : Identifier
    """
    return (
        f"# {clock_mhz:g} MHz\n"
        f"create_clock -name clk -period {1000.0 / clock_mhz:.3f} [get_ports {port}]\n"
    )
