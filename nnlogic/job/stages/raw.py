"""The input quantizer as part of the core: the network as it came in, then on raw words."""

from __future__ import annotations

from collections.abc import Iterable

from nnlogic.checks.encoder import check_encoder
from nnlogic.core.errors import UsageError
from nnlogic.job.context import Context
from nnlogic.job.ladder import accuracy_rows
from nnlogic.job.source import CODED
from nnlogic.job.stage import Comparison, Stage
from nnlogic.job.stages.quant import QuantStage, first_rung_of, measured, saved_rows
from nnlogic.job.thresholds import threshold_files
from nnlogic.quant.encoder import lost_thresholds
from nnlogic.quant.ir import QuantNet
from nnlogic.report.model import Row

ENCODER_CHECK = "input quantizer = encoder"


class CodedStage(Stage):
    """Save the network that came in, which reads codes."""

    name = CODED
    group = "quant"
    kind = QuantNet

    def make(self, ctx: Context) -> QuantNet:
        """Return the network that came in."""
        if ctx.coded is None:
            raise ValueError("the backend took the network as it came in")
        return ctx.coded

    def checks(self, ctx: Context) -> Iterable[Comparison]:
        """Compare with the model."""
        return first_rung_of(ctx, ctx.values[self.name])

    def checked(self, ctx: Context) -> Iterable[Row]:
        """Say how accurate it is on rows as they were given, and what words cannot tell apart."""
        net, rows = ctx.values[self.name], ctx.coded_rows
        lost = lost_thresholds(net, ctx.net.raw)
        ctx.report = ctx.report.replace(warnings=(*ctx.report.warnings, *lost))
        found = [] if rows is None else measured(ctx, net, rows, net.evaluate(rows.codes))
        return [*found, *threshold_files(net, ctx.folder)]


class RawStage(QuantStage):
    """Save the network that reads raw words, and the rows it is measured on."""

    before = CODED

    def checks(self, ctx: Context) -> Iterable[Comparison]:
        """Compare the comparators with the quantizer."""
        coded, raw = ctx.values[CODED], ctx.values[self.name]
        yield Comparison(2, ENCODER_CHECK, lambda: check_encoder(coded, raw))

    def checked(self, ctx: Context) -> Iterable[Row]:
        """Save rows with the outputs of the network, and say how accurate words are."""
        return accuracy_rows(ctx.net, ctx.rows, "raw words", saved_rows(ctx))


def stages_of(ctx: Context) -> list[Stage]:
    """Return the stages of a run's backend, which begin with both networks on raw words.

    Raises
    ------
    UsageError
        Raw words, and a backend that does not begin with its network.
    """
    stages = list(ctx.backend.stages(ctx))
    if ctx.opts.raw is None:
        return stages
    if not isinstance(stages[0], QuantStage):
        raise UsageError(
            f"the {ctx.backend.name} backend does not read raw words", where="--raw",
            why="it does not begin with the network", fix="leave it out, or another --backend",
        )  # fmt: skip
    return [CodedStage(), RawStage(), *stages[1:]]
