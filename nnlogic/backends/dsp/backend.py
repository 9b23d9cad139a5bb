"""An engine of DSP slices, which runs the network as a program of bitwise operations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from nnlogic.backends.dsp.options import DspOptions
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

PAIRS = 2
"""Inputs of a node that one operation computes."""


class DspBackend(Backend):
    """See `nnlogic.job.backend.Backend`."""

    name = "dsp"
    title = "an engine of DSP slices"
    options = DspOptions
    later: ClassVar[Mapping[str, str]] = {"effort": "design"}

    def prepare(self, ctx: Context) -> None:
        """Refuse targets without slices, and limits that nothing can hold."""
        from nnlogic.backends.dsp.choice import room_of
        from nnlogic.backends.dsp.patches import open_patches, parts_in, patched
        from nnlogic.backends.dsp.rows import RUNGS
        from nnlogic.job.ladder import open_rungs

        assert isinstance(ctx.opts, DspOptions)
        room_of(ctx.target, ctx.opts)
        if patched(ctx):
            ctx.report = open_patches(ctx.report, parts_in(ctx))
        else:
            ctx.report = open_rungs(ctx.report, RUNGS)

    def stages(self, ctx: Context) -> Sequence[Stage]:
        """Return the stages of one program, or of kernels that run at every position of a map."""
        from nnlogic.backends.dsp.patches import PartsStage, PatchStage, patched
        from nnlogic.backends.dsp.stages import RtlStage
        from nnlogic.job.stages import QuantStage

        if patched(ctx):
            return [QuantStage(), PartsStage(), PatchStage(), RtlStage()]
        return self.plain_stages(ctx)

    def plain_stages(self, ctx: Context) -> Sequence[Stage]:
        """Return tables, logic of two-input nodes, operations, program and engine."""
        from nnlogic.backends.dsp.stages import OpsStage, ProgramStage, RtlStage
        from nnlogic.job.stages import QuantStage, SimplifiedStage, TablesStage, logic_stages

        logic = logic_stages(ctx, PAIRS, luts=False)
        return [
            QuantStage(), TablesStage(), SimplifiedStage(), *logic, OpsStage(), ProgramStage(),
            RtlStage(),
        ]  # fmt: skip

    def open_ladder(self, report: Report, net: QuantNet) -> Report:
        """Return the report: its rungs depend on the options, and are there already."""
        return report

    def commands(self, ctx: Context) -> list[Command]:
        """Return how to make, simulate and synthesize the run."""
        from nnlogic.job.commands import run_commands

        return run_commands(ctx, vivado=bool(ctx.target.part))

    def simulate(self, run: Run, ask: Simulate) -> Report:
        """Run cocotb on the engine, and planted faults."""
        from nnlogic.backends.dsp.verify import simulate_engine

        return simulate_engine(run, ask)

    def refuse_synth(self, run: Run, target: Target, primitives: bool) -> None:
        """Refuse targets whose slices the engine is not made of."""
        from nnlogic.backends.dsp.synth import check_engine

        check_engine(run, target, primitives)

    def synth(self, run: Run, ask: Ask) -> tuple[Report, TargetMissed | None]:
        """Synthesize the engine, count and simulate its netlist."""
        from nnlogic.backends.dsp.synth import synth_engine

        return synth_engine(run, ask)

    def forecast(self, net: QuantNet, target: Target, opts: Options) -> str:
        """Say what the network would take here."""
        from nnlogic.backends.dsp.estimate import forecast

        return forecast(net, target, opts)

    def proposals(self, planning: Planning) -> Iterable[Proposal]:
        """Propose the fastest engine within the budgets."""
        from nnlogic.backends.dsp.estimate import proposals

        return proposals(self, planning)

    def wrote(self, folder: Path) -> bool:
        """Whether a run holds a program, or several."""
        from nnlogic.job.directory import ir_path

        return any(ir_path(folder, name).exists() for name in ("program", "kernels"))


BACKEND = DspBackend()
