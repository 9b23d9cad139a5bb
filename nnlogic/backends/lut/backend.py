"""LUTs: a feed-forward pipeline with one result per clock."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, cast

from nnlogic.backends.lut.options import LutOptions
from nnlogic.job.backend import Backend, Simulate

if TYPE_CHECKING:
    from nnlogic.core.errors import TargetMissed
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


class LutBackend(Backend):
    """See `nnlogic.job.backend.Backend`."""

    name = "lut"
    title = "LUTs"
    options = LutOptions

    def prepare(self, ctx: Context) -> None:
        """Turn a clock into LUT levels between registers; refuse budgets far out of reach."""
        from nnlogic.design.build import BALANCED

        ctx.schedule = ctx.opts.levels_per_stage or BALANCED
        if ctx.opts.clock is not None:
            ctx.schedule = ctx.target.levels_for(ctx.opts.clock)
        opts = cast("LutOptions", ctx.opts)
        if opts.max_luts is not None or opts.samples_per_second is not None:
            from nnlogic.backends.lut.estimate import refuse_hopeless

            refuse_hopeless(ctx.net, ctx.target, opts)

    def stages(self, ctx: Context) -> Sequence[Stage]:
        """Return tables, logic, pipeline and Verilog."""
        from nnlogic.backends.lut.stages import DesignStage, PortsStage, RtlStage
        from nnlogic.job.stages import (
            QuantStage,
            SimplifiedStage,
            TablesStage,
            logic_stages,
        )

        logic = logic_stages(ctx, ctx.target.lut_size)
        if cast("LutOptions", ctx.opts).drop_unused:
            logic.append(PortsStage())
        return [
            QuantStage(), TablesStage(), SimplifiedStage(), *logic, DesignStage(), RtlStage(),
        ]  # fmt: skip

    def open_ladder(self, report: Report, net: QuantNet) -> Report:
        """Return a report with rungs 0 and 4 to 6 of a pipeline."""
        from nnlogic.backends.lut.rows import RUNGS
        from nnlogic.job.ladder import open_rungs

        return open_rungs(report, RUNGS)

    def commands(self, ctx: Context) -> list[Command]:
        """Return how to make, simulate and synthesize the run."""
        from nnlogic.job.commands import run_commands

        return run_commands(ctx, bench=True)

    def simulate(self, run: Run, ask: Simulate) -> Report:
        """Run bulk vectors, cocotb and planted faults."""
        from nnlogic.backends.lut.verify import simulate

        return simulate(run, ask)

    def keeps_luts(self, run: Run, target: Target) -> bool:
        """Whether a LUT of the network fits one of the target."""
        from nnlogic.backends.lut.synth import fits_cells

        return fits_cells(run.ir_path("design"), target)

    def synth(self, run: Run, ask: Ask) -> tuple[Report, TargetMissed | None]:
        """Synthesize the core, prove its netlist, place and route it."""
        from nnlogic.backends.lut.synth import synth

        return synth(run, ask)

    def forecast(self, net: QuantNet, target: Target, opts: Options) -> str:
        """Say what the network would take here."""
        from nnlogic.backends.lut.estimate import forecast

        return forecast(net, target, opts)

    def proposals(self, planning: Planning) -> Iterable[Proposal]:
        """Propose the pipeline, as estimated."""
        from nnlogic.backends.lut.estimate import proposal

        return [proposal(self, planning)]


BACKEND = LutBackend()
