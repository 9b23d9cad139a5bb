"""Pages whose Python runs as it stands, from top to bottom."""

from __future__ import annotations

import pytest
from guide_code import GUIDE, run_page

PAGES = ("build-a-network", "own-training", "quantize")


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("page", PAGES)
def test_the_page_runs_as_it_stands(page, tmp_path, capsys):
    run_page(GUIDE / f"{page}.md", tmp_path)
    assert capsys.readouterr().out


def test_a_page_that_is_wrong_fails(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# Page\n\n```python\nx = 2\n```\n\nand\n\n```python\nassert x == 3\n```\n")
    with pytest.raises(AssertionError) as error:
        run_page(page, tmp_path)
    assert error.traceback[-1].lineno + 1 == 10


def test_what_goes_wrong_in_a_neuron_is_named():
    from nnlogic.core.errors import TooWide, UsageError
    from nnlogic.quant import Enumerated, IntFormat

    u1, i2 = IntFormat(1), IntFormat(2, signed=True)
    place = {"inputs": ((0, 1), (1,)), "x_formats": (u1, i2), "formats": u1}
    with pytest.raises(UsageError) as error:
        Enumerated.of("fc", (lambda a, b: a - b, lambda b: b / 2), **place)
    said = str(error.value)
    assert "neuron 0  gives -1 for (0, 1), not in u1, 0..1" in said
    assert "i3 holds all it gives, -1..3" in said
    assert "neuron 1  gives 0.5 for (1), no integer" in said
    with pytest.raises(UsageError, match="1 functions, 2 inputs, 2 formats"):
        Enumerated.of("fc", [max], **place)
    with pytest.raises(UsageError, match="wire 2, of 2"):
        Enumerated.of("fc", max, inputs=((2,),), x_formats=(u1, i2), formats=u1)
    with pytest.raises(TooWide, match="17 bits, limit 16"):
        Enumerated.of("fc", max, inputs=(range(17),), x_formats=(u1,) * 17, formats=u1)
