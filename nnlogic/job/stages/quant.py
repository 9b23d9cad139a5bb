"""The network that came in, compared with what it was read from."""

from __future__ import annotations

from collections.abc import Iterable

from nnlogic.checks.inputs import first_rung
from nnlogic.core.formats import IntArray
from nnlogic.job.context import Context
from nnlogic.job.ladder import accuracy_rows, class_facts, prediction_rows, predictions_text
from nnlogic.job.rounding import rounding_rows
from nnlogic.job.rows import Rows, save_rows
from nnlogic.job.stage import Comparison, Stage
from nnlogic.job.thresholds import threshold_files
from nnlogic.quant.ir import QuantNet
from nnlogic.report.model import Row
from nnlogic.report.rows import Artifact, Check

PREDICTIONS = "predictions.csv"


class QuantStage(Stage):
    """Save the network and the rows it is measured on."""

    name = group = "quant"
    kind = QuantNet

    def make(self, ctx: Context) -> QuantNet:
        """Return the network of the context."""
        return ctx.net

    def checks(self, ctx: Context) -> Iterable[Comparison]:
        """Compare with the model, where the format it came in has something to compare with."""
        return first_rung_of(ctx, ctx.net)

    def checked(self, ctx: Context) -> Iterable[Row]:
        """Save rows with the outputs of the network, and say how accurate it is."""
        expected = saved_rows(ctx)
        return [*measured(ctx, ctx.net, ctx.rows, expected), *threshold_files(ctx.net, ctx.folder)]


def first_rung_of(ctx: Context, net: QuantNet) -> Iterable[Comparison]:
    """Yield the comparison of a network with what it was read from, or report why there is none."""
    rung = first_rung(net)
    first = rung.check(net, ctx.source, ctx.opts.tool_timeout)
    if isinstance(first, str):
        ctx.report = ctx.report.with_check(1, Check(rung.title, detail=first))
    else:
        yield Comparison(1, rung.title, first)


def measured(ctx: Context, net: QuantNet, rows: Rows, outputs: IntArray) -> Iterable[Row]:
    """Return how accurate a network is on rows, and what reading it cost."""
    quantized = accuracy_rows(net, rows, "quantized", outputs)
    return rounding_rows(net, ctx.source, rows, outputs) or quantized


def saved_rows(ctx: Context) -> IntArray:
    """Save the rows of a run with the outputs of its network, and return these."""
    expected = ctx.net.evaluate(ctx.rows.codes)
    save_rows(ctx.rows, expected, ctx.folder / "sim" / "rows.npz")
    ctx.put(*class_facts(ctx.net, ctx.rows, expected))
    if ctx.net.quantities:
        text = predictions_text(ctx.net, ctx.rows, expected)
        (ctx.folder / PREDICTIONS).write_text(text, encoding="utf-8")
        ctx.put(Artifact(PREDICTIONS, "what the network gives for the rows, in their units"))
        ctx.put(*prediction_rows(ctx.net, ctx.rows, expected))
    return expected
