"""Mixed designs: each layer with a backend of its own, connected as a chain of streams."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from nnlogic.backends.chain.options import ChainOptions
from nnlogic.core.errors import UsageError
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


class ChainBackend(Backend):
    """See `nnlogic.job.backend.Backend`."""

    name = "chain"
    title = "a mix, layer by layer"
    options = ChainOptions
    aliases = ("mixed",)

    def prepare(self, ctx: Context) -> None:
        """Refuse a plan that does not fit the network, and engines the target has no room for."""
        from nnlogic.backends.dsp.choice import room_of

        opts = cast(ChainOptions, ctx.opts)
        layers = [layer.name for layer in ctx.net.layers]
        if len(opts.entries) != len(layers):
            raise UsageError(
                "the plan does not fit the network", where="--plan",
                why=f"{len(opts.entries)} entries for {len(layers)} layers: {', '.join(layers)}",
                fix="one entry per layer, lut, dsp or mac, with commas between",
            )  # fmt: skip
        if any(kind == "dsp" for kind, _ in opts.entries):
            room_of(ctx.target, opts)

    def stages(self, ctx: Context) -> Sequence[Stage]:
        """Return the network, its segments, and what connects them."""
        from nnlogic.backends.chain.stages import ChainStage, ConnectStage, SegmentsStage
        from nnlogic.job.stages import QuantStage

        return [QuantStage(), ChainStage(), SegmentsStage(), ConnectStage()]

    def open_ladder(self, report: Report, net: QuantNet) -> Report:
        """Return the report: its rungs depend on the segments, which are not known yet."""
        return report

    def commands(self, ctx: Context) -> list[Command]:
        """Return how to make, simulate and synthesize the run."""
        from nnlogic.job.commands import run_commands

        return run_commands(ctx, vivado=bool(ctx.target.part))

    def simulate(self, run: Run, ask: Simulate) -> Report:
        """Verify the segments, then the chain."""
        from nnlogic.backends.chain.verify import simulate_mixed

        return simulate_mixed(run, ask)

    def refuse_synth(self, run: Run, target: Target, primitives: bool) -> None:
        """Refuse another target than the one the design was made for."""
        from nnlogic.backends.chain.synth import check_mixed

        check_mixed(run, target, primitives)

    def synth(self, run: Run, ask: Ask) -> tuple[Report, TargetMissed | None]:
        """Synthesize the whole, streams and corner turns included."""
        from nnlogic.backends.chain.synth import synth_mixed

        return synth_mixed(run, ask)

    def proposals(self, planning: Planning) -> Iterable[Proposal]:
        """Propose plans with engines for some of the layers."""
        from nnlogic.backends.chain.estimate import proposals

        return proposals(self, planning)

    def saved_options(self, config: Mapping[str, Any], folder: Path) -> Options:
        """Return the options of a run; a plan that runs did not yet record is in the chain."""
        from nnlogic.backends.chain.model.chain import Chain
        from nnlogic.job.directory import ir_path

        if config.get("plan") is None:
            chain = Chain.load(ir_path(folder, "chain"))
            config = {**config, "plan": ",".join(chain.plan)}
        return super().saved_options(config, folder)

    def wrote(self, folder: Path) -> bool:
        """Whether a run holds a chain of segments."""
        from nnlogic.job.directory import ir_path

        return ir_path(folder, "chain").exists()


BACKEND = ChainBackend()
