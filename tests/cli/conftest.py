"""The command line in this process, and a stand-in for the package that does the work."""

from __future__ import annotations

import logging
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

from nnlogic.cli.main import main
from nnlogic.report.model import Report


@dataclass(frozen=True)
class Outcome:
    """What one command line did."""

    code: int
    out: str
    err: str


@pytest.fixture
def nnlogic(capsys, monkeypatch):
    """Run a command line and return its exit code and what it printed."""
    monkeypatch.setenv("COLUMNS", "80")

    def call(*args: object) -> Outcome:
        code = main([str(a) for a in args])
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    yield call
    logging.getLogger("nnlogic").handlers.clear()


@dataclass(frozen=True)
class FakeRun:
    path: Path
    status: str
    report: Report


class FakeRunPackage(ModuleType):
    """Records calls of compile, verify and synth; raises `error` if there is one."""

    def __init__(self) -> None:
        super().__init__("nnlogic.run")
        self.calls: list[tuple[str, tuple, dict]] = []
        self.error: BaseException | None = None
        self.report = Report("toy", "0.1.0", status="compiled")

    def _call(self, verb: str, *args: object, **options: object) -> FakeRun:
        progress = options.pop("progress")
        self.calls.append((verb, args, options))
        with progress.step("work", total=2) as step:
            step.advance()
            if self.error is not None:
                raise self.error
            step.advance()
        return FakeRun(Path("run"), self.report.status, self.report)

    def compile(self, *args: object, **options: object) -> FakeRun:
        return self._call("compile", *args, **options)

    def verify(self, *args: object, **options: object) -> FakeRun:
        return self._call("verify", *args, **options)

    def synth(self, *args: object, **options: object) -> FakeRun:
        return self._call("synth", *args, **options)


@pytest.fixture
def fake_run(monkeypatch) -> FakeRunPackage:
    package = FakeRunPackage()
    monkeypatch.setitem(sys.modules, "nnlogic.run", package)
    return package
