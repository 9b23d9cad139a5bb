"""The run directory: one job, one folder, and a STATUS that never claims what did not happen.

A run is built in a hidden folder beside its destination and renamed when complete. Later steps
(`verify`, `synth`) work inside the run with STATUS ``running`` and set the verdict last, so a
killed process leaves ``running``, never a pass. Only one command at a time works in a run.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nnlogic.core.archive import write_bytes
from nnlogic.core.errors import Problem, UsageError
from nnlogic.core.inert import visible
from nnlogic.core.lock import locked
from nnlogic.job.evidence import CLAIMS_NOTHING, audited
from nnlogic.job.seal import write_seal
from nnlogic.report.model import Report
from nnlogic.report.notebook import as_html, in_a_line

STATUS = "STATUS"
WORDS = ("running", "stopped", "compiled", "verified", "failed", "stale", "error")
FOLDERS = ("ir", "rtl", "sim", "flows", "synth", "pnr")
TARGETS = "targets"
"""Folder with the user's own targets, where a run was made or synthesized for one."""


@dataclass(frozen=True, repr=False)
class Run:
    """A run on disk and its report."""

    path: Path
    report: Report

    def __repr__(self) -> str:
        """Return where it is, and the main figures in one line."""
        return f"<Run {visible(self.path)}: {in_a_line(self.report)}>"

    def _repr_html_(self) -> str:
        """Return a short table, for notebooks."""
        return as_html(self.report, str(self.path))

    @property
    def status(self) -> str:
        """The word in STATUS."""
        return read_status(self.path)

    def ir_path(self, stage: str) -> Path:
        """Return the file of a stage: ``quant``, ``tables``, ``logic`` or ``design``."""
        return ir_path(self.path, stage)


def ir_path(folder: Path, stage: str) -> Path:
    """Return the file of a stage inside a run directory."""
    return folder / "ir" / f"{stage}.safetensors"


def is_run(path: Path) -> bool:
    """Whether a folder is a run directory."""
    return (path / STATUS).is_file()


def need_run(path: Path) -> None:
    """Raise UsageError where a folder is not a run directory."""
    if not is_run(path):
        why = "no STATUS file in it" if path.is_dir() else "no such directory"
        fix = "give the directory that `nnlogic compile ... -o DIR` wrote"
        raise UsageError("not a run directory", where=str(path), why=why, fix=fix)


def read_status(folder: Path) -> str:
    """Return the word in the STATUS of a run; ``error`` where it is none that nnlogic writes."""
    with (folder / STATUS).open("rb") as file:
        word = file.read(64).decode("ascii", "replace").strip()
    return word if word in WORDS else "error"


def open_run(path: Path) -> Run:
    """Open an existing run; its report says only what is still true of its files.

    Raises
    ------
    UsageError
        Not a run directory.
    """
    path = Path(path)
    need_run(path)
    return Run(path, audited(Report.load(path / "report.json"), path))


def read_report(path: Path) -> Report:
    """Return the report of a run directory or of a file, with only what is known to be true of it.

    Raises
    ------
    UsageError, CheckpointError
        There is no report, or it cannot be read.
    """
    path = Path(path)
    report = Report.load(path)
    folder = path if path.is_dir() else path.parent
    if is_run(folder):
        report, word = audited(report, folder), read_status(folder)
        return report.replace(status=word) if word in CLAIMS_NOTHING else report
    why = "a report without its run: nothing was checked"
    return report.replace(warnings=(why, *report.warnings))


def set_status(folder: Path, word: str) -> None:
    """Write STATUS atomically."""
    if word not in WORDS:
        raise ValueError(word)
    write_bytes(folder / STATUS, f"{word}\n".encode())


def close_run(folder: Path, report: Report, *fresh: str) -> None:
    """Write report.json, report.html, the seal, and last STATUS.

    Parameters
    ----------
    folder : Path
    report : Report
    *fresh : str
        Beginnings of the paths below `folder` that were written; all where none is given.
    """
    from nnlogic.report.html import render_html

    report.save(folder / "report.json")
    write_bytes(folder / "report.html", render_html(report).encode())
    write_seal(folder, fresh or ("",))
    set_status(folder, report.status)


def write_config(folder: Path, config: dict[str, Any]) -> None:
    """Write the effective options."""
    write_bytes(folder / "config.json", (json.dumps(config, indent=1) + "\n").encode())


@contextmanager
def staged_run(out: Path, *, force: bool) -> Iterator[Path]:
    """Yield a hidden folder that becomes `out` when the block ends without an error.

    Raises
    ------
    UsageError
        `out` exists and `force` is not given, is not a run directory, cannot be written, or
        another command works there.
    """
    # A link stays, and leads to the new run.
    out = Path(os.path.realpath(out) if os.path.islink(out) else os.path.abspath(out))
    staging, old = (out.parent / f".{out.name}.{kind}" for kind in ("partial", "old"))
    with ExitStack() as stack:
        try:
            out.parent.mkdir(parents=True, exist_ok=True)
            stack.enter_context(locked(staging, out, make=True))
            failed = stack.enter_context(ExitStack())
            failed.callback(shutil.rmtree, staging, ignore_errors=True)
            _refuse_existing(out, force)
            if out.exists():
                stack.enter_context(locked(out, out))
            for item in (*staging.iterdir(), *([old] if old.exists() else [])):
                shutil.rmtree(item) if item.is_dir() else item.unlink()
            for name in FOLDERS:
                (staging / name).mkdir()
        except OSError as error:
            raise UsageError(
                "cannot write the run directory",
                where=str(out),
                why=str(error),
                fix="choose a writable place with free space for -o, or a shorter name",
            ) from error
        set_status(staging, "running")
        with logged_to(staging / "nnlogic.log"):
            yield staging
        if out.exists():
            out.rename(old)
        staging.rename(out)
        # From here on a folder of that name is another command's.
        failed.pop_all()
        if old.exists():
            shutil.rmtree(old)


@contextmanager
def reopened_run(path: Path) -> Iterator[Run]:
    """Yield a run for further work; STATUS is ``running`` meanwhile, ``error`` after an error.

    Raises
    ------
    UsageError
        Not a run directory, one that cannot be written, or another command works in it.
    """
    path = Path(path)
    need_run(path)
    with ExitStack() as stack:
        try:
            stack.enter_context(locked(path, path))
            run = open_run(path)
            set_status(run.path, "running")
        except OSError as error:
            raise UsageError(
                "cannot write to the run directory", where=str(path), why=str(error)
            ) from error
        try:
            with logged_to(run.path / "nnlogic.log"):
                yield run
        except BaseException:
            set_status(run.path, "error")
            raise


def _refuse_existing(out: Path, force: bool) -> None:
    if not out.exists():
        return
    if not out.is_dir() or (any(out.iterdir()) and not is_run(out)):
        raise UsageError(
            "the output exists and is not a run directory",
            where=str(out),
            why="nnlogic replaces only directories it wrote",
            fix="choose another -o",
        )
    if is_run(out) and not force:
        word = read_status(out)
        raise UsageError(
            "the run exists",
            where=str(out),
            why=f"its STATUS is {word!r}",
            fix="--force replaces it, or choose another -o",
        )


class _Formatter(logging.Formatter):
    """Indents further lines of a record, so that no name in it looks like another record."""

    def format(self, record: logging.LogRecord) -> str:
        first, *more = super().format(record).splitlines() or [""]
        return "\n".join([visible(first), *(f"    {visible(line)}" for line in more)])


@contextmanager
def logged_to(path: Path) -> Iterator[None]:
    """Send the package's log records, debug included, to a file."""
    logger = logging.getLogger("nnlogic")
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(_Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
        handler.close()


def usage_problems(problems: list[Problem]) -> None:
    """Raise one UsageError for all `problems`, if there are any."""
    if problems:
        raise UsageError("options that do not fit", problems=problems)
