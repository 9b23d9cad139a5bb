from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from nnlogic.tools.find import Tool


@pytest.fixture
def fake_tool(tmp_path: Path) -> Callable[[str], Tool]:
    """Make a program from Python source; it plays one failure mode."""

    def make(body: str) -> Tool:
        script = tmp_path / "fake.py"
        script.write_text(body)
        return Tool("fake", (sys.executable, str(script)), (1, 2), "a test")

    return make


@pytest.fixture
def on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Path]:
    """Put an executable shell script on an otherwise empty PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def make(name: str, body: str) -> Path:
        script = folder / name
        script.write_text(f"#!/bin/sh\n{body}\n")
        script.chmod(0o755)
        return script

    return make
