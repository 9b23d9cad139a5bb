"""What backends add to a report is data: the views show it, and `report/` knows no backend."""

import io
import json
import re
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest
from rich.console import Console

from nnlogic.core.errors import CheckpointError
from nnlogic.job.evidence import without_tools
from nnlogic.report import model
from nnlogic.report.codec import to_json
from nnlogic.report.html import render_html
from nnlogic.report.model import Report
from nnlogic.report.plots import scatter_file
from nnlogic.report.sections import (
    Fact,
    PercentBars,
    Scatter,
    ScatterPoint,
    Section,
    TableBlock,
)
from nnlogic.report.terminal import render

FOLDER = Path(model.__file__).parent
SCHEMA = json.loads((FOLDER / "schema.json").read_text())
# "lut" is not here: LUTs are also what hardware is counted in.
BACKENDS = {"dsp", "mac", "mixed", "chain"}
EVIL = '<script>alert("x")</script>\'"&<img src=x onerror=y>\x1b[31m[red]$title'


def backends_named(text):
    """Return the backends a text names, alone or as part of an identifier."""
    parts = re.findall(r"[A-Z]+s?(?![a-z])|[A-Z]?[a-z]+", text)
    return {part.lower().removesuffix("s") for part in parts} & BACKENDS


@pytest.mark.parametrize("path", [p for p in sorted(FOLDER.iterdir()) if p.is_file()], ids=str)
def test_no_view_names_a_backend(path):
    assert backends_named(path.read_text()) == set()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("report.dsp", {"dsp"}),
        ("from x import DspEngine", {"dsp"}),
        ("DSPs and MAC_ROWS", {"dsp", "mac"}),
        ('_section("Mixed design")', {"mixed"}),
        ("def with_chain(): ...", {"chain"}),
        ("machine, unchained, dispatch", set()),
    ],
)
def test_a_name_in_any_dress_is_found(text, found):
    assert backends_named(text) == found


@dataclass(frozen=True)
class Abacus:
    """What a backend from outside the package keeps."""

    rods: int
    beads: tuple[int, ...]
    measured_beads: int | None = None


def abacus_section(word="abacus", data=None):
    return Section(
        "abacus",
        f"{word} frame",
        to_json(data or Abacus(2, (5, 6), 11)),
        (Fact(f"{word} rods", f"2 {word}"), Fact("counted", f"11 {word}", measured=True)),
        (
            TableBlock(f"{word} table", (word, ">beads"), ((word, "5"), ("b", "6")), f"of {word}"),
            TableBlock("as counted", ("rod", ">beads"), ((word, "11"),), "found", measured=True),
        ),
        (
            PercentBars(f"{word} busy", (0.0, 62.5, 100.0)),
            Scatter(
                f"{word} tried", f"{word} x", f"{word} y",
                (
                    ScatterPoint(1, 10, f"{word} one", mark=word, filled=True, ring=word),
                    ScatterPoint(100, 1e6, "two"),
                ),
            ),
            PercentBars("as counted", (50.0,), measured=True),
        ),
    )  # fmt: skip


REPORT = Report("x", "0.1.0").with_section(abacus_section())


def terminal(report):
    console = Console(file=io.StringIO(), width=80)
    render(report, console)
    return console.file.getvalue()


def test_a_backend_reads_its_section_back():
    jsonschema.validate(REPORT.to_json(), SCHEMA)
    again = Report.loads(REPORT.dumps())
    assert again == REPORT
    assert again.section("abacus").read(Abacus) == Abacus(2, (5, 6), 11)
    assert again.section("other") is None


def test_a_section_takes_the_place_of_the_one_before():
    other = Section("other", "Other", {})
    longer = abacus_section(data=Abacus(3, (1, 2, 3)))
    report = REPORT.with_section(other).with_section(longer)
    assert report.sections == (longer, other)


def test_the_terminal_shows_facts_and_tables():
    lines = terminal(REPORT).splitlines()
    start = lines.index("abacus frame")
    assert [line.split() for line in lines[start + 1 : start + 9]] == [
        ["abacus", "rods", "2", "abacus"],
        ["counted", "11", "abacus"],
        ["abacus", "table"],
        ["abacus", "beads"],
        ["abacus", "5"],
        ["b", "6"],
        ["as", "counted"],
        ["rod", "beads"],
    ]
    assert lines.index("Resources") > start


def test_the_page_shows_facts_tables_and_plots():
    page = render_html(REPORT)
    assert '<h2 id="section-0">abacus frame</h2>' in page
    assert "<dt>abacus rods</dt><dd>2 abacus</dd>" in page
    assert '<td class="num">6</td>' in page
    assert "<caption><span>of abacus</span></caption>" in page
    assert 'aria-label="abacus busy: 0, 62, 100"' in page
    assert 'aria-label="abacus tried: abacus one; two"' in page
    assert page.count("<circle") == 3 + 2 * len(REPORT.ladder)


def elements(page):
    """The elements and attributes that a browser sees; ``<`` inside quotes begins none."""
    tags, names = [], set()

    def seen(tag, attributes):
        tags.append(tag)
        names.update(name for name, _ in attributes)

    parser = HTMLParser()
    parser.handle_starttag = seen
    parser.feed(page)
    return tags, names


def test_hostile_sections_are_text():
    report = Report("x", "0").with_section(replace(abacus_section(EVIL), name=EVIL, data={EVIL: 1}))
    report = report.with_section(Section("bare", EVIL, {EVIL: EVIL}))
    report = Report.loads(report.dumps())
    page = render_html(report)
    tags, attributes = elements(page)
    assert tags.count("script") == 1
    assert "img" not in tags
    assert "&lt;img" in page
    assert "\x1b" not in page
    assert not [name for name in attributes if name.startswith("on")]
    text = terminal(report)
    assert "\x1b" not in text
    assert "[red]" in text
    root = ElementTree.fromstring(scatter_file(abacus_section(EVIL).plots[1]))
    assert {e.tag.split("}")[1] for e in root.iter()} == {"svg", "title", "path", "text", "circle"}


def test_a_plot_in_a_file_stands_alone():
    text = scatter_file(abacus_section().plots[1])
    assert text.startswith("<svg ")
    assert 'xmlns="http://www.w3.org/2000/svg"' in text
    circles = re.findall(r'cx="(\S+)" cy="(\S+)" r="4"', text)
    [(x0, y0), (x1, y1)] = [(float(x), float(y)) for x, y in circles]
    assert (x1 - x0, y0 - y1) == (640 - 2 * 56, 360 - 2 * 56)
    assert scatter_file(Scatter("none", "x", "y", ())).count("<circle") == 0


def test_figures_of_tools_are_forgotten():
    found = without_tools(REPORT).section("abacus")
    assert found.read(Abacus) == Abacus(2, (5, 6), None)
    assert found.facts == (REPORT.sections[0].facts[0], Fact("counted", "not run", measured=True))
    assert [len(table.rows) for table in found.tables] == [2, 0]
    assert found.plots == REPORT.sections[0].plots[:2]
    report = REPORT.with_section(found)
    assert "11" not in terminal(report).split("Resources")[0]
    assert '<p class="missing">not run</p>' in render_html(report)


def test_sections_of_earlier_files_are_fields_of_the_report():
    data = REPORT.to_json()
    del data["sections"]
    data |= {"abacus": to_json(Abacus(2, (5, 6))), "sundial": None}
    report = Report.loads(json.dumps(data))
    assert report.sections == (Section("abacus", "abacus", to_json(Abacus(2, (5, 6)))),)
    assert report.section("abacus").read(Abacus).rods == 2
    text = terminal(report)
    assert re.search(r"^abacus\nrods +2\n", re.sub(" +\n", "\n", text), re.MULTILINE)
    assert re.search(r"^measured +not run *\nbeads", text, re.MULTILINE)
    assert "<dt>rods</dt><dd>2</dd>" in render_html(report)
    with pytest.raises(CheckpointError, match="section abacus"):
        replace(report.sections[0], data={"rods": 1}).read(Abacus)
    for spoil in ({"extra": 1}, {"extra": {}, "sections": []}):
        with pytest.raises(CheckpointError, match=r"unknown .*\bextra"):
            Report.loads(json.dumps(data | spoil))


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda s: s["plots"][0].update(kind="pie"), "'percent bars', 'scatter'"),
        (lambda s: s["plots"][0].update(kind=["scatter"]), "'percent bars', 'scatter'"),
        (lambda s: s["plots"][0].pop("kind"), "'percent bars', 'scatter'"),
        (lambda s: s["plots"].append(3), "expected an object"),
        (lambda s: s["plots"][0].update(svg="<svg/>"), "unknown svg"),
        (lambda s: s["facts"][0].update(text=None), "text"),
        (lambda s: s.update(data=[]), "data"),
    ],
)
def test_schema_and_loader_refuse_spoiled_sections(spoil, why):
    data = REPORT.to_json()
    spoil(data["sections"][0])
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, SCHEMA)
    with pytest.raises(CheckpointError) as caught:
        Report.loads(json.dumps(data))
    assert why in caught.value.why


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda s: s["plots"][0].update(values=[101]), "value 101"),
        (lambda s: s["plots"][0].update(values=[float("nan")]), "a finite number"),
        (lambda s: s["plots"][1]["points"][0].update(x=0), "logarithmic"),
        (lambda s: s["plots"][1]["points"][0].update(y=float("inf")), "a finite number"),
        (lambda s: s["tables"][0]["rows"][1].append("7"), "row 1 has 3 cells"),
        (lambda s: s["tables"][0].update(columns=[">a", ">b"]), "no column of text"),
    ],
)
def test_what_no_view_can_show_is_refused(spoil, why):
    data = REPORT.to_json()
    spoil(data["sections"][0])
    with pytest.raises(CheckpointError) as caught:
        Report.loads(json.dumps(data))
    assert why in caught.value.why
