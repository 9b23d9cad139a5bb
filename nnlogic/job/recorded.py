"""Options of a run hold for what goes on from it: only what is given anew changes, and is said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nnlogic.core.errors import Problem, UsageError
from nnlogic.job.backend import (
    AUTO,
    DEFAULT,
    all_options,
    backend_named,
    backend_of,
    chosen_backend,
)
from nnlogic.job.directory import TARGETS, Run, is_run, open_run
from nnlogic.job.option import Option, options_of
from nnlogic.job.options import EXCLUSIVE, STAGES
from nnlogic.job.rows import Rows, read_saved
from nnlogic.quant.ir import QuantNet
from nnlogic.report.model import Report

OF_THE_COMMAND = ("start_from", "stop_after")
"""Options that say how far one command goes, and nothing of what is made."""
ONLY_APPROXIMATE = {"validation_rows", "test_rows", "rarity", "accuracy_budget"}


@dataclass(frozen=True)
class Recorded:
    """A run that is gone on from, and what was given anew.

    Attributes
    ----------
    run : Run
    options : dict
        Those it was compiled with, by field name, and its ``backend``.
    given : dict
    rows : Rows or None
        The rows it was measured on, where it has them.
    """

    run: Run
    options: Mapping[str, Any]
    given: Mapping[str, Any]
    rows: Rows | None

    def effective(self) -> dict[str, Any]:
        """Return what holds: what is given, over what is recorded and still can be."""
        whole = {**self.options, **self.given}
        anew = {name for name, value in self.given.items() if value is not None}
        gone = {n for pair in EXCLUSIVE if anew & set(pair) for n in pair}
        if whole["backend"] != self.options["backend"]:
            gone |= set(self.options) - _taken_by(whole["backend"]) - {"backend"}
        learns = whole.get("mode") == "approximate" and self._start <= STAGES.index("tables")
        if whole.get("mode") != self.options.get("mode"):
            gone |= ONLY_APPROXIMATE
        if learns or self.rows is None:
            # Of files a run knows the names alone: what would be read again must be given again.
            gone |= {"rows", "validation_rows", "test_rows"}
        return {n: value for n, value in whole.items() if n in self.given or n not in gone}

    def kept_rows(self) -> Rows | None:
        """Return the rows of the run where none are given, and none are to be learned from."""
        return self.rows if self.given.get("rows") is None else None

    def changes(self, made: Report) -> tuple[str, ...]:
        """Return what a run made from this one has otherwise, as ``effort: normal -> high``."""
        known = all_options()
        old = {**self.run.report.config, "backend": self.options["backend"]}
        new = {**made.config, "backend": made.backend}
        out = []
        for name in ("backend", *known):
            before, after = (_shown(name, config, known) for config in (old, new))
            if name not in OF_THE_COMMAND and before != after:
                out.append(f"{name.replace('_', '-')}: {before} -> {after}")
        return tuple(out)

    @property
    def _start(self) -> int:
        return STAGES.index(self.given["start_from"])

    def refuse_idle(self) -> None:
        """Raise UsageError for what was given that only stages which are taken over read."""
        later = backend_named(self.options["backend"]).later
        problems = []
        for name, (what, default) in all_options().items():
            value, until = self.given.get(name), later.get(name, what.until)
            if value in (None, self.options.get(name, default)) or not until:
                continue
            if STAGES.index(until) < self._start:
                why = f"changes nothing from {self.given['start_from']} on"
                problems.append(Problem(what.flag(name), why, f"--from {until}, or earlier"))
        if problems:
            raise UsageError("options that do not fit", problems=problems)


def recorded(source: Path, given: Mapping[str, Any]) -> Recorded | None:
    """Return the run that options go on from; None where they begin with a network.

    Raises
    ------
    UsageError
        An option was given that changes only stages which are taken over.
    CheckpointError
        The report of the run has options that do not fit.
    """
    if given.get("start_from") not in STAGES or not is_run(source):
        return None
    run = open_run(source)
    backend = backend_of(run)
    backend.options_of(run)
    options: dict[str, Any] = {"backend": backend.name}
    for name, (what, _) in options_of(backend.options).items():
        value = run.report.config.get(name)
        if value is not None and name not in OF_THE_COMMAND:
            options[name] = Path(str(value)) if what.kind is Path else value
    mine = source / TARGETS / f"{options.get('target')}.toml"
    if mine.is_file():
        options["target"] = mine
    saved = source / "sim" / "rows.npz"
    net = run.ir_path("quant")
    inputs = QuantNet.load(net).inputs if saved.is_file() and net.is_file() else ()
    rows = read_saved(saved, inputs)[0] if saved.is_file() else None
    if "backend" not in given:
        implied = chosen_backend(given)
        given = {**given, "backend": implied} if implied != DEFAULT else given
    found = Recorded(run, options, given, rows)
    found.refuse_idle()
    return found


def _taken_by(backend: str) -> set[str]:
    if backend == AUTO:
        return {name for name, (what, _) in all_options().items() if what.planned}
    return set(options_of(backend_named(backend).options))


def _shown(name: str, config: Mapping[str, Any], known: Mapping[str, tuple[Option, Any]]) -> str:
    value = config.get(name)
    if value is None and name in known:
        value = known[name][1]
    return "none" if value is None else str(value)
