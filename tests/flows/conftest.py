from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from lut_design import random_design

from nnlogic.flows.synth import SynthResult, synthesize
from nnlogic.flows.targets import Target


class Recorder:
    """A Progress that remembers what it was told."""

    def __init__(self) -> None:
        self.steps: list[tuple[str, int]] = []
        self.notes: list[str] = []

    @contextmanager
    def step(self, name: str, total: int = 0) -> Iterator[Recorder]:
        self.steps.append((name, total))
        yield self

    def advance(self, count: int = 1, note: str = "") -> None:
        self.notes.append(note)


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture(scope="session")
def small_verilog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rtl") / "net8.v"
    path.write_text(random_design("net8", 8, 2, 2, 4))
    return path


@pytest.fixture(scope="session")
def small_synth(small_verilog: Path, tmp_path_factory: pytest.TempPathFactory) -> dict:
    """The small design, synthesized for the two targets that can be placed and routed."""
    out: dict[str, SynthResult] = {}
    for name in ("ecp5", "ice40"):
        folder = tmp_path_factory.mktemp(f"synth_{name}")
        out[name] = synthesize([small_verilog], "net8", Target.named(name), folder)
    return out
