"""Run as a script by `nnlogic.tools.guardian`: kills the programs of a process that has died.

Usage: python guardian_process.py TOKEN. Standard input holds lines ``+GROUP`` and ``-GROUP``; where
it ends without a line ``=``, the process that wrote them was killed. TOKEN stands in the
environment of its programs and worker processes, which finds those it had no time to name. It
runs without site packages, so only the standard library is imported.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

MARK = "NNLOGIC_RUN_BY"
PAUSE = 0.1
# Workers and programs end when asked. What keeps track of their temporary files does not listen,
# and ends by itself when it has removed them.
SWEEPS = (signal.SIGTERM,) * 10 + (signal.SIGKILL,) * 10
PROC = Path("/proc")


def main(token: str) -> None:
    """Wait for the end of standard input, then kill."""
    groups: set[int] = set()
    for line in sys.stdin:
        if line == "=\n":
            return
        (groups.add if line[0] == "+" else groups.discard)(int(line[1:]))
    for group in groups:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)
    for word in SWEEPS:
        for process in marked(f"{MARK}={token}".encode()):
            with suppress(ProcessLookupError, PermissionError):
                os.kill(process, word)
        time.sleep(PAUSE)


def marked(text: bytes) -> Iterator[int]:
    """Yield processes that have a text in their environment, where the system shows it."""
    for folder in PROC.glob("[0-9]*"):
        with suppress(OSError):
            if text in (folder / "environ").read_bytes().split(b"\0"):
                yield int(folder.name)


if __name__ == "__main__":
    main(sys.argv[1])
