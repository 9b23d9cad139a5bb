"""Docstrings and pages refer only to what is in the repository."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CODE = ("nnlogic", "hw", "sim", "flows", "benchmarks", "tests", "examples", "zoo")
PLACES = (*CODE, "docs")
PATH = re.compile(rf"(?<![\w/.-])(?:{'|'.join(PLACES)})/[\w./-]*\w")
PAGE = re.compile(r"(?<![\w/.<-])[\w./-]+\.md\b")
# A document that is called by its name: "see DESIGN section 6".
NAMED = re.compile(r"\b(?:see|recipe of) ([A-Z]{5,})\b|\b([A-Z]{5,}) section \d")
LINK = re.compile(r"\]\(([^)#:]+?)(?:#[\w-]*)?\)")


def strays(text, folder, names=()):
    """What a docstring refers to that is not there."""
    for found in PATH.findall(text):
        # A package may be meant as it is imported: nnlogic/hw is hw here.
        places = (ROOT / found, ROOT / "nnlogic" / found, ROOT / f"{found}.py")
        if not any(place.exists() for place in places):
            yield found
    for found in PAGE.findall(text):
        places = (ROOT / found, folder / found, folder / "data" / found)
        if not any(place.exists() for place in places):
            yield found
    for found in NAMED.findall(text):
        name = "".join(found)
        if name not in names and not (ROOT / f"{name}.md").exists():
            yield name


def docstrings(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body
        else:
            continue
        for at in body:
            # Those of attributes too: a text that stands by itself.
            if isinstance(at, ast.Expr) and isinstance(at.value, ast.Constant):
                value = at.value.value
                if isinstance(value, str):
                    yield at.lineno, value


def constants(tree):
    return {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)} | {
        a.name for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) for a in n.names
    }


@pytest.mark.parametrize("place", CODE)
def test_docstrings_refer_to_what_is_there(place):
    wrong, seen = [], 0
    for path in sorted((ROOT / place).rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = constants(tree)
        for line, text in docstrings(tree):
            seen += 1
            wrong += [
                f"{path.relative_to(ROOT)}:{line}: {name}"
                for name in strays(text, path.parent, names)
            ]
    assert wrong == []
    assert seen or place == "zoo"


def test_links_of_pages_lead_somewhere():
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    assert len(pages) > 30
    wrong = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages
        for target in LINK.findall(page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]
    assert wrong == []


@pytest.mark.parametrize(
    "text",
    [
        "The run directory; see DESIGN section 6 for what it holds.",
        "Follows the recipe of METHODS, soft tables first.",
        "What docs/guide/no-such-page.md says.",
        "See nnlogic/quant/gone.py.",
        "See notes.md.",
    ],
)
def test_a_stray_reference_is_found(text):
    assert list(strays(text, ROOT / "nnlogic"))
