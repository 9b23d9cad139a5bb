"""Neurons as truth tables, and these simplified by what can never happen."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from nnlogic.approximate.report import EXACT_CHECK
from nnlogic.checks import check
from nnlogic.core.errors import UnsupportedModel
from nnlogic.core.passes import PassRecord
from nnlogic.job import facts
from nnlogic.job.context import Context
from nnlogic.job.directory import ir_path
from nnlogic.job.ladder import accuracy_rows, class_facts
from nnlogic.job.rows import save_rows
from nnlogic.job.stage import Comparison, Stage
from nnlogic.report.model import Row
from nnlogic.report.rows import StepRow
from nnlogic.tables.build import tabulate
from nnlogic.tables.ir import TableNet
from nnlogic.tables.passes import simplify

SIMPLIFIED = "simplified"


class TablesStage(Stage):
    """Enumerate the neurons; in approximate mode, free what data never show."""

    name = group = "tables"
    kind = TableNet
    before = "quant"

    def make(self, ctx: Context) -> TableNet:
        """Return the tables of the context's network."""
        try:
            return self._tables(ctx)
        except UnsupportedModel as error:
            raise error.at(f"{ctx.source.name}, network {error.where}") from error

    def _tables(self, ctx: Context) -> TableNet:
        limit, arith, unroll = ctx.opts.table_limit, ctx.opts.arith, ctx.opts.unroll_limit
        if not ctx.approximate.on:
            return tabulate(ctx.net, limit=limit, arith=arith, unroll=unroll, progress=ctx.progress)
        # Neurons too wide for a table are exact as arithmetic, until the search replaces them.
        exact = tabulate(ctx.net, limit=limit, arith="auto", unroll=unroll, progress=ctx.progress)
        ctx.check(2, EXACT_CHECK, lambda: check(ctx.net, exact))
        return ctx.approximate.tables(exact, ctx.progress)

    def facts(self, ctx: Context) -> Iterable[Row]:
        """Return tables and bounds by layer; in approximate mode also what was freed."""
        tables: TableNet = ctx.values[self.name]
        rows = facts.funnel_facts(tables, None, ctx.target.lut_size)
        if ctx.approximate.on:
            ctx.report = ctx.approximate.reported(ctx.report)
            save_rows(ctx.rows, tables.evaluate(ctx.rows.codes), ctx.folder / "sim" / "rows.npz")
        return rows

    def checks(self, ctx: Context) -> Iterable[Comparison]:
        """Compare with the network, in exact mode."""
        if not ctx.approximate.on:
            net, tables = ctx.net, ctx.values[self.name]
            yield Comparison(2, "QuantNet = TableNet", lambda: check(net, tables))

    def checked(self, ctx: Context) -> Iterable[Row]:
        """Say how accurate the tables are."""
        outputs = ctx.values[self.name].evaluate(ctx.rows.codes)
        ctx.put(*class_facts(ctx.net, ctx.rows, outputs))
        return accuracy_rows(ctx.net, ctx.rows, self.name, outputs)


class SimplifiedStage(Stage):
    """Tables without inputs, entries and codes that no input of the network reaches."""

    name = SIMPLIFIED
    group = "logic"
    kind = TableNet
    before = "tables"

    def make(self, ctx: Context) -> TableNet:
        """Return simplified tables; the same object where nothing could be derived."""
        opts = ctx.opts
        net, records = simplify(
            ctx.values["tables"],
            effort=opts.effort,
            timeout=opts.tool_timeout,
            progress=ctx.progress,
        )
        if net is not ctx.values["tables"]:
            ctx.put(*(_row(r) for r in records if r.changed or ":" in r.name))
        return net

    def checks(self, ctx: Context) -> Iterable[Comparison]:
        """Compare with the tables as enumerated."""
        tables, simple = ctx.values["tables"], ctx.values[self.name]
        if simple is not tables:
            title = "TableNet = simplified TableNet"
            yield Comparison(3, title, lambda: check(tables, simple))

    def load(self, ctx: Context, folder: Path) -> TableNet:
        """Return the tables the logic of a run was made from."""
        found = super().load(ctx, folder)
        return ctx.values["tables"] if found is None else found


def load_simplified(folder: Path) -> TableNet:
    """Return the tables the logic of a run was made from."""
    path = ir_path(folder, SIMPLIFIED)
    return TableNet.load(path if path.exists() else ir_path(folder, "tables"))


def _row(record: PassRecord) -> StepRow:
    seconds = round(record.seconds, 3)
    return StepRow(record.name, seconds, dict(record.before), dict(record.after))
