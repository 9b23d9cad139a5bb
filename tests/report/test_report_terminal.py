import io
import os
from pathlib import Path

import pytest
from rich.console import Console

from nnlogic.report.model import Report
from nnlogic.report.rows import Check, FunnelRow, LayerRow, Network, ResourceRow
from nnlogic.report.terminal import render

GOLDEN = Path(__file__).parent / "golden"


def rendered(report, width=80, **options):
    console = Console(file=io.StringIO(), width=width, **options)
    render(report, console)
    return console.file.getvalue()


def plain(text):
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


@pytest.mark.parametrize("name", ["full", "empty"])
def test_golden_text(full_report, name):
    report = full_report if name == "full" else Report("empty", "0.1.0")
    text = plain(rendered(report))
    file = GOLDEN / f"{name}.txt"
    if os.environ.get("NNLOGIC_GOLDEN"):
        file.write_text(text)
    assert text == file.read_text()


def test_fits_80_columns(full_report):
    assert max(map(len, rendered(full_report).splitlines())) <= 80


def test_no_color_and_no_terminal_mean_no_escape_codes(full_report, monkeypatch):
    assert "\x1b[" not in rendered(full_report)
    assert "\x1b[32m" in rendered(full_report, force_terminal=True, color_system="standard")
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[3" not in rendered(full_report, force_terminal=True)


def test_missing_numbers_are_not_run_and_never_zero():
    text = rendered(Report("x", "0.1.0").put(FunnelRow("fc1"), ResourceRow("total", "synth")))
    for word in ("Resources", "Accuracy", "latency", "Fmax", "network", "fc1"):
        line = next(part for part in text.split("\n") if part.startswith(word))
        block = text[text.index(line) :].split("\n")
        assert "not run" in " ".join(block[:3]), word
    assert " 0 " not in text.split("Verification")[0].replace("0.1.0", "")
    assert text.count("not run") >= 7 + 5 + 3


def test_a_failure_shows_what_differs(full_report):
    text = rendered(full_report)
    assert "y_class[0] differs" in text
    assert "fail" in text


def test_hostile_names_reach_the_terminal_as_text():
    report = Report("[red]x[/red]\x1b[2J", "0.1.0").put(FunnelRow("[bold]\x1b]0;title\x07"))
    report = report.with_check(1, Check("[/nonsense]", "fail", "how\x1b[31m"))
    report = report.with_check(1, Check("[blink]other"))
    report = report.replace(network=Network(layers=(LayerRow("a", "network", 1),), encoder="[/]"))
    text = rendered(report)
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "[red]x[/red]" in text
    assert "[/nonsense]" in text
