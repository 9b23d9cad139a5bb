"""Synthesize a continuous stream as a whole, count its parts, simulate the netlist."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace
from itertools import islice
from pathlib import Path

from nnlogic.backends.stream.continuous.verify import Sequence, regression_check, sequence_of
from nnlogic.backends.stream.model.continuous import ContinuousDesign
from nnlogic.backends.stream.rows import NETLIST_CHECK, NETLIST_FAULT
from nnlogic.backends.stream.synth import SMALL, TRIES, placed, synthesized
from nnlogic.backends.stream.verify import tag_simulator
from nnlogic.core.archive import write_bytes
from nnlogic.core.errors import TargetMissed, ToolFailed, ToolNotFound, ToolTimeout, UsageError
from nnlogic.flows.synth import SynthResult
from nnlogic.job.directory import Run
from nnlogic.job.tools import Ask
from nnlogic.report.model import Report
from nnlogic.report.rows import Check
from nnlogic.sim.cocotb_run import CocotbRun
from nnlogic.sim.netlist import behavioural, wrong_netlists
from nnlogic.sim.stream.samples import run_samples_bench

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
  output s_axis_tready, output [{wy}-1:0] m_axis_tdata, output m_axis_tvalid, input m_axis_tready
);
  {core} netlist (
    .clk(aclk), .rst(!aresetn), .in_valid(s_axis_tvalid), .ready(m_axis_tready),
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
    for check in _netlist_checks(whole, result, ask):
        report = report.with_check(6, check)
    return placed(report, run, result, ask, design.latency)


def _ports(template: str, design: ContinuousDesign, core: str) -> str:
    wide_in, wide_out = (8 * -(-w // 8) for w in (design.input_width, design.output_width))
    return template.format(core=core, top=design.top, wx=wide_in, wy=wide_out)


def _netlist_checks(whole: Sequence, result: SynthResult, ask: Ask) -> Iterable[Check]:
    """Run tests of the stream on its netlist, and on netlists with one wrong bit."""
    netlist = result.files["netlist_verilog"]
    small = result.total.luts_total + result.total.ffs < SMALL
    bench = _Netlist(whole, ask, tag_simulator() if small else "verilator")
    try:
        with ask.progress.step("check: Verilog = netlist"):
            found = bench.simulate(netlist, "netlist", TESTS)
        check = regression_check(NETLIST_CHECK, whole.design, found, len(whole.expected))
        said = "control, windows and connections are simulated, not proved"
        yield replace(check, detail=f"{check.detail}; {said}")
        if check.verdict == "pass":
            with ask.progress.step("fault in the netlist"):
                yield bench.fault(netlist)
    except (ToolFailed, ToolNotFound, ToolTimeout, UsageError) as error:
        last = error.why.strip().splitlines()[-1:]
        yield Check(NETLIST_CHECK, detail=": ".join([error.what, *last]))


class _Netlist:
    def __init__(self, whole: Sequence, ask: Ask, simulator: str) -> None:
        self.whole, self.ask, self.simulator = whole, ask, simulator

    def simulate(self, netlist: Path, folder: str, tests: tuple[str, ...]) -> CocotbRun:
        whole, progress = self.whole, self.ask.progress
        core = f"{whole.design.top}_core"
        place = whole.folder / "sim" / folder
        files = behavioural(netlist, core, self.ask.target, place / "sources", progress=progress)
        ports = place / "sources" / "stream_ports.v"
        write_bytes(ports, _ports(PORTS, whole.design, core).encode())
        return run_samples_bench(
            whole.design, [ports, *files], place / self.simulator, samples=whole.samples,
            expected=whole.expected, simulator=self.simulator, tests=tests, progress=progress,
        )  # fmt: skip

    def fault(self, netlist: Path) -> Check:
        """Plant wrong bits until the bench sees one; a check that never does has failed."""
        started = time.monotonic()
        wrong = self.whole.folder / "sim" / "netlist-fault" / "wrong.v"
        wrong.parent.mkdir(parents=True, exist_ok=True)
        unseen = []
        how = f"sampled n={len(self.whole.expected)}"
        for text, where in islice(wrong_netlists(netlist.read_text()), TRIES):
            wrong.write_text(text)
            found = self.simulate(wrong, "netlist-fault", TESTS[1:2])
            if found.passed < len(found.tests):
                took = round(time.monotonic() - started, 3)
                return Check(NETLIST_FAULT, "pass", how, f"one bit of {where}", took)
            unseen.append(where)
        return Check(NETLIST_FAULT, "fail", how, f"not seen: {'; '.join(unseen) or 'no bit'}")
