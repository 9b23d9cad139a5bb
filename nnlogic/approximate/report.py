"""What an approximate run says about itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from nnlogic.approximate.rows import Split
from nnlogic.approximate.tables import Approximated, LayerChange
from nnlogic.checks.agreement import Agreement, measure
from nnlogic.core.formats import LayerInfo
from nnlogic.job.facts import layer_luts
from nnlogic.logic.ir import LogicNet
from nnlogic.quant.ir import QuantNet
from nnlogic.report.model import TOTAL, Report
from nnlogic.report.rows import ApproximateLayer, ApproximateRows, Approximation, Check
from nnlogic.report.words import drop_of

EXACT_CHECK = "QuantNet = exact tables"
BUDGET_CHECK = "approximate tables within the budget"
RUNG = 2
RUNG_TITLE = "QuantNet ~ TableNet, approximate"


def approximation_of(
    net: QuantNet, done: Approximated, split: Split, budget: float
) -> Approximation:
    """Measure the approximate tables on all rows, with code of its own."""
    rows = [
        (name, part.what, measure(net, done.net, part.codes, part.labels))
        for name, part in split.parts()
    ]
    found = {name: m for name, _, m in rows}
    return Approximation(
        budget=budget,
        held=_within(_drop(found["validation"]), budget),
        held_on_test=_within(_drop(found["test"]), budget),
        measure=done.measure,
        rarity=max((layer.rarity for layer in done.layers), default=0),
        rows=tuple(_row(name, what, m) for name, what, m in rows),
        layers=_layers(done.layers, done.net.layers),
    )


def _within(points: float, budget: float) -> bool:
    return points <= budget + 1e-9


def _drop(found: Agreement) -> float:
    if found.exact is None or found.approximate is None:
        return found.lost
    return found.exact - found.approximate


def _row(name: str, what: str, found: Agreement) -> ApproximateRows:
    def short(value: float | None) -> float | None:
        return None if value is None else round(value, 3)

    return ApproximateRows(
        name,
        found.rows,
        short(found.exact),
        short(found.approximate),
        round(found.lost, 3),
        round(found.same, 3),
        round(found.same_words, 3),
        what,
    )


def _layers(
    changes: Sequence[LayerChange], infos: Sequence[LayerInfo]
) -> tuple[ApproximateLayer, ...]:
    out = [
        ApproximateLayer(
            info.name,
            sum(c.tables for c in mine),
            sum(c.changed for c in mine),
            sum(c.entries for c in mine),
            sum(c.freed for c in mine),
            max((c.rarity for c in mine), default=0),
            sum(c.sampled for c in mine),
        )
        for number, info in enumerate(infos)
        for mine in [[c for c in changes if c.layer == number]]
    ]
    total = ApproximateLayer(
        TOTAL,
        sum(row.tables for row in out),
        sum(row.changed for row in out),
        sum(row.entries for row in out),
        sum(row.freed for row in out),
        max((row.rarity for row in out), default=0),
        sum(row.sampled for row in out),
    )
    return (*out, total)


def with_luts(report: Report, exact: LogicNet | None, logic: LogicNet) -> Report:
    """Return a report whose approximation says how many LUTs were saved, layer by layer."""
    what = report.approximation
    if what is None:
        return report
    before, after = (None if n is None else layer_luts(n) for n in (exact, logic))
    layers = []
    for number, row in enumerate(what.layers):
        old, new = (
            None
            if luts is None
            else (sum(luts.values()) if row.layer == TOTAL else luts.get(number, 0))
            for luts in (before, after)
        )
        layers.append(replace(row, luts_exact=old, luts=new))
    return report.replace(approximation=replace(what, layers=tuple(layers)))


def cuts_text(done: Approximated) -> str:
    """Say how many sums lost their lowest columns, and by how much they are wrong; or nothing."""
    cuts = [cut for layer in done.layers for cut in layer.cuts]
    if not cuts:
        return ""
    least, most = min(cut.least for cut in cuts), max(cut.most for cut in cuts)
    worst = max(cut.rms for cut in cuts)
    return (
        f"; {len(cuts)} sums without their lowest columns, wrong by {least} to {most} at most, "
        f"{worst:.2f} root mean square over all inputs (exact)"
    )


def budget_check(what: Approximation, note: str = "") -> Check:
    """Return the second part of rung 2: never a proof, always a sample; `note` is added."""
    rows = {row.part: row for row in what.rows}
    test, validation = rows["test"], rows["validation"]
    verdict: Literal["pass", "fail"] = "pass" if what.held else "fail"
    detail = (
        f"agreement {test.agreement:.3f} % on test rows that took no part; {what.measure} drop "
        f"{drop_of(validation):.3f} of {what.budget:g} points on {validation.n:,} validation rows"
        f"{note}"
    )
    return Check(BUDGET_CHECK, verdict, f"sampled n={test.n}", detail)


def open_approximate(report: Report) -> Report:
    """Return a report whose second rung claims agreement on samples, not equality."""
    rung = replace(report.rung(RUNG), title=RUNG_TITLE, checks=())
    report = report.put(rung)
    for title in (EXACT_CHECK, BUDGET_CHECK):
        report = report.with_check(RUNG, Check(title))
    return report
