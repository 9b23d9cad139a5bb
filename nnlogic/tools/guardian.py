"""Programs that are running end with the process that runs them, however that one ends.

A killed process (SIGKILL, out of memory) cannot clean up. So a small second process, the guardian,
holds the reading end of a pipe whose other end only this process has: when that closes, whatever
runs by then is killed, with its children. Started with the first program; one for each process.
"""

from __future__ import annotations

import atexit
import os
import secrets
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nnlogic.tools import guardian_process

MARK = guardian_process.MARK


class Guardian:
    """The guardian of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._groups: set[int] = set()
        self.token = ""

    @contextmanager
    def inherited(self) -> Iterator[None]:
        """Have what is started inside the block, by whomever, marked as of this process."""
        mark = self.environment()
        before = {name: os.environ.get(name) for name in mark}
        os.environ.update(mark)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value

    def environment(self) -> dict[str, str]:
        """Return what marks a program, in its environment, as one of this process."""
        with self._lock:
            self._start()
            return {MARK: self.token}

    @contextmanager
    def watched(self, group: int) -> Iterator[None]:
        """Have a process group killed if this process dies inside the block."""
        self._say("+", group)
        try:
            yield
        finally:
            self._say("-", group)

    def close(self) -> None:
        """End the guardian; it kills what still runs."""
        with self._lock:
            if not self._groups:
                self._write("=\n")
            process, self._process = self._process, None
            self._groups.clear()
        if process is not None and process.stdin is not None:
            process.stdin.close()
            process.wait()

    def reset(self) -> None:
        """Let go of the guardian of the process that this one was forked from."""
        self._lock = threading.Lock()
        process, self._process = self._process, None
        self._groups = set()
        if process is not None and process.stdin is not None:
            process.stdin.close()
            # Not a child of this process: there is nothing to wait for.
            process.returncode = 0

    def _say(self, word: str, group: int) -> None:
        with self._lock:
            (self._groups.add if word == "+" else self._groups.discard)(group)
            if self._process is None or not self._write(f"{word}{group}\n"):
                self._start()

    def _start(self) -> None:
        """Start the process where it does not run, and tell it everything."""
        if self._process is not None and self._process.poll() is None:
            return
        self.token = self.token or secrets.token_hex(16)
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(guardian_process.__file__)), self.token],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=os.sep,
            bufsize=0,
            env={name: value for name, value in os.environ.items() if name != MARK},
            # Ctrl-C of a terminal, and a signal to the group, must not reach it.
            start_new_session=True,
        )
        self._write("".join(f"+{group}\n" for group in sorted(self._groups)))

    def _write(self, text: str) -> bool:
        if self._process is None or self._process.stdin is None:
            return False
        try:
            self._process.stdin.write(text.encode())
        except BrokenPipeError:
            self._process.wait()
            return False
        return True


GUARDIAN = Guardian()
atexit.register(GUARDIAN.close)
os.register_at_fork(after_in_child=GUARDIAN.reset)
