"""Reports and runs in a line, and as what a notebook shows."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

from helpers_tables import random_net

import nnlogic
from nnlogic.job.directory import Run
from nnlogic.report.model import Report
from nnlogic.report.rows import AccuracyRow, Check, ResourceRow
from nnlogic.report.timing import Timing

HOSTILE = '<script>alert("x")</script>\n\u202e'


def report(name="jets"):
    made = Report(
        name=name, version="1", status="compiled", mode="exact", target="ecp5", backend="lut",
        timing=Timing(latency_cycles=3, fmax_mhz=200.0, fmax_source="estimate"),
        warnings=("output y is constant",),
    )  # fmt: skip
    made = made.put(
        ResourceRow("total", "bound", luts=1404), AccuracyRow("quantized", 100, 93.25, "rows.csv")
    )
    return made.with_check(2, Check("QuantNet = TableNet", "pass", "exhaustive"))


def test_a_report_and_a_run_are_a_line():
    line = "jets: compiled, lut on ecp5, 1,404 LUTs (bound), 1 of 7 rungs pass, 1 warnings"
    assert repr(report()) == f"<Report {line}>"
    assert repr(Run(Path("run"), report())) == f"<Run run: {line}>"
    empty = Report(name="x", version="1")
    assert "LUTs not run" in repr(empty)


def test_stages_are_a_line():
    tables = random_net(1)
    for stage in (tables, nnlogic.build(nnlogic.minimize(tables, effort="fast"))):
        assert len(repr(stage)) < 250
        assert "\n" not in repr(stage)


def test_a_notebook_shows_a_short_table():
    shown = Run(Path("run"), report())._repr_html_()
    for text in ("1,404", "93.25 %", "3 cycles", "exhaustive", "output y is constant", "not run"):
        assert text in shown
    assert len(shown) < 6000
    assert "NaN" not in Report(name="x", version="1")._repr_html_()


def test_text_of_files_stays_text():
    made = report(HOSTILE)
    for shown in (repr(made), made._repr_html_(), Run(Path(HOSTILE), made)._repr_html_()):
        assert "\u202e" not in shown
        assert "\n" not in repr(made)
    tags = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attributes: tags.append(tag)
    parser.feed(made._repr_html_())
    assert "table" in tags
    assert "script" not in tags
