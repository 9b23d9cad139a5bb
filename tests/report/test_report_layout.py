"""The page on a narrow screen, by its rules; benchmarks/report_screens.py looks with a browser."""

import re
from importlib.resources import files

import numpy as np
import pytest
from test_report_html import Page

from nnlogic.report import plots
from nnlogic.report.classes import class_rows
from nnlogic.report.hardware import DeviceRow, PinRow
from nnlogic.report.html import LISTED, render_html

STYLE = files("nnlogic.report").joinpath("style.css").read_text()
PHONE = 400
LEAST_PX = 10


def narrow():
    """The rules for narrow screens."""
    found = re.search(r"@media \(max-width: 40rem\) \{\n(.*?)\n\}", STYLE, re.DOTALL)
    return found[1]


def px(text, pattern):
    return float(re.search(pattern, text)[1])


def test_text_of_plots_can_be_read_on_a_phone():
    size = px(narrow(), r"\.plot text \{ font-size: (\d+)px")
    inside = PHONE - 2 * 16 * (0.5 + 0.8) - 2
    assert size * inside / plots.WIDTH >= LEAST_PX
    wide = px(STYLE, r"\.plot\.wide \{ min-width: (\d+)rem") * 16
    assert size * wide / plots.WIDE >= LEAST_PX
    assert "figure { overflow-x: auto; }" in STYLE


def test_what_is_known_of_a_check_has_the_width_of_the_page():
    rules = narrow()
    # Rows of parts are named apart where the page is wide, so they are here as well.
    both = r"\.ladder li, \.ladder li li \{ grid-template-columns: [^;]*minmax\(0, 1fr\)"
    assert re.search(both, rules)
    assert ".ladder .how, .ladder .time { grid-column: 2 / -1; }" in rules
    assert "dl { grid-template-columns: 1fr;" in rules


def test_every_table_scrolls_and_its_last_words_do_not_collapse(full_report):
    text = render_html(full_report)
    assert text.count('<div class="scroll"') == text.count("<table>")
    assert px(STYLE, r"td:last-child:not\(\.num\) \{ min-width: (\d+)rem") * 16 >= 150


@pytest.fixture
def whole_report(full_report):
    wanted, found = [0, 0, 0, 1, 1, 2], [0, 0, 1, 1, 1, 0]
    rows = class_rows(np.array(found), np.array(wanted), ("a", "b", "c"))
    pins = [PinRow("x_pt", "input", 3, 0, "pt, u3"), PinRow("y_class", "output", 1, 4, "class, u1")]
    return full_report.put(*rows, *pins, DeviceRow("LFE5U-25F", 24288, 24288))


def test_classes_ports_and_share_stand_on_the_page(whole_report):
    page = Page(render_html(whole_report))
    said = " ".join(page.texts)
    assert "66.7 %" in said
    assert "Rows of a class, by the class they are taken for" in said
    cells = [a.get("class") for a in page.named("span")]
    assert [c for c in cells if c in ("right", "wrong", "none")] == [
        "right", "wrong", "none", "none", "right", "none", "wrong", "none", "right",
    ]  # fmt: skip
    assert "[2:0]" in page.texts
    assert "[4]" in page.texts
    assert "LFE5U-25F: 174 of 24,288 LUTs (0.72 %), 34 of 24,288 FFs (0.14 %), pnr" in page.texts
    assert "at 100.0 MHz" not in said


def test_confusion_adds_up():
    rng = np.random.default_rng(1)
    wanted, found = rng.integers(0, 5, 300), rng.integers(0, 5, 300)
    rows = class_rows(found, wanted, ("a", "b", "c", "d"))
    assert [row.label for row in rows] == ["a", "b", "c", "d", "class 4"]
    assert sum(row.n for row in rows) == sum(row.said for row in rows) == 300
    assert sum(row.right for row in rows) == int((wanted == found).sum())
    assert all(sum(row.taken) == row.n for row in rows)
    many = class_rows(np.arange(40), np.arange(40), ())
    assert all(row.taken == () and row.right == 1 for row in many)


def test_many_ports_are_folded(whole_report):
    pins = [PinRow(f"x_{i}", "input", 1, i, "") for i in range(LISTED + 1)]
    page = Page(render_html(whole_report.put(*pins)))
    assert [tag for tag, _ in page.elements].count("details") == 1
    assert f"{LISTED + 3} ports" in page.texts
