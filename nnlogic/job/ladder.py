"""Verdicts and accuracies as rows of the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nnlogic.checks.inputs import first_rung
from nnlogic.checks.verdict import Verdict
from nnlogic.core.formats import IntArray
from nnlogic.job.rows import Rows, accuracy, class_column
from nnlogic.quant.ir import QuantNet
from nnlogic.report.model import Report
from nnlogic.report.rows import AccuracyRow, Check, Rung

Rungs = Mapping[int, tuple[str, Sequence[str]]]
"""By number: the title of a rung, and its parts."""
# Rung 1 is what the format of the input says; rungs 0 and 4 to 6 are the backend's. A rung passes
# only when all of it has run and passed.
PARTS = {2: "QuantNet = TableNet", 3: "TableNet = LogicNet"}


def open_ladder(report: Report, net: QuantNet) -> Report:
    """Return a report whose first rungs list all their parts as not run."""
    for number, title in {1: first_rung(net).title, **PARTS}.items():
        report = report.with_check(number, Check(title))
    return report


def open_rungs(report: Report, rungs: Rungs) -> Report:
    """Return a report with rungs of a backend, not run."""
    for number, (title, parts) in rungs.items():
        report = report.put(Rung(number, title))
        for part in parts:
            report = report.with_check(number, Check(part))
    return report


def verdict_check(title: str, verdict: Verdict) -> Check:
    """Return a verdict as a part of a rung."""
    detail = "; ".join(t for t in (verdict.where, verdict.detail) if t)
    word = "pass" if verdict.equal else "fail"
    return Check(title, word, verdict.how, detail, round(verdict.seconds, 3))  # type: ignore[arg-type]


def accuracy_rows(net: QuantNet, rows: Rows, stage: str, outputs: IntArray) -> list[AccuracyRow]:
    """Return the accuracy of a stage on the run's rows."""
    names = tuple(p.name for p in net.outputs)
    percent = accuracy(outputs, rows.labels, class_column(names))
    if percent is None:
        return [AccuracyRow(stage, detail="no labelled rows given (--rows)")]
    return [AccuracyRow(stage, len(rows.codes), round(percent, 3), rows.what)]


def recorded_accuracy(net: QuantNet) -> list[AccuracyRow]:
    """Return the accuracies training recorded in the checkpoint, on its whole test split."""
    recorded = net.info.get("accuracy", {})
    data = net.info.get("dataset", {})
    data = {"name": data} if isinstance(data, str) else data
    where = f"test split of {data.get('name', 'the data set')}, recorded by training"
    if recorded.get("float") is None:
        return [AccuracyRow("float", detail="not recorded in the checkpoint")]
    rows = [AccuracyRow("float", data.get("test_rows"), round(100 * recorded["float"], 3), where)]
    if recorded.get("quantized") is not None:
        percent = round(100 * recorded["quantized"], 3)
        rows.append(AccuracyRow("quantized torch", data.get("test_rows"), percent, where))
    return rows
