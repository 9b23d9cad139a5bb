"""Sums of an integer first layer as chains of DSP multipliers, and the rest in LUTs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from nnlogic.backends.mac.options import MacOptions
from nnlogic.core.errors import UsageError
from nnlogic.job.backend import Backend, Simulate, backend_of

if TYPE_CHECKING:
    from nnlogic.core.errors import TargetMissed
    from nnlogic.flows.targets import Target
    from nnlogic.job.context import Context
    from nnlogic.job.directory import Run
    from nnlogic.job.options import Options
    from nnlogic.job.stage import Stage
    from nnlogic.job.tools import Ask
    from nnlogic.quant.ir import QuantNet
    from nnlogic.report.model import Report
    from nnlogic.report.rows import Command


class MacBackend(Backend):
    """See `nnlogic.job.backend.Backend`."""

    name = "mac"
    title = "sums on DSP multipliers"
    options = MacOptions

    def taken(self, net: QuantNet, opts: Options) -> QuantNet:
        """Return the network as it came in; raw words are refused."""
        if opts.raw is not None:
            raise UsageError(
                f"the {self.name} backend reads codes", where="--raw",
                why="its slices multiply what comes in, and words are compared first",
                fix="--plan with lut for the layers of the encoder, then mac: it lists them",
            )  # fmt: skip
        return net

    def prepare(self, ctx: Context) -> None:
        """Refuse to go on from a run of another backend; turn a clock into LUT levels."""
        from nnlogic.backends.mac.estimate import refuse_hopeless
        from nnlogic.design.build import BALANCED
        from nnlogic.job.directory import open_run

        if ctx.opts.reuses("quant") and backend_of(open_run(ctx.source)) is not self:
            raise UsageError(
                f"the {self.name} backend cannot go on from this run",
                where="--from",
                why="its later stages are those of the whole network",
                fix="compile the network again, without --from",
            )
        ctx.schedule = ctx.opts.levels_per_stage or BALANCED
        if ctx.opts.clock is not None:
            ctx.schedule = ctx.target.levels_for(ctx.opts.clock)
        if not ctx.opts.reuses("quant"):
            refuse_hopeless(ctx.net, ctx.target, cast("MacOptions", ctx.opts))

    def stages(self, ctx: Context) -> Sequence[Stage]:
        """Return chains, tail, its logic, its pipeline, and the Verilog of both."""
        from nnlogic.backends.mac.stages import DesignStage, MacStage, RtlStage, TailStage
        from nnlogic.job.stages import QuantStage, SimplifiedStage, TablesStage, logic_stages

        logic = logic_stages(ctx, ctx.target.lut_size)
        return [
            QuantStage(), MacStage(), TailStage(), TablesStage(), SimplifiedStage(), *logic,
            DesignStage(), RtlStage(),
        ]  # fmt: skip

    def open_ladder(self, report: Report, net: QuantNet) -> Report:
        """Return a report with rungs 0 and 4 to 6 of chains and a pipeline."""
        from nnlogic.backends.mac.rows import open_mac_ladder

        return open_mac_ladder(report)

    def commands(self, ctx: Context) -> list[Command]:
        """Return how to make, simulate and synthesize the run."""
        from nnlogic.job.commands import run_commands

        return run_commands(ctx, vivado=bool(ctx.target.part))

    def simulate(self, run: Run, ask: Simulate) -> Report:
        """Run bulk vectors, cocotb and planted faults."""
        from nnlogic.backends.mac.verify import simulate_mac

        return simulate_mac(run, ask)

    def refuse_synth(self, run: Run, target: Target, primitives: bool) -> None:
        """Refuse targets whose slices the chains are not made of."""
        from nnlogic.backends.mac.synth import check_mac

        check_mac(run, target, primitives)

    def synth(self, run: Run, ask: Ask) -> tuple[Report, TargetMissed | None]:
        """Synthesize both cores, count the slices."""
        from nnlogic.backends.mac.synth import synth_mac

        return synth_mac(run, ask)

    def forecast(self, net: QuantNet, target: Target, opts: Options) -> str:
        """Say what the network would take here."""
        from nnlogic.backends.mac.estimate import forecast

        return forecast(net, target, opts)

    def wrote(self, folder: Path) -> bool:
        """Whether a run holds chains."""
        from nnlogic.job.directory import ir_path

        return ir_path(folder, "mac").exists()


BACKEND = MacBackend()
