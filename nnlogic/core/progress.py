"""Progress as an interface: stages report, whoever runs them decides how to show it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

log = logging.getLogger("nnlogic")


class Step(Protocol):
    """One running step."""

    def advance(self, count: int = 1, note: str = "") -> None:
        """Say that `count` more items are done."""


class Progress(Protocol):
    """Receives steps as they start."""

    def step(self, name: str, total: int = 0) -> AbstractContextManager[Step]:
        """Open a step of `total` items (0: unknown); use as a context manager."""


class _Silent:
    def advance(self, count: int = 1, note: str = "") -> None:
        pass


class NullProgress:
    """Logs the start of each step and shows nothing."""

    @contextmanager
    def step(self, name: str, total: int = 0) -> Iterator[Step]:
        """Open a step."""
        log.info("%s%s", name, f" ({total})" if total else "")
        yield _Silent()


SILENT = NullProgress()
