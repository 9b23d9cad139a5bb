"""The ablation page: rows become tables, and every section of the notes has variants."""

from __future__ import annotations

from benchmarks.ablation.__main__ import ESTIMATES, NOTES, page, spread
from benchmarks.ablation.variants import variants


def row(section, name, seed, luts, recipe, term):
    return {
        "section": section, "name": name, "seed": seed, "validation": 70.0 + seed, "test": 69.0,
        "luts": luts, "estimate": 0.9 * luts, "term": term, "seconds": 60.0, "recipe": recipe,
    }  # fmt: skip


def test_tables_of_the_page():
    rows = [
        row("family", "poly", 0, 100, "a", 120.0),
        row("family", "poly", 1, 110, "b", 99.0),
        row("search", "random", 0, 50, "c", None),
        row("cost term", "none", 0, 100, "a", 120.0),
    ]
    text = page(rows)
    assert "| poly | 70.50 ± 0.50 | 69.00 ± 0.00 | 105 ± 5 | 2 |" in text
    assert "| random | 70.00 | 69.00 | 50 | 1 |" in text
    assert "| poly | 1 | 110 | 99 (-10%) | 99 (-10%) |" in text.replace("family: ", "")
    assert text.count("120 (+20%)") == 1
    assert "about 3 minutes" in text
    assert "TABLE" not in text


def test_every_section_has_its_table():
    wanted = [line for line in NOTES.read_text().splitlines() if line.startswith("TABLE ")]
    sections = {f"TABLE {variant.section}" for variant in variants(0)}
    assert sections | {f"TABLE {ESTIMATES}"} == set(wanted)
    keys = [(variant.section, variant.name) for variant in variants(1)]
    assert len(keys) == len(set(keys))
    assert all(variant.recipe.seed == 1 for variant in variants(1))
    assert all(not variant.recipe.problems() for variant in variants(1))


def test_spread():
    assert spread([1.0, 2.0, 4.0], 1) == "2.3 ± 1.5"
