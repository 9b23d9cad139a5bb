import json
from pathlib import Path

import pytest

from nnlogic.train.formats import BASE, MIX, Compared


@pytest.fixture
def asked(monkeypatch):
    calls = []
    rows = (
        Compared(BASE, 0.7, 0.71, 400, 9, 77, {}, Path("r"), Path("c")),
        Compared("ternary()", 0.6, 0.61, 100, 5, 0, {"a": "ternary()"}, Path("r"), Path("c")),
        Compared(
            MIX, 0.7, 0.7, 200, 6, 31, {"a": "fixed(4,0)", "b": "ternary()"}, Path("r"), Path("c")
        ),
    )

    def compare(recipe, formats, **how):
        calls.append((recipe, formats, how))
        return rows

    monkeypatch.setattr("nnlogic.train.formats.compare_formats", compare)
    return calls


def test_a_comparison_as_table_plot_and_data(nnlogic, asked, tmp_path):
    line = ("--mix", "fixed(4,0)", "--mix", "ternary()", "--mix-bits", 3, "--gradient", "gap")
    done = nnlogic("formats", "digits", "ternary()", "-o", tmp_path, *line, "--of", "both")
    assert done.code == 0, done.err
    assert "   61.00 %     100      5      0  ternary()" in done.out
    assert "mix (a fixed(4,0), b ternary())" in done.out
    recipe, formats, how = asked[0]
    assert recipe.name == "digits"
    assert formats == ("ternary()",)
    assert (how["mix"], how["mix_bits"]) == (("fixed(4,0)", "ternary()"), 3)
    assert (how["of"], how["gradient"]) == ("both", "gap")
    plot = (tmp_path / "formats.svg").read_text()
    assert "<svg" in plot
    assert "ternary(): 61.00 %, 100 LUT6" in plot
    data = json.loads(nnlogic("formats", "digits", "-o", tmp_path, "--json").out)
    assert [row["luts"] for row in data] == [400, 100, 200]
    assert "posit(4,1)" in asked[1][1]


def test_help_lists_the_formats(nnlogic):
    assert "posit(n,exponent)" in nnlogic("formats", "--help").out


def test_a_format_that_is_none_is_a_usage_error(nnlogic, tmp_path):
    done = nnlogic("formats", "digits", "half(3)", "-o", tmp_path / "x")
    assert done.code == 2
    assert "known are binary" in done.err
    assert not (tmp_path / "x").exists()
