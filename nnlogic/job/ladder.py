"""Verdicts and accuracies as rows of the report."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import fields

from nnlogic.checks.inputs import first_rung
from nnlogic.checks.verdict import Verdict
from nnlogic.core.formats import IntArray
from nnlogic.core.inert import visible
from nnlogic.job.rows import Rows, accuracy
from nnlogic.quant.ir import QuantNet
from nnlogic.quant.quantity import error_figures
from nnlogic.report.classes import ClassRow, class_rows
from nnlogic.report.model import Report
from nnlogic.report.quantities import ErrorRow, PredictionRow
from nnlogic.report.rows import AccuracyRow, Check, Rung

Rungs = Mapping[int, tuple[str, Sequence[str]]]
"""By number: the title of a rung, and its parts."""
# Rung 1 is what the format of the input says; rungs 0 and 4 to 6 are the backend's. A rung passes
# only when all of it has run and passed.
NO_LABELS = "no labelled rows given (--rows)"
NO_CLASS = "rows are labelled, but no output of the network names a class"
SHOWN = 10
"""Rows whose predictions stand in the report itself."""
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


def accuracy_rows(
    net: QuantNet, rows: Rows, stage: str, outputs: IntArray
) -> list[AccuracyRow] | list[ErrorRow]:
    """Return the accuracy of a stage on the run's rows, or the error of each quantity."""
    if net.quantities:
        return _error_rows(net, rows, stage, outputs)
    return [accuracy_row(net, rows, stage, outputs)]


def accuracy_row(net: QuantNet, rows: Rows, stage: str, outputs: IntArray) -> AccuracyRow:
    """Return the accuracy of a stage on the run's rows."""
    percent = accuracy(outputs, rows.labels, net.class_output)
    if percent is None:
        why = NO_LABELS if rows.labels is None else NO_CLASS
        return AccuracyRow(stage, detail=why)
    return AccuracyRow(stage, len(rows.codes), round(percent, 3), rows.what)


def class_facts(net: QuantNet, rows: Rows, outputs: IntArray) -> list[ClassRow]:
    """Return how the labelled rows of each class are taken; nothing without labels or classes."""
    column = net.class_output
    if rows.labels is None or column is None:
        return []
    return class_rows(outputs[:, column], rows.labels, net.info.get("class_names", ()))


def _error_rows(net: QuantNet, rows: Rows, stage: str, outputs: IntArray) -> list[ErrorRow]:
    if rows.labels is None:
        return [ErrorRow(stage, q.name, detail=NO_LABELS) for q in net.quantities]
    columns = zip(net.quantities, net.decode(outputs).T, rows.labels.T, strict=True)
    return [
        ErrorRow(stage, q.name, len(found), **error_figures(found, wanted), detail=rows.what)
        for q, found, wanted in columns
    ]


def recorded_accuracy(net: QuantNet) -> list[AccuracyRow] | list[ErrorRow]:
    """Return what training recorded in the checkpoint, on its whole test split."""
    data = net.info.get("dataset", {})
    data = {"name": data} if isinstance(data, str) else data
    where = f"test split of {data.get('name', 'the data set')}, recorded by training"
    if net.quantities:
        return _recorded_errors(net, data.get("test_rows"), where)
    recorded = net.info.get("accuracy", {})
    if recorded.get("float") is None:
        return [AccuracyRow("float", detail="not recorded in the checkpoint")]
    rows = [AccuracyRow("float", data.get("test_rows"), round(100 * recorded["float"], 3), where)]
    if recorded.get("quantized") is not None:
        percent = round(100 * recorded["quantized"], 3)
        rows.append(AccuracyRow("quantized torch", data.get("test_rows"), percent, where))
    return rows


def _recorded_errors(net: QuantNet, count: int | None, where: str) -> list[ErrorRow]:
    recorded, known = net.info.get("error", {}), {f.name for f in fields(ErrorRow)}
    out = []
    for part, stage in (("float", "float"), ("quantized", "quantized torch")):
        errors = recorded.get(part, {})
        for q in net.quantities:
            figures = {k: v for k, v in errors.get(q.name, {}).items() if k in known}
            if figures:
                out.append(ErrorRow(stage, q.name, count, **figures, detail=where))
    return out


def prediction_rows(net: QuantNet, rows: Rows, outputs: IntArray) -> list[PredictionRow]:
    """Return what the network gives for the first rows, in the units of the user."""
    found, places = net.decode(outputs), [p.name for p in net.outputs]
    return [
        PredictionRow(
            i, q.name, int(outputs[i, places.index(q.port)]), float(found[i, k]),
            None if rows.labels is None else float(rows.labels[i, k]),
        )
        for i in range(min(SHOWN, len(found)))
        for k, q in enumerate(net.quantities)
    ]  # fmt: skip


def predictions_text(net: QuantNet, rows: Rows, outputs: IntArray) -> str:
    """Return what the network gives for all rows as CSV: codes, quantities, and labels if known."""
    names = [q.name for q in net.quantities]
    head = [*(f"code {n}" for n in names), *names]
    places = [p.name for p in net.outputs]
    codes = outputs[:, [places.index(q.port) for q in net.quantities]]
    columns = [*codes.T.tolist(), *net.decode(outputs).T.tolist()]
    if rows.labels is not None:
        head += [f"wanted {n}" for n in names]
        columns += rows.labels.T.tolist()
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([visible(word) for word in head])
    writer.writerows(zip(*columns, strict=True))
    return text.getvalue()
