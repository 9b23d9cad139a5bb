"""Comparisons of a LUT run made again from its files, where what was known is stale."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from nnlogic.checks.verdict import Verdict
from nnlogic.core.progress import Progress
from nnlogic.design.ir import HardwareDesign
from nnlogic.logic.ir import LogicNet
from nnlogic.quant.ir import QuantNet
from nnlogic.report.model import Report
from nnlogic.run import optimized, simplified
from nnlogic.job.directory import Run
from nnlogic.job.ladder import verdict_check
from nnlogic.job.rows import read_saved
from nnlogic.tables.ir import TableNet

Comparison = tuple[int, str, Callable[[], Verdict]]
TIMEOUT = 600.0


def recheck(run: Run, report: Report, progress: Progress) -> Report:
    """Return the report with what was compared before the Verilog, as far as it is not known.

    Checks that passed on the files as they are stay; the others are made again. What is known of
    the checkpoint, and what approximate mode observed, cannot be seen from the run.
    """
    for number, title, compare in _comparisons(run, report.mode == "exact"):
        known = {c.title: c.verdict for c in report.rung(number).checks}
        if known.get(title) != "pass":
            with progress.step(f"check again: {title}"):
                report = report.with_check(number, verdict_check(title, compare()))
            if report.failed:
                break
    return report


def _comparisons(run: Run, exact: bool) -> Iterator[Comparison]:
    from nnlogic.checks import check
    from nnlogic.checks.formal import prove_verilog

    net = QuantNet.load(run.ir_path("quant"))
    tables = TableNet.load(run.ir_path("tables"))
    simple = simplified.load_simplified(run.path)
    logic = LogicNet.load(run.ir_path("logic"))
    design = HardwareDesign.load(run.ir_path("design"))
    if exact:
        yield 2, "QuantNet = TableNet", lambda: check(net, tables)
    if run.ir_path(simplified.STAGE).exists():
        yield 3, simplified.CHECK, lambda: check(tables, simple)
    if run.ir_path(optimized.STAGE).exists():
        assembled = LogicNet.load(run.ir_path(optimized.STAGE))
        yield 3, "TableNet = LogicNet", lambda: check(simple, assembled)
        yield 3, optimized.CHECK, lambda: check(assembled, logic)
    else:
        yield 3, "TableNet = LogicNet", lambda: check(simple, logic)
    rows, _ = read_saved(run.path / "sim" / "rows.npz")
    yield 4, "LogicNet = HardwareDesign", lambda: check(logic, design, codes=rows.codes)
    files = sorted((run.path / "rtl").glob("*.v"))
    title = "LogicNet = Verilog, formally"
    yield 5, title, lambda: prove_verilog(design, files, timeout=TIMEOUT)
