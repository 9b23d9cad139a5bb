"""Progress on stderr: live bars on a terminal, rate-limited plain lines elsewhere."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

import click

from nnlogic.core.progress import Step

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

INTERVAL = 2.0  # seconds between plain lines of one step


def is_terminal() -> bool:
    """Whether stderr can show live bars."""
    return sys.stderr.isatty() and os.environ.get("TERM", "") != "dumb"


def open_progress(verbose: int = 0) -> PlainProgress | LiveProgress:
    """Return the progress for this process, and send log lines the same way."""
    if not is_terminal():
        _log_to(logging.StreamHandler(sys.stderr), verbose)
        return PlainProgress()
    from rich.console import Console
    from rich.logging import RichHandler

    console = Console(stderr=True)
    _log_to(RichHandler(console=console, show_path=False, markup=False), verbose)
    return LiveProgress(console)


def _log_to(handler: logging.Handler, verbose: int) -> None:
    level = {0: logging.WARNING, 1: logging.INFO}.get(verbose, logging.DEBUG)
    handler.setLevel(level)
    logger = logging.getLogger("nnlogic")
    logger.setLevel(min(level, logger.level or logging.WARNING))
    logger.addHandler(handler)


class _PlainStep:
    def __init__(self, name: str, total: int) -> None:
        self.name, self.total, self.done = name, total, 0
        self.shown = time.monotonic()

    def advance(self, count: int = 1, note: str = "") -> None:
        self.done += count
        now = time.monotonic()
        if now - self.shown < INTERVAL:
            return
        self.shown = now
        of = f"/{self.total} ({100 * self.done // self.total} %)" if self.total else ""
        click.echo(f"{self.name}: {self.done}{of}{f' {note}' if note else ''}", err=True)


class PlainProgress:
    """One line when a step starts, one when it ends, and at most one per `INTERVAL` between."""

    def step(self, name: str, total: int = 0) -> AbstractContextManager[Step]:
        """Open a step of `total` items (0: unknown)."""
        return self._step(name, total)

    @contextmanager
    def _step(self, name: str, total: int) -> Iterator[Step]:
        click.echo(f"{name}{f' ({total})' if total else ''} ...", err=True)
        start = time.monotonic()
        done = False
        try:
            yield _PlainStep(name, total)
            done = True
        finally:
            click.echo(_ending(name, done, time.monotonic() - start), err=True)


class _LiveStep:
    def __init__(self, bars: Bars, task: TaskID) -> None:
        self.bars, self.task = bars, task

    def advance(self, count: int = 1, note: str = "") -> None:
        self.bars.update(self.task, advance=count, note=note)


class LiveProgress:
    """Bars of the open steps; a step that ends leaves one line behind."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._bars: Bars | None = None
        self._open = 0

    def step(self, name: str, total: int = 0) -> AbstractContextManager[Step]:
        """Open a step of `total` items (0: unknown)."""
        return self._step(name, total)

    @contextmanager
    def _step(self, name: str, total: int) -> Iterator[Step]:
        bars = self._bars = self._bars or self._new_bars()
        if not self._open:
            bars.start()
        self._open += 1
        task = bars.add_task(name, total=total or None, note="")
        start = time.monotonic()
        done = False
        try:
            yield _LiveStep(bars, task)
            done = True
        finally:
            bars.remove_task(task)
            self._open -= 1
            if not self._open:
                bars.stop()
                self._bars = None
            ending = _ending(name, done, time.monotonic() - start)
            style = "dim" if done else "red"
            self.console.print(ending, style=style, markup=False, highlight=False)

    def _new_bars(self) -> Bars:
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bars

        return Bars(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}", markup=False),
            console=self.console,
            transient=True,
        )


def _ending(name: str, done: bool, seconds: float) -> str:
    return f"{name}: {'done in' if done else 'stopped after'} {seconds:.1f} s"
