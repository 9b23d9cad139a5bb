"""What every external program is held to, whoever runs it: seconds, and how much it may print."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

SECONDS = 600.0
MEGABYTES = 256.0


@dataclass(frozen=True)
class Limits:
    """Limits of a command.

    Attributes
    ----------
    seconds : float or None
        No program runs longer; None where the user has said nothing, and callers choose.
    megabytes : float
        A program that prints more is stopped: it would fill memory, log and disk.
    """

    seconds: float | None = None
    megabytes: float = MEGABYTES

    @property
    def characters(self) -> float:
        """Most characters of output."""
        return self.megabytes * 1e6

    def within(self, timeout: float | None) -> float:
        """Return the seconds for a program that a caller gives `timeout`, or leaves it to us."""
        if timeout is None:
            return SECONDS if self.seconds is None else self.seconds
        return timeout if self.seconds is None else min(timeout, self.seconds)


NONE = Limits()
_LIMITS: ContextVar[Limits] = ContextVar("limits", default=NONE)


def limits() -> Limits:
    """Return what programs are held to now."""
    return _LIMITS.get()


@contextmanager
def limited(to: Limits) -> Iterator[None]:
    """Hold programs to some limits inside the block."""
    before = _LIMITS.set(to)
    try:
        yield
    finally:
        _LIMITS.reset(before)
