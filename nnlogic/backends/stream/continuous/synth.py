"""Synthesize a continuous stream as a whole, count its parts, simulate the netlist."""

from __future__ import annotations

from pathlib import Path

from nnlogic.backends.stream.continuous.verify import Sequence, regression_check, sequence_of
from nnlogic.backends.stream.model.continuous import ContinuousDesign
from nnlogic.backends.stream.netlist import NetlistBench, netlist_checks
from nnlogic.backends.stream.rows import NETLIST_CHECK
from nnlogic.backends.stream.synth import placed, synthesized
from nnlogic.core.errors import TargetMissed
from nnlogic.job.directory import Run
from nnlogic.job.tools import Ask
from nnlogic.report.model import Report
from nnlogic.sim.cocotb_run import CocotbRun
from nnlogic.sim.netlist import WRONG
from nnlogic.sim.stream.samples import WRONG_BITS_TEST, run_samples_bench

SIMULATED = 1_500
"""Samples a netlist is sent."""
TESTS = ("samples_times", "samples_all", "samples_back_pressure", "samples_reset")
"""What a netlist is put through; the Verilog it was made from goes through all of them."""
# What the stream's ports are called by the harness of a core: see `nnlogic.flows.harness`.
CORE = """module {core} (
  input clk, input rst, input in_valid, input ready, input [{wx}-1:0] x,
  output out_valid, output [{wy}:0] y
);
  {top} stream (
    .aclk(clk), .aresetn(!rst), .s_axis_tvalid(in_valid), .s_axis_tdata(x),
    .m_axis_tready(ready), .m_axis_tvalid(out_valid), .m_axis_tdata(y[{wy}:1]),
    .s_axis_tready(y[0])
  );
endmodule
"""
PORTS = """module {top} (
  input aclk, input aresetn, input [{wx}-1:0] s_axis_tdata, input s_axis_tvalid,
  output s_axis_tready, output [{wy}-1:0] m_axis_tdata, output m_axis_tvalid, input m_axis_tready,
  input [{{faults}}-1:0] fault
);
  {core} netlist (
    .{wrong}(fault), .clk(aclk), .rst(!aresetn), .in_valid(s_axis_tvalid), .ready(m_axis_tready),
    .x(s_axis_tdata), .out_valid(m_axis_tvalid), .y({{m_axis_tdata, s_axis_tready}})
  );
endmodule
"""


def synth_samples(run: Run, ask: Ask) -> tuple[Report, TargetMissed | None]:
    """Return the report with the figures of the whole, and the error of a clock that is missed.

    Raises
    ------
    ToolNotFound, ToolFailed, ToolTimeout
        A program is missing or failed.
    """
    whole = sequence_of(run, ask.progress, SIMULATED)
    design = whole.design
    core = f"{design.top}_core"
    harness = _ports(CORE, design, core)
    report, result = synthesized(run, ask, design, whole.parts, harness)
    for check in netlist_checks(result, _bench(whole, core, ask), ask):
        report = report.with_check(6, check)
    return placed(report, run, result, ask, design.latency)


def _ports(template: str, design: ContinuousDesign, core: str) -> str:
    wide_in, wide_out = (8 * -(-w // 8) for w in (design.input_width, design.output_width))
    return template.format(core=core, top=design.top, wx=wide_in, wy=wide_out, wrong=WRONG)


def _bench(whole: Sequence, core: str, ask: Ask) -> NetlistBench:
    design, sent = whole.design, len(whole.expected)

    def simulate(files: list[Path], folder: Path, simulator: str, faults: int) -> CocotbRun:
        return run_samples_bench(
            design, files, folder, samples=whole.samples, expected=whole.expected,
            simulator=simulator, tests=(*TESTS, WRONG_BITS_TEST), faults=faults,
            progress=ask.progress,
        )  # fmt: skip

    return NetlistBench(
        whole.folder / "sim" / "netlist", core, _ports(PORTS, design, core), WRONG_BITS_TEST,
        simulate, lambda found: regression_check(NETLIST_CHECK, design, found, sent), sent,
    )  # fmt: skip
