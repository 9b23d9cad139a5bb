"""What approximate mode adds to a compile run."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from nnlogic.approximate.report import (
    RUNG,
    approximation_of,
    budget_check,
    cuts_text,
    open_approximate,
    with_luts,
)
from nnlogic.approximate.rows import Split, split_rows
from nnlogic.approximate.tables import Approximated, approximate
from nnlogic.core.errors import UsageError
from nnlogic.core.progress import SILENT, Progress
from nnlogic.job.directory import open_run
from nnlogic.job.options import Options
from nnlogic.job.rows import Rows, read_saved
from nnlogic.logic.ir import LogicNet
from nnlogic.logic.portfolio import SolveOptions as Ask
from nnlogic.quant.ir import QuantNet
from nnlogic.report.model import Report
from nnlogic.tables.ir import TableNet, Threshold


@dataclass(eq=False)
class ApproximateRun:
    """State of approximate mode; does nothing in exact mode.

    Attributes
    ----------
    net : QuantNet
    opts : Options
    k : int
        LUT size.
    source : Path
        Checkpoint, or the run to go on from.
    rows : Rows or None
        The test rows, which the whole run is measured and simulated on.
    """

    net: QuantNet
    opts: Options
    k: int
    source: Path
    rows: Rows | None = None
    split: Split | None = None
    previous: Report | None = None
    exact: TableNet | None = None
    done: Approximated | None = field(default=None, repr=False)

    def begin(self) -> ApproximateRun:
        """Read the rows, or what the run that is gone on from found; return itself."""
        opts = self.opts
        if opts.start_from is not None and not opts.makes_tables:
            self._go_on()
        elif self.on and opts.rows is not None:
            self.split = split_rows(
                self.net, opts.rows, opts.validation_rows, opts.test_rows, opts.label
            )
            self.rows = replace(self.split.test, data=self.split.data)
        return self

    @property
    def on(self) -> bool:
        """Whether the run is in approximate mode."""
        return self.opts.mode == "approximate"

    def _go_on(self) -> None:
        """Take over what an earlier run found out about its tables."""
        previous = open_run(self.source).report
        if previous.mode != self.opts.mode:
            raise UsageError(
                f"the tables of this run were made in {previous.mode} mode",
                where=str(self.source),
                why=f"this run asks for {self.opts.mode} mode",
                fix=f"--mode {previous.mode}, or --from tables",
            )
        if self.on:
            self.previous = previous
            if self.opts.rows is None:
                self.rows, _ = read_saved(self.source / "sim" / "rows.npz")

    def opened(self, report: Report) -> Report:
        """Return a report whose rung 2 does not claim equality."""
        return open_approximate(report) if self.on else report

    def tables(self, exact: TableNet, progress: Progress = SILENT) -> TableNet:
        """Approximate exact tables."""
        if self.split is None:
            raise ValueError("no rows to observe")
        # Candidates only have to be filled and compared; the ones chosen are minimized later.
        ask = Ask(self.k, "fast", timeout=min(60.0, self.opts.tool_timeout))
        self.exact = exact
        self.done = approximate(
            exact,
            self.split,
            ask,
            budget=self.opts.budget,
            rarity=self.opts.rarity,
            arith=self.opts.arith,
            columns=self.opts.cut_columns or 0,
            jobs=self.opts.jobs,
            progress=progress,
        )
        return self.done.net

    def reported(self, report: Report) -> Report:
        """Return a report with what the tables cost and whether the budget was held."""
        if self.done is None or self.split is None:
            if self.previous is None:
                return report
            report = report.put(self.previous.rung(RUNG))
            return report.replace(approximation=self.previous.approximation)
        what = approximation_of(self.net, self.done, self.split, self.opts.budget)
        return report.replace(approximation=what).with_check(
            RUNG, budget_check(what, cuts_text(self.done))
        )

    def with_luts(self, report: Report, logic: LogicNet, progress: Progress = SILENT) -> Report:
        """Return a report with LUTs before and after.

        Where neurons are too wide for a table, the exact network is not built only to count it.
        """
        exact = None
        if self.exact is not None and not _has_wide(self.exact):
            exact = self._exact_logic(self.exact, progress)
        return with_luts(report, exact, logic)

    def _exact_logic(self, exact: TableNet, progress: Progress) -> LogicNet:
        """Minimize the exact tables in the same way as the approximate ones."""
        from nnlogic.logic.build import minimize
        from nnlogic.tables.passes import simplify

        opts = self.opts
        simple, _ = simplify(
            exact, effort=opts.effort, timeout=opts.tool_timeout, progress=progress
        )
        logic = minimize(
            simple,
            k=self.k,
            effort=opts.effort,
            objective=opts.objective,
            jobs=opts.jobs,
            timeout=min(60.0, opts.tool_timeout),
            progress=progress,
        )
        from nnlogic.job.stages.logic import optimized

        return optimized(logic, opts, progress)


def _has_wide(tables: TableNet) -> bool:
    return any(isinstance(block, Threshold) for block in tables.blocks)
