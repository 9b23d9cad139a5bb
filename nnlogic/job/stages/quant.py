"""The network that came in, compared with what it was read from."""

from __future__ import annotations

from collections.abc import Iterable

from nnlogic.checks.inputs import first_rung
from nnlogic.job.context import Context
from nnlogic.job.ladder import accuracy_rows, prediction_rows, predictions_text
from nnlogic.job.rounding import rounding_rows
from nnlogic.job.rows import save_rows
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
        rung = first_rung(ctx.net)
        first = rung.check(ctx.net, ctx.source, ctx.opts.tool_timeout)
        if isinstance(first, str):
            ctx.report = ctx.report.with_check(1, Check(rung.title, detail=first))
        else:
            yield Comparison(1, rung.title, first)

    def checked(self, ctx: Context) -> Iterable[Row]:
        """Save rows with the outputs of the network, and say how accurate it is."""
        expected = ctx.net.evaluate(ctx.rows.codes)
        save_rows(ctx.rows, expected, ctx.folder / "sim" / "rows.npz")
        if ctx.net.quantities:
            text = predictions_text(ctx.net, ctx.rows, expected)
            (ctx.folder / PREDICTIONS).write_text(text, encoding="utf-8")
            ctx.put(Artifact(PREDICTIONS, "what the network gives for the rows, in their units"))
            ctx.put(*prediction_rows(ctx.net, ctx.rows, expected))
        quantized = accuracy_rows(ctx.net, ctx.rows, "quantized", expected)
        rounded = rounding_rows(ctx.net, ctx.source, ctx.rows, expected)
        return [*(rounded or quantized), *threshold_files(ctx.net, ctx.folder)]
