import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest

from nnlogic.report.html import render_html
from nnlogic.report.model import Report
from nnlogic.report.rows import (
    Artifact,
    Check,
    Command,
    Engine,
    FunnelRow,
    LayerRow,
    Network,
    ResourceRow,
    Source,
    StepRow,
    ToolRow,
)

VOID = {"meta", "br"}


class Page(HTMLParser):
    """Collects elements and text, and insists that every element is closed."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.texts, self.open = [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)

    def named(self, tag):
        return [attrs for name, attrs in self.elements if name == tag]


def test_loads_nothing_from_anywhere(full_report):
    text = render_html(full_report)
    page = Page(text)
    assert not re.search(r"https?://|url\(|@import", text)
    for tag, attrs in page.elements:
        assert tag not in {"link", "img", "iframe", "object", "embed", "base"}
        assert not {"src", "href", "xlink:href"} & set(attrs)
    policy = next(a for a in page.named("meta") if "http-equiv" in a)["content"]
    assert policy.startswith("default-src 'none'")


def test_policy_allows_exactly_the_script_of_the_page(full_report):
    text = render_html(full_report)
    scripts = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    assert len(scripts) == 1
    digest = base64.b64encode(hashlib.sha256(scripts[0].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in text


def test_plots_and_sections_are_there_and_named(full_report):
    page = Page(render_html(full_report))
    plots = [a for a in page.named("svg") if a["class"] == "plot"]
    said = " | ".join(a["aria-label"] for a in plots)
    assert "tables 11, distinct tables 9" in said
    assert "bound, LUTs 2,046, minimized, LUTs 177, synth, LUTs 171, pnr, LUTs 174" in said
    assert "LUTs per layer after minimization: thermo 4; fc1 161; votes 12" in said
    assert "LUT levels of each pipeline segment: 4, 3" in said
    assert "rung 3 pass, rung 4 not run, rung 5 fail" in said
    assert all(a.get("role") == "img" and a.get("aria-label") for a in page.named("svg"))
    headings = {a["id"] for a in page.named("h2")}
    assert all(a["aria-labelledby"] in headings for a in page.named("section"))
    assert "nnlogic compile toy.safetensors -o run" in page.texts


def test_bar_lengths_follow_the_numbers(full_report):
    page = Page(render_html(full_report))
    bars = [a for a in page.named("rect") if a["class"] in {"bar encoder", "bar network"}]
    encoder, network = (float(a["width"]) for a in bars)
    assert network / encoder == pytest.approx(161 / 4, rel=0.01)


def test_light_and_dark(full_report):
    assert "@media (prefers-color-scheme: dark)" in render_html(full_report)


def test_missing_sections_say_not_run():
    page = Page(render_html(Report("x", "0.1.0")))
    assert page.texts.count("not run") >= 7 + 6
    tiles = {}
    words = [t for t in page.texts if t.strip()]
    for label in ("LUTs", "Flip-flops", "Latency", "Fmax", "Accuracy"):
        tiles[label] = words[words.index(label) + 1]
    assert set(tiles.values()) == {"not run"}
    assert words[words.index("Verified") + 1] == "0 of 7"


EVIL = '<script>alert("x")</script>\'"&<img src=x onerror=y>\x1b[31m$title'


def test_hostile_names_are_text():
    report = Report(EVIL, EVIL, status=EVIL, mode=EVIL, target=EVIL, config={EVIL: EVIL})
    report = report.replace(
        source=Source(EVIL, EVIL, EVIL),
        network=Network(layers=(LayerRow(EVIL, EVIL, 1),), encoder=EVIL),
    ).put(
        FunnelRow(EVIL, EVIL, 1, 1, 1, 1, 1),
        ResourceRow(EVIL, "synth", detail=EVIL),
        Command(EVIL, EVIL),
        Artifact(EVIL, EVIL),
        Engine(EVIL),
        StepRow(EVIL, None, {EVIL: 1}),
        ToolRow(EVIL, EVIL, EVIL),
    )
    report = report.with_check(0, Check(EVIL, "fail", EVIL, EVIL))
    text = render_html(report)
    page = Page(text)
    assert len(page.named("script")) == 1
    assert page.named("img") == []
    assert not any(name.startswith("on") for _, attrs in page.elements for name in attrs)
    assert "\x1b" not in text
    assert "$title" in text
