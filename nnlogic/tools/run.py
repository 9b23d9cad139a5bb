"""Run external programs so that no failure passes for success.

Some programs exit with 0 after an error (ABC does), hang, leave children behind, or write half
a file. A run counts as good only when the exit status is 0, no failure phrase was printed, and
every promised output exists and is not empty.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path

from nnlogic.core.errors import ToolFailed, ToolTimeout
from nnlogic.core.inert import visible
from nnlogic.tools.budget import budget
from nnlogic.tools.find import Tool
from nnlogic.tools.guardian import GUARDIAN
from nnlogic.tools.limits import limits
from nnlogic.tools.plain import scratch_place

log = logging.getLogger("nnlogic.tools")

# A program that prints without end must not fill the memory: the middle is left out.
KEPT_CHARS = 8_000_000
MAX_LINE = 65_536
GRACE_SECONDS = 2.0


@dataclass(frozen=True)
class Completed:
    """What a good run printed, and how long it took in seconds."""

    output: str
    seconds: float


def run_tool(
    tool: Tool,
    args: Sequence[str | Path],
    *,
    cwd: Path,
    timeout: float | None = None,
    outputs: Sequence[Path] = (),
    failure_phrases: Sequence[str] = (),
    env: dict[str, str] | None = None,
    log_file: Path | None = None,
    on_line: Callable[[str], None] | None = None,
) -> Completed:
    """Run a program and make sure it did what it should.

    Parameters
    ----------
    tool : Tool
        From `nnlogic.tools.find`.
    args : sequence
        Arguments after the tool's own command.
    cwd : Path
        Working directory.
    timeout : float, optional
        Seconds after which the program and its children are killed. Never more than what
        `nnlogic.tools.limits` says, which also bounds what it may print, nor than what
        `nnlogic.tools.budget` has left.
    outputs : sequence of Path
        Files that must exist and be non-empty afterwards; older ones are removed first.
    failure_phrases : sequence of str
        Text that means failure whatever the exit status; matched within a line.
    env : dict, optional
        Added to the environment, over the tool's own.
    log_file : Path, optional
        Receives everything the program prints, as it prints it.
    on_line : callable, optional
        Called with each line as it comes, from another thread; must not raise.

    Returns
    -------
    Completed
        With standard output and error as one text; the middle of a very long one is left out.

    Raises
    ------
    ToolTimeout, ToolFailed
        With the command and the last lines of its output.
    """
    bounds = limits()
    timeout = budget().within_timeout(bounds.within(timeout))
    command = [*tool.command, *(str(a) for a in args)]
    for path in outputs:
        path.unlink(missing_ok=True)
    log.debug("run %s in %s", visible(command), visible(cwd))
    start = time.monotonic()
    reader = _Reader(failure_phrases, log_file, on_line, bounds.characters)
    own = {"TMPDIR": scratch_place(tempfile.gettempdir()), **GUARDIAN.environment()}
    whole = {**os.environ, **tool.env, **(env or {}), **own}
    process = _start(tool, command, cwd, whole)
    with GUARDIAN.watched(process.pid):
        _wait(tool, process, reader, timeout, _shown(command, cwd))
    if reader.flooded:
        raise ToolFailed(
            f"{tool.name} printed more than {bounds.megabytes:g} MB and was stopped",
            where=_shown(command, cwd),
            why=_tail(reader.text()),
            fix="raise the limit (--tool-output)",
        )
    why = _failure(process.returncode, reader, outputs)
    if why:
        raise ToolFailed(
            f"{tool.name} failed",
            where=_shown(command, cwd),
            why=f"{why}\n{_tail(reader.text())}".rstrip(),
        )
    return Completed(reader.text(), time.monotonic() - start)


def _wait(
    tool: Tool, process: subprocess.Popen[str], reader: _Reader, timeout: float, where: str
) -> None:
    """Wait until a program has ended, with all that it printed read."""
    reader.process = process
    reader.start()
    # Popen.wait with a timeout polls, with sleeps of up to 50 ms; a thread does not.
    waiter = threading.Thread(target=process.wait, daemon=True)
    waiter.start()
    try:
        waiter.join(timeout)
    except BaseException:
        _kill(process)
        raise
    if waiter.is_alive():
        _kill(process)
        reader.join(GRACE_SECONDS)
        raise ToolTimeout(
            f"{tool.name} did not finish in {timeout:g} s",
            where=where,
            why=_tail(reader.text()),
            fix="raise the limit (--tool-timeout) or lower --effort",
        )
    reader.join(GRACE_SECONDS)
    if reader.is_alive():
        # A child outlived the program and holds its output open.
        _kill(process)
        reader.join(GRACE_SECONDS)


def _start(tool: Tool, command: list[str], cwd: Path, env: dict[str, str]) -> subprocess.Popen[str]:
    try:
        return subprocess.Popen(
            command,
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        raise ToolFailed(
            f"{tool.name} could not be started", where=tool.source, why=str(error)
        ) from error


class _Reader(threading.Thread):
    """Reads a program's output as it comes; hands it on, and keeps a bounded part of it."""

    def __init__(
        self,
        phrases: Sequence[str],
        log_file: Path | None,
        on_line: Callable[[str], None] | None,
        most: float,
    ) -> None:
        super().__init__(daemon=True)
        self.phrases, self.on_line, self.most = phrases, on_line, most
        self.process: subprocess.Popen[str] | None = None
        self.flooded = False
        self.lock = threading.Lock()
        self.log = log_file.open("w", encoding="utf-8") if log_file is not None else None
        self.phrase = self.trouble = ""
        self.head: list[str] = []
        self.tail: deque[str] = deque()
        self.head_size = self.tail_size = self.dropped = 0

    def run(self) -> None:
        """Read until the last holder of the pipe closes it."""
        if self.process is None or self.process.stdout is None:
            return
        seen = 0
        with self.process.stdout as stream, self.log or nullcontext():
            while line := stream.readline(MAX_LINE):
                seen += len(line)
                if seen > self.most:
                    self.flooded = True
                    _kill_group(self.process)
                    return
                with self.lock:
                    self._keep(line)
                self._log(line)
                if self.on_line is not None:
                    self.on_line(line.rstrip("\n"))

    def _keep(self, line: str) -> None:
        if not self.phrase:
            self.phrase = next((phrase for phrase in self.phrases if phrase in line), "")
        if self.head_size < KEPT_CHARS // 2:
            self.head.append(line)
            self.head_size += len(line)
            return
        self.tail.append(line)
        self.tail_size += len(line)
        while self.tail_size > KEPT_CHARS // 2:
            gone = len(self.tail.popleft())
            self.tail_size -= gone
            self.dropped += gone

    def _log(self, line: str) -> None:
        if self.log is None or self.trouble:
            return
        try:
            self.log.write(line)
            self.log.flush()
        except OSError as error:
            self.trouble = f"its log could not be written: {error}"

    def text(self) -> str:
        """Return what was kept."""
        with self.lock:
            gap = [f"\n[... {self.dropped} characters left out ...]\n"] if self.dropped else []
            return "".join([*self.head, *gap, *self.tail])


def _failure(status: int, reader: _Reader, outputs: Sequence[Path]) -> str:
    if status < 0:
        hint = ", out of memory is the usual cause" if -status == signal.SIGKILL else ""
        return f"killed by {signal.Signals(-status).name}{hint}"
    if status:
        return f"exit status {status}"
    if reader.phrase:
        return f"exit status 0, but it printed {reader.phrase!r}"
    for path in outputs:
        if not path.exists() or not path.stat().st_size:
            return f"exit status 0, but it did not write {path.name}"
    return reader.trouble


def _kill(process: subprocess.Popen[str]) -> None:
    _kill_group(process)
    process.wait()


def _kill_group(process: subprocess.Popen[str]) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _tail(output: str, lines: int = 12) -> str:
    return "\n".join(output.strip().splitlines()[-lines:])


def _shown(command: Sequence[str], cwd: Path) -> str:
    text = " ".join(command)
    return f"{text if len(text) < 300 else text[:300] + ' ...'}, in {cwd}"
