"""Runs beside each other: which of them no other beats, and what is missing."""

import json
from dataclasses import replace

import pytest

from nnlogic.cli.main import main
from nnlogic.report.comparison import cautions, cells, compared, scatter
from nnlogic.report.model import Report
from nnlogic.report.plots import scatter_file
from nnlogic.report.rows import AccuracyRow, Artifact, Check, Command, ResourceRow


def report(luts, percent, latency, **changes):
    made = Report("net", "0.1.0", status="compiled", target="ecp5", backend="lut")
    made = made.put(ResourceRow("total", "estimate", luts, 10), AccuracyRow("tables", 100, percent))
    made = made.with_timing(latency_ns=latency, levels_per_segment=(3, 5), fmax_source="estimate")
    made = made.with_check(3, Check("TableNet = LogicNet", "pass", "proved"))
    return made.replace(config={"optimize": "none"}, **changes)


def test_runs_that_no_other_beats():
    rows = compared(
        [
            ("small", report(100, 70.0, 9.0)),
            ("good", report(300, 75.0, 9.0)),
            ("bad", report(300, 70.0, 9.0)),
            ("fast", report(300, 70.0, 5.0)),
            ("twin", report(100, 70.0, 9.0)),
        ]
    )
    assert [row.run for row in rows if row.best] == ["small", "good", "fast", "twin"]
    assert {row.depth for row in rows} == {5}
    assert {row.weakest for row in rows} == {"proved"}


def test_what_is_not_known_is_not_compared():
    known, open_ = report(100, 70.0, 9.0), report(50, None, None)
    one, other = compared([("a", known), ("b", open_)])
    assert (one.best, other.best) == (True, True)
    faster = report(50, 80.0, None)
    assert [row.best for row in compared([("a", known), ("b", faster)])] == [False, True]
    assert cells(other)[1] == "not run"
    assert cells(other)[6] == "not run"


def test_next_commands_fill_the_gaps():
    (row,) = compared([("my run", report(100, 70.0, 9.0))])
    assert "nnlogic verify 'my run'" in row.next
    assert "nnlogic synth 'my run'" in row.next
    assert row.next == ("nnlogic verify 'my run'", "nnlogic synth 'my run'")
    made = Command("compile", "nnlogic compile net.pt -o RUN --backend stream --raw uint8")
    (row,) = compared([("r", report(100, 70.0, 9.0).put(made))])
    new = "nnlogic compile net.pt -o NEW --backend stream --raw uint8"
    assert {f"{new} --rows FILE", f"{new} --optimize network"} < set(row.next)
    tables = Artifact("ir/tables.safetensors", "TableNet")
    (row,) = compared([("r", report(100, 70.0, 9.0).put(made, tables))])
    assert row.next[-1] == "nnlogic compile r -o NEW --from logic --optimize network"
    stopped = report(1, 1.0, 1.0, status="stopped")
    stopped = stopped.replace(config={"stop_after": "logic"})
    (row,) = compared([("r", stopped)])
    assert row.next == ("nnlogic compile r -o NEW --from design",)
    (failed,) = compared([("r", report(1, 1.0, 1.0, status="failed"))])
    assert failed.next == ("nnlogic verify r",)


def test_figures_that_cannot_be_compared_are_named():
    one = report(100, 70.0, 9.0)
    other = report(90, 70.0, 9.0, target="xc7").put(
        ResourceRow("total", "synth", 90, 9), AccuracyRow("tables", 50, 70.0)
    )
    said = " ".join(cautions(compared([("a", one), ("b", other)])))
    for words in ("rows: 100, 50", "targets differ", "estimate, synth"):
        assert words in said
    assert cautions(compared([("a", one)])) == []


def test_the_plot_fills_and_names_the_best():
    plot = scatter(compared([("a", report(100, 70.0, 9.0)), ("b", report(200, 60.0, 9.0))]))
    assert [(p.x, p.y, p.filled, p.mark) for p in plot.points] == [
        (100.0, 30.0, True, "a"), (200.0, 40.0, False, ""),
    ]  # fmt: skip
    assert "<svg" in scatter_file(plot)
    perfect = scatter(compared([("a", report(100, 100.0, 9.0))]))
    assert perfect.points[0].y > 0
    assert scatter(compared([("a", Report("x", "0"))])) is None
    bare = scatter(compared([("a", report(100, None, 9.0))]))
    assert bare.y == "latency, ns"


@pytest.fixture
def files(tmp_path):
    for name, luts in (("a", 100), ("b", 200)):
        report(luts, 70.0, 9.0).save(tmp_path / f"{name}.json")
    return tmp_path


def test_the_command(files, capsys, monkeypatch):
    monkeypatch.chdir(files)
    assert main(["compare", "a.json", "b.json", "--plot", "p.svg", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [row["best"] for row in found["runs"]] == [True, False]
    assert (files / "p.svg").read_text().startswith("<svg")
    assert main(["compare", "a.json", "b.json"]) == 0
    out = capsys.readouterr().out
    assert "a.json" in out
    assert "Next" in out
    assert main(["compare", "a.json", "none", "nor.json"]) == 2
    said = capsys.readouterr().err
    assert "none" in said
    assert "nor.json" in said


def test_texts_of_reports_stay_in_their_cells():
    (row,) = compared([("r", report(1, 1.0, 1.0))])
    evil = replace(row, target="\x1b[31m<b>")
    assert "\x1b" not in scatter_file(scatter([replace(evil, run="\x1b<b>&")]))
