"""Tables of the pages are whole: every line of one has as many cells as its head."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("*/README.md")])


def cells(line: str) -> int:
    """Return the cells of a line of a table; bars in code or escaped are text."""
    text = re.sub(r"`[^`]*`|\\\|", "", line.strip())
    return text.count("|") - 1 if text.startswith("|") and text.endswith("|") else 0


def broken(text: str) -> Iterator[str]:
    """Yield the lines that make a table fall apart."""
    width, inside = 0, False
    for line in text.splitlines():
        if line.lstrip().startswith("```"):
            inside = not inside
        if inside or not line.startswith("|"):
            width = 0
            continue
        width = width or max(1, cells(line))
        if cells(line) != width:
            yield line


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_tables_are_whole(page: Path) -> None:
    assert not list(broken(page.read_text("utf-8")))


def test_a_row_that_was_wrapped_is_found() -> None:
    good = "| a | b |\n|---|---|\n| `x | y` | 2 |\n"
    assert not list(broken(good))
    assert list(broken("| a | b |\n|---|---|\n| 1 | long\ntext |\n")) == ["| 1 | long"]
    assert list(broken("| a | b |\n|---|---|\n| 1 | 2 | 3 |\n")) == ["| 1 | 2 | 3 |"]
