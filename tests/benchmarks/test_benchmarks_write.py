"""Benchmarks print; they write only where they are told, and no part of one replaces a page."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import sys
import types
from pathlib import Path

import pytest

from benchmarks.page import PUBLISHED, Page, add_write, is_part

ROOT = Path(__file__).parents[2]
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in (ROOT / "benchmarks").rglob("*.py")
    if "argparse.ArgumentParser(" in path.read_text() and path.name != "page.py"
)
PAGES = {
    "benchmarks.ablation.__main__",
    "benchmarks.dsp.__main__",
    "benchmarks.dsp.lenet",
    "benchmarks.dsp_engine",
    "benchmarks.emulation",
    "benchmarks.exports",
    "benchmarks.leaderboard.__main__",
    "benchmarks.minimize.__main__",
    "benchmarks.minimize.files",
    "benchmarks.minimize.scaling",
    "benchmarks.moves.__main__",
    "benchmarks.pulses",
    "benchmarks.raw",
    "benchmarks.search.__main__",
    "benchmarks.surrogate.__main__",
    "benchmarks.uci",
    "benchmarks.zoo.__main__",
}
READ = {"zoo", "samples"}
"""Options whose default is read."""


class Parsed(Exception):
    """Raised in the place of parsing: nothing is measured."""


def parsers(name, monkeypatch):
    """The parser of a module with its subparsers, as `main` makes them."""
    found = []

    def stop(self, *_):
        found.append(self)
        raise Parsed

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", stop)
    with pytest.raises(Parsed):
        importlib.import_module(name).main()
    (parser,) = found
    inner = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
    return [parser, *(choice for action in inner for choice in action.choices.values())]


def test_all_modules_are_seen():
    assert set(MODULES) >= PAGES
    assert len(MODULES) >= 14


@pytest.fixture
def without_xgboost(monkeypatch):
    """What grows trees is not needed to look at options."""
    if importlib.util.find_spec("xgboost") is None:
        monkeypatch.setitem(sys.modules, "xgboost", types.ModuleType("xgboost"))
        yield
        for name in [n for n in sys.modules if n.startswith("benchmarks.zoo")]:
            del sys.modules[name]
    else:
        yield


@pytest.mark.usefixtures("without_xgboost")
@pytest.mark.parametrize("name", MODULES)
def test_nothing_is_written_that_was_not_asked_for(name, monkeypatch):
    found = parsers(name, monkeypatch)
    flags = [f for parser in found for action in parser._actions for f in action.option_strings]
    assert ("--write" in flags) == (name in PAGES)
    for parser in found:
        for action in parser._actions:
            if action.type is Path and action.default is not None and action.dest not in READ:
                place = (ROOT / action.default).resolve()
                assert place.is_relative_to(ROOT / "build"), action.dest
            if action.dest in ("out", "write", "page"):
                assert action.default is None


def made(*words):
    parser = argparse.ArgumentParser()
    parser.add_argument("--only")
    parser.add_argument("--jobs", type=int, default=1)
    add_write(parser, "x.md")
    args = parser.parse_args(words)
    return Page(parser, args.out, is_part(parser, args, "jobs"))


@pytest.fixture
def published(tmp_path, monkeypatch):
    monkeypatch.setattr("benchmarks.page.PUBLISHED", tmp_path)
    page = tmp_path / "x.md"
    page.write_text("published")
    return page


def test_a_part_never_replaces_a_published_page(published, capsys):
    with pytest.raises(SystemExit):
        made("--only", "a", "--write", str(published))
    assert "does not replace" in capsys.readouterr().err
    assert published.read_text() == "published"
    other = published.with_name("new.md")
    made("--only", "a", "--write", str(other)).done("a part")
    assert other.read_text() == "a part"


def test_a_page_changes_once_when_all_is_measured(published):
    page = made("--jobs", "4", "--write", str(published))
    page.so_far("half")
    assert published.read_text() == "published"
    assert published.with_name("x.md.part").read_text() == "half"
    page.done("whole")
    assert [(p.name, p.read_text()) for p in published.parent.iterdir()] == [("x.md", "whole")]


def test_without_a_file_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = made("--only", "a")
    page.so_far("half")
    page.done("whole")
    assert list(tmp_path.iterdir()) == []


def test_a_real_benchmark_prints_and_leaves_the_published_page(tmp_path, monkeypatch, capsys):
    module = importlib.import_module("benchmarks.dsp.__main__")
    before = {p: p.read_bytes() for p in PUBLISHED.iterdir() if p.is_file()}
    name = "random-1000"
    words = ["x", "--only", name, "--most", "1000", "--no-sat"]
    monkeypatch.setattr(module, "SLICES", (2,))
    monkeypatch.setattr(sys, "argv", words)
    module.main()
    assert name in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", [*words, "--write", str(PUBLISHED / "dsp.md")])
    with pytest.raises(SystemExit):
        module.main()
    monkeypatch.setattr(sys, "argv", [*words, "--write", str(tmp_path / "mine.md")])
    module.main()
    assert name in (tmp_path / "mine.md").read_text()
    assert {p: p.read_bytes() for p in PUBLISHED.iterdir() if p.is_file()} == before
