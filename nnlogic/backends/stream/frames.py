"""A stream of frames on a simulator."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from nnlogic.backends.stream.checks.faults import STREAM_FAULTS, geometry_faults
from nnlogic.backends.stream.model.cycles import StreamTiming
from nnlogic.backends.stream.model.ir import StreamDesign
from nnlogic.backends.stream.stages import cut_of
from nnlogic.backends.stream.whole import Whole
from nnlogic.core.progress import Progress
from nnlogic.design.ir import HardwareDesign
from nnlogic.hw.stream.verilog import write_stream
from nnlogic.hw.stream.window import WindowShape
from nnlogic.job.backend import backend_of
from nnlogic.job.context import saved_context
from nnlogic.job.directory import Run
from nnlogic.job.ladder import accuracy_rows
from nnlogic.job.rows import read_saved
from nnlogic.quant.ir import QuantNet
from nnlogic.report.model import Row
from nnlogic.sim.cocotb_run import CocotbRun
from nnlogic.sim.stream.run import (
    STREAM_TESTS,
    WRONG_BITS_TEST,
    run_stream_bench,
    run_tags,
    tags,
)

BEATS = 8_000
"""Beats of whole frames that a simulator is sent, at least `FRAMES` frames."""
FRAMES = 8


@dataclass(frozen=True, eq=False)
class Frames(Whole):
    """See `nnlogic.backends.stream.whole.Whole`."""

    design: StreamDesign

    facts: ClassVar = {
        "latency": "simulated_latency",
        "steady": "simulated_steady",
        "interval": "simulated_interval",
    }
    planted = STREAM_FAULTS
    absent = "no layer of this network can have it"
    netlist_tests = (
        "stream_times", "stream_frames", "stream_back_pressure", "stream_reset_in_mid_frame",
    )  # fmt: skip
    wrong_bits_test = WRONG_BITS_TEST
    core_ports = """module {core} (
  input clk, input rst, input in_valid, input ready, input [{wx}+{tag}:0] x,
  output out_valid, output [{wy}+{tag}+2:0] y
);
  {top} stream (
    .aclk(clk), .aresetn(!rst), .s_axis_tvalid(in_valid), .s_axis_tlast(x[{wx}]),
    {tag_pin}.s_axis_tdata(x[{wx}-1:0]), .m_axis_tready(ready), .m_axis_tvalid(out_valid),
    .m_axis_tdata(y[{wy}+{tag}+2:3+{tag}]), .m_axis_tuser(y[2+{tag}:2]), .m_axis_tlast(y[1]),
    .s_axis_tready(y[0])
  );
endmodule
"""
    netlist_ports = """module {top} (
  input aclk, input aresetn, input [{wx}-1:0] s_axis_tdata, input s_axis_tlast,
  {tag_port}input s_axis_tvalid, output s_axis_tready, output [{wy}-1:0] m_axis_tdata,
  output [{tag}:0] m_axis_tuser, output m_axis_tlast, output m_axis_tvalid, input m_axis_tready,
  input [{{faults}}-1:0] fault
);
  {core} netlist (
    .{wrong}(fault), .clk(aclk), .rst(!aresetn), .in_valid(s_axis_tvalid), .ready(m_axis_tready),
    .x({{{tag_part}s_axis_tlast, s_axis_tdata}}), .out_valid(m_axis_tvalid),
    .y({{m_axis_tdata, m_axis_tuser, m_axis_tlast, s_axis_tready}})
  );
endmodule
"""

    @property
    def latency(self) -> int:
        """Clocks from the first beat of a frame to its result."""
        return StreamTiming.of(self.design).alone

    def run(
        self, files: Sequence[Path], folder: Path, simulator: str, *,
        tests: tuple[str, ...] | None = None, faults: int = 0,
    ) -> CocotbRun:  # fmt: skip
        """Send whole frames."""
        return run_stream_bench(
            self.design, files, folder, codes=self.sent, expected=self.expected,
            simulator=simulator, tests=tests or STREAM_TESTS, faults=faults,
            progress=self.progress,
        )  # fmt: skip

    def promised(self) -> Mapping[str, int]:
        """Return latency, of a frame alone and back to back, and interval."""
        timing = StreamTiming.of(self.design)
        return {"latency": timing.alone, "steady": timing.steady, "interval": timing.interval}

    def times(self, found: Mapping[str, Any]) -> str:
        """Return them in words."""
        return (
            f"latency {found['latency']} cycles alone and {found['steady']} back to back, a frame "
            f"every {found['interval']}"
        )

    def tags(self) -> tuple[int, str]:
        """Return how many tags window generators get."""
        layers = [(i, own) for i, own in enumerate(self.design.layers) if not own.scan.passes]
        sent = [tags(layer, 1 + i) for i, layer in layers]
        if not sent:
            return 0, "every window is one position: there are no generators"
        count = sum(int(frames[0].size) for frames in sent)
        return count, f"in {max(map(len, sent))} frames, back to back and with gaps"

    def run_tags(
        self, files: Sequence[Path], folder: Path, simulator: str, which: Any = None
    ) -> CocotbRun:
        """Send tags through window generators."""
        layers = None if which is None else [which]
        return run_tags(
            self.design, files, folder, layers=layers, simulator=simulator, progress=self.progress
        )

    def wrong_windows(self) -> Iterator[tuple[str, int, WindowShape, str]]:
        """Yield wrong geometries of window generators."""
        return geometry_faults(self.design)

    def write(
        self, cores: Mapping[str, HardwareDesign], folder: Path, shapes: Mapping[int, WindowShape]
    ) -> tuple[Path, ...]:
        """Write the stream."""
        return write_stream(self.design, cores, folder, shapes=shapes)

    def accuracy(self, run: Run) -> Iterable[Row]:
        """Return the accuracy on the frames that have labels."""
        rows, _ = read_saved(run.path / "sim" / "rows.npz")
        labels = None if rows.labels is None else rows.labels[: len(self.sent)]
        simulated = replace(rows, codes=self.sent, labels=labels)
        net = QuantNet.load(run.ir_path("quant"))
        return accuracy_rows(net, simulated, "RTL", self.expected)


def frames_of(run: Run, progress: Progress, most: int | None = None) -> Frames:
    """Return a run with its first frames, as many as a simulation of the Verilog is sent."""
    design = StreamDesign.load(run.ir_path("design"))
    cut = cut_of(saved_context(backend_of(run), run))
    rows, expected = read_saved(run.path / "sim" / "rows.npz")
    count = max(FRAMES, BEATS // design.beats) if most is None else most
    return Frames(design, cut, run.path, rows.codes[:count], expected[:count], progress)
