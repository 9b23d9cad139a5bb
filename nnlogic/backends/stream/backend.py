"""Convolutions as a stream of positions, dense layers once a frame."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from nnlogic.backends.stream.options import StreamOptions
from nnlogic.job.backend import Backend, Simulate

if TYPE_CHECKING:
    from nnlogic.backends.stream.whole import Whole
    from nnlogic.core.errors import TargetMissed
    from nnlogic.core.progress import Progress
    from nnlogic.flows.targets import Target
    from nnlogic.job.context import Context
    from nnlogic.job.directory import Run
    from nnlogic.job.options import Options
    from nnlogic.job.stage import Stage
    from nnlogic.job.tools import Ask
    from nnlogic.plan.proposal import Planning, Proposal
    from nnlogic.quant.ir import QuantNet
    from nnlogic.report.model import Report
    from nnlogic.report.rows import Command


NETLIST_FRAMES, NETLIST_SAMPLES = 8, 1_500
"""What a netlist is sent: it runs slowly."""


class StreamBackend(Backend):
    """See `nnlogic.job.backend.Backend`."""

    name = "stream"
    title = "windows of a stream"
    options = StreamOptions
    at_a_rate = True
    without: ClassVar[Mapping[str, tuple[str, str]]] = {
        "drop_unused": (
            "a beat carries whole positions, and bits that no kernel reads go nowhere as it is: "
            "they take no logic and no memory", "leave it out",
        )
    }  # fmt: skip

    def taken(self, net: QuantNet, opts: Options) -> QuantNet:
        """Return the network; where raw words are asked for, with one encoder for all positions."""
        from nnlogic.quant.encoder_window import channel_names, with_window_encoder
        from nnlogic.quant.kernel_network import leading_windows
        from nnlogic.quant.word import parse_words

        windows = leading_windows(net)
        if opts.raw is None or not windows:
            return net  # without windows it is refused, with what is in the way
        frame = windows[0].frame
        return with_window_encoder(net, frame, parse_words(opts.raw, channel_names(frame)))

    def prepare(self, ctx: Context) -> None:
        """Refuse networks that do not stream, rates and lines that the target does not allow."""
        from nnlogic.backends.stream.continuous.rows import open_continuous_ladder
        from nnlogic.backends.stream.estimate import refuse_hopeless
        from nnlogic.backends.stream.plan import stream_options
        from nnlogic.backends.stream.rows import open_stream_ladder
        from nnlogic.backends.stream.stages import cut_of

        refuse_hopeless(ctx.net, ctx.target, stream_options(ctx.opts))
        continuous = stream_options(ctx.opts).continuous
        opened = open_continuous_ladder if continuous else open_stream_ladder
        ctx.report = opened(ctx.report, cut_of(ctx))

    def stages(self, ctx: Context) -> Sequence[Stage]:
        """Return the network, its parts, the design and its Verilog."""
        from nnlogic.backends.stream.continuous.stages import SampleRtlStage, SampleStage
        from nnlogic.backends.stream.plan import stream_options
        from nnlogic.backends.stream.stages import PartsStage, RtlStage, StreamStage
        from nnlogic.job.stages import QuantStage

        if stream_options(ctx.opts).continuous:
            return [QuantStage(), PartsStage(), SampleStage(), SampleRtlStage()]
        return [QuantStage(), PartsStage(), StreamStage(), RtlStage()]

    def open_ladder(self, report: Report, net: QuantNet) -> Report:
        """Return the report: its rungs depend on the parts, and are there already."""
        return report

    def commands(self, ctx: Context) -> list[Command]:
        """Return how to make, simulate and synthesize the run."""
        from nnlogic.job.commands import run_commands

        return run_commands(ctx, vivado=bool(ctx.target.part))

    def simulate(self, run: Run, ask: Simulate) -> Report:
        """Check the parts, then simulate windows and the whole stream."""
        from nnlogic.backends.stream.verify import simulate_stream

        return simulate_stream(run, _whole(run, ask.progress), ask)

    def keeps_luts(self, run: Run, target: Target) -> bool:
        """Whether the LUTs of all cores fit those of a target."""
        from nnlogic.backends.stream.synth import fits_cells

        return fits_cells(run, target)

    def synth(self, run: Run, ask: Ask) -> tuple[Report, TargetMissed | None]:
        """Synthesize the whole, count its parts, simulate the netlist."""
        from nnlogic.backends.stream.synth import synth_stream

        return synth_stream(run, _whole(run, ask.progress, netlist=True), ask)

    def forecast(self, net: QuantNet, target: Target, opts: Options) -> str:
        """Say what the network would take here."""
        from nnlogic.backends.stream.estimate import forecast

        return forecast(net, target, opts)

    def proposals(self, planning: Planning) -> Iterable[Proposal]:
        """Propose the slowest rate that is fast enough."""
        from nnlogic.backends.stream.estimate import proposals

        return proposals(self, planning)


def _whole(run: Run, progress: Progress, *, netlist: bool = False) -> Whole:
    """Return the stream of a run with what its Verilog, or its netlist, is sent."""
    # Older runs do not say whether they have frames: all have.
    if run.report.config.get("continuous", False):
        from nnlogic.backends.stream.continuous.sequence import samples_in

        return samples_in(run, progress, *([NETLIST_SAMPLES] if netlist else []))
    from nnlogic.backends.stream.frames import frames_of

    return frames_of(run, progress, NETLIST_FRAMES if netlist else None)


BACKEND = StreamBackend()
