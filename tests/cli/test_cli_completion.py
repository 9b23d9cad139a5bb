"""Shell completion, and the folder of what is kept, as the guide says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from nnlogic.core.places import cache_folder
from nnlogic.data.fetch import cache_dir

GUIDE = (Path(__file__).parents[2] / "docs" / "guide" / "cli.md").read_text(encoding="utf-8")
NNLOGIC = Path(sys.executable).with_name("nnlogic")


def completed(shell, **words):
    done = subprocess.run(
        [NNLOGIC], env={**os.environ, "_NNLOGIC_COMPLETE": shell, **words}, capture_output=True,
        text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_shells_of_the_guide_get_their_script(shell):
    assert f"_NNLOGIC_COMPLETE={shell}_source nnlogic" in GUIDE
    assert f"{shell}_complete" in completed(f"{shell}_source")


def test_verbs_and_options_are_completed():
    assert "_NNLOGIC_COMPLETE=bash_source nnlogic" in GUIDE
    assert (
        completed("bash_complete", COMP_WORDS="nnlogic compi", COMP_CWORD="1") == "plain,compile\n"
    )
    options = completed("bash_complete", COMP_WORDS="nnlogic compile --bac", COMP_CWORD="2")
    assert options == "plain,--backend\n"


def test_the_guide_says_where_things_are_kept(monkeypatch, tmp_path):
    assert "`$XDG_CACHE_HOME/nnlogic`" in GUIDE
    assert "`NNLOGIC_CACHE`" in GUIDE
    monkeypatch.delenv("NNLOGIC_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == cache_dir() == tmp_path / "nnlogic"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/somebody")
    assert cache_folder() == cache_dir() == Path("/home/somebody/.cache/nnlogic")
    monkeypatch.setenv("NNLOGIC_CACHE", "/data")
    assert cache_dir() == Path("/data")
