"""A stream without frames on a simulator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from nnlogic.backends.stream.checks.samples import CONTINUOUS_FAULTS, window_faults
from nnlogic.backends.stream.model.continuous import ContinuousDesign
from nnlogic.backends.stream.model.samples import results_of, samples_of
from nnlogic.backends.stream.stages import cut_of
from nnlogic.backends.stream.whole import Whole
from nnlogic.core.progress import Progress
from nnlogic.design.ir import HardwareDesign
from nnlogic.hw.stream.samples import SampleShape, sample_shapes
from nnlogic.hw.stream.verilog import write_samples
from nnlogic.job.backend import backend_of
from nnlogic.job.context import saved_context
from nnlogic.job.directory import Run
from nnlogic.job.rows import read_saved
from nnlogic.quant.ir import QuantNet
from nnlogic.sim.cocotb_run import CocotbRun
from nnlogic.sim.stream.samples import (
    SAMPLE_TESTS,
    WRONG_BITS_TEST,
    chain_tags,
    run_chains,
    run_samples_bench,
)

SAMPLES = 6_000
"""Samples that a simulator is sent, at least `FIELDS` receptive fields."""
FIELDS = 12


@dataclass(frozen=True, eq=False)
class Samples(Whole):
    """See `nnlogic.backends.stream.whole.Whole`."""

    design: ContinuousDesign

    facts: ClassVar = {"latency": "simulated_latency", "interval": "simulated_interval"}
    planted = CONTINUOUS_FAULTS
    absent = "no window of this network can have it"
    netlist_tests = ("samples_times", "samples_all", "samples_back_pressure", "samples_reset")
    wrong_bits_test = WRONG_BITS_TEST
    core_ports = """module {core} (
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
    netlist_ports = """module {top} (
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

    @property
    def latency(self) -> int:
        """Clocks from the sample that completes a result to it."""
        return self.design.latency

    def run(
        self, files: Sequence[Path], folder: Path, simulator: str, *,
        tests: tuple[str, ...] | None = None, faults: int = 0,
    ) -> CocotbRun:  # fmt: skip
        """Send one long sequence."""
        return run_samples_bench(
            self.design, files, folder, samples=self.sent, expected=self.expected,
            simulator=simulator, tests=tests or SAMPLE_TESTS, faults=faults,
            progress=self.progress,
        )  # fmt: skip

    def promised(self) -> Mapping[str, int]:
        """Return latency, interval, and samples before the first result."""
        reach = self.design.reach
        return {"latency": self.design.latency, "interval": reach.hop, "first": reach.samples}

    def times(self, found: Mapping[str, Any]) -> str:
        """Return them in words."""
        return (
            f"latency {found['latency']} cycles, a result every {found['interval']}, the first "
            f"after {found['first']} samples"
        )

    def tags(self) -> tuple[int, str]:
        """Return how many tags chains of samples get."""
        shapes = sample_shapes(self.design)
        if not shapes:
            return 0, "every window is one sample: there are no chains"
        count = sum(chain_tags(shape, 1 + i)[0].size for i, shape in enumerate(shapes.values()))
        return count, (
            f"through {len(shapes)} chains from reset, until their control repeats, without and "
            "with gaps"
        )

    def run_tags(
        self, files: Sequence[Path], folder: Path, simulator: str, which: Any = None
    ) -> CocotbRun:
        """Send tags through chains."""
        modules = None if which is None else [which]
        return run_chains(
            self.design, files, folder, modules=modules, simulator=simulator,
            progress=self.progress,
        )  # fmt: skip

    def wrong_windows(self) -> Iterator[tuple[str, str, SampleShape, str]]:
        """Yield wrong shapes of sliding windows."""
        for title, module, shape in window_faults(self.design):
            yield title, module, shape, str(module)

    def write(
        self, cores: Mapping[str, HardwareDesign], folder: Path, shapes: Mapping[str, SampleShape]
    ) -> tuple[Path, ...]:
        """Write the stream."""
        return write_samples(self.design, cores, folder, shapes=shapes)


def samples_in(run: Run, progress: Progress, most: int = SAMPLES) -> Samples:
    """Return a run with its rows as one sequence, again and again where they are few."""
    design = ContinuousDesign.load(run.ir_path("design"))
    cut = cut_of(saved_context(backend_of(run), run))
    samples = samples_of(design, read_saved(run.path / "sim" / "rows.npz")[0].codes)
    count = max(most, FIELDS * design.reach.samples)
    sent = samples[[i % len(samples) for i in range(count)]]
    expected = results_of(QuantNet.load(run.ir_path("quant")), design, sent)
    return Samples(design, cut, run.path, sent, expected, progress)
