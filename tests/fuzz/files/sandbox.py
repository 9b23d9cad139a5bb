"""Runs a command in a forked child, with limits of time, memory and written bytes."""

from __future__ import annotations

import os
import resource
import select
import signal
import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

Main = Callable[[Sequence[str]], int]
WRITTEN = 1 << 29
"""Bytes a command may write to one file."""
TOLD = 1 << 20
"""Bytes of its messages that are kept."""
COMMAND = 200 << 20
"""Bytes of a command by itself: the parent has the packages of all commands loaded."""


@dataclass(frozen=True)
class Limits:
    """What a command may take.

    Attributes
    ----------
    seconds : int
        Of the processor.
    memory : int
        Bytes resident at most, of what the parent had at the fork no more than `COMMAND`.
    patience : int
        Times as many seconds of the clock, which others may take most of.
    """

    seconds: int = 20
    memory: int = 1 << 30
    patience: int = 15


@dataclass(frozen=True)
class Outcome:
    """How a command ended.

    Attributes
    ----------
    code : int
        Exit code; negative the signal that ended it.
    text : str
        What it wrote to stderr.
    seconds : float
        Of the processor.
    memory : int
        Most bytes resident, counted in the same way.
    late : bool
        Whether a limit of time ended it.
    """

    code: int
    text: str
    seconds: float
    memory: int
    late: bool


def run(main: Main, argv: Sequence[str], folder: Path, limits: Limits) -> Outcome:
    """Run ``main(argv)`` in a child whose working directory is `folder`.

    The child has a session of its own, all of which is gone when this returns.
    """
    told = folder.parent / "stderr"
    loaded = _pages(1)
    child = os.fork()
    if child == 0:
        _child(main, argv, folder, told, limits)
    handle = os.pidfd_open(child)
    try:
        ended, _, _ = select.select([handle], [], [], limits.patience * limits.seconds)
        _end(child)
        _, status, used = os.wait4(child, 0)
    finally:
        os.close(handle)
    code = os.waitstatus_to_exitcode(status)
    with told.open("rb") as file:
        text = file.read(TOLD).decode("utf-8", "replace")
    return Outcome(
        code,
        text,
        used.ru_utime + used.ru_stime,
        used.ru_maxrss * 1024 - max(0, loaded - COMMAND),
        not ended or code == -signal.SIGXCPU,
    )


def _pages(column: int) -> int:
    """Bytes of this process: 0 mapped, 1 in memory."""
    return int(Path("/proc/self/statm").read_text().split()[column]) * resource.getpagesize()


def _end(child: int) -> None:
    # The child itself is still there, dead or alive: its number is not taken by another.
    try:
        os.killpg(child, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        os.kill(child, signal.SIGKILL)


def _child(main: Main, argv: Sequence[str], folder: Path, told: Path, limits: Limits) -> NoReturn:
    code = 71
    try:
        os.setsid()
        os.chdir(folder)
        for number, name in ((0, os.devnull), (1, os.devnull), (2, told)):
            flags = os.O_RDWR | (os.O_CREAT | os.O_TRUNC if number == 2 else 0)
            os.dup2(os.open(name, flags), number)
        sys.stdin, sys.stdout, sys.stderr = (
            open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115
            for number, mode in ((0, "r"), (1, "w"), (2, "w"))
        )
        mapped = _pages(0)
        # Twice: a limit that is hit exactly cannot be told from one that is not.
        _limit(resource.RLIMIT_AS, mapped + 2 * limits.memory)
        _limit(resource.RLIMIT_CPU, limits.seconds)
        _limit(resource.RLIMIT_FSIZE, WRITTEN)
        _limit(resource.RLIMIT_CORE, 0)
        signal.signal(signal.SIGXCPU, signal.SIG_DFL)
        warnings.resetwarnings()
        warnings.simplefilter("default")
        code = main(argv)
    except BaseException:  # noqa: BLE001  (whatever it is, the parent has to see it)
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stderr.flush()
        os._exit(code)


def _limit(what: int, most: int) -> None:
    resource.setrlimit(what, (most, most))
