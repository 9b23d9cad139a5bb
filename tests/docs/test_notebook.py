"""The notebooks of the examples run, and say what stands in them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from notebook import run_notebook

FOLDER = Path(__file__).parents[2] / "examples" / "notebook"


def plain(outputs):
    """Outputs without HTML and figures, which differ between machines."""
    texts = ["".join(o.get("text") or o["data"]["text/plain"]) for o in outputs]
    return [re.sub(r"[\d,.]+", "#", text) for text in texts]


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.ipynb")), ids=lambda p: p.stem)
def test_the_notebook_gives_what_stands_in_it(path):
    cells = run_notebook(path)
    assert any(new for _, new in cells)
    for kept, new in cells:
        assert plain(new) == plain(kept)
        assert [set(o.get("data", ())) for o in new] == [set(o.get("data", ())) for o in kept]


def test_there_is_one():
    assert list(FOLDER.glob("*.ipynb"))


def test_a_cell_that_fails_and_one_that_says_another_thing_are_found(tmp_path):
    path = tmp_path / "bad.ipynb"
    kept = {"name": "stdout", "output_type": "stream", "text": ["three\n"]}
    cells = [{"cell_type": "code", "source": ["x = 'two'\n", "print(x)"], "outputs": [kept]}]
    path.write_text(json.dumps({"cells": cells}))
    ((old, new),) = run_notebook(path)
    assert plain(old) != plain(new)
    cells.append({"cell_type": "code", "source": ["assert x == 'three'"], "outputs": []})
    path.write_text(json.dumps({"cells": cells}))
    with pytest.raises(AssertionError):
        run_notebook(path)
