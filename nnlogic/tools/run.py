"""Run external programs so that no failure passes for success.

Some programs exit with 0 after an error (ABC does), hang, or write half a file. A run counts as
good only when the exit status is 0, no failure phrase was printed, and every promised output
exists and is not empty.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nnlogic.core.errors import ToolFailed, ToolTimeout
from nnlogic.tools.find import Tool

log = logging.getLogger("nnlogic.tools")


@dataclass(frozen=True)
class Completed:
    """What a good run printed, and how long it took."""

    output: str
    seconds: float


def run_tool(
    tool: Tool,
    args: Sequence[str | Path],
    *,
    cwd: Path,
    timeout: float,
    outputs: Sequence[Path] = (),
    failure_phrases: Sequence[str] = (),
    env: dict[str, str] | None = None,
    log_file: Path | None = None,
) -> Completed:
    """Run a program and make sure it did what it should.

    Parameters
    ----------
    tool : Tool
        From `nnlogic.tools.find`.
    args : sequence
        Arguments after the tool's own command.
    cwd : Path
        Working directory; also the HOME of the program, so that no personal start-up file is read.
    timeout : float
        Seconds after which the program and its children are killed.
    outputs : sequence of Path
        Files that must exist and be non-empty afterwards; older ones are removed first.
    failure_phrases : sequence of str
        Text that means failure whatever the exit status.
    log_file : Path, optional
        Receives everything the program printed.

    Raises
    ------
    ToolTimeout, ToolFailed
        With the command and the last lines of its output.
    """
    command = [*tool.command, *(str(a) for a in args)]
    for path in outputs:
        path.unlink(missing_ok=True)
    log.debug("run %s in %s", command, cwd)
    start = time.monotonic()
    try:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env={**os.environ, **tool.env, **(env or {})},
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
    try:
        output, _ = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired as error:
        _kill(process)
        output, _ = process.communicate()
        _save(log_file, output)
        raise ToolTimeout(
            f"{tool.name} did not finish in {timeout:g} s",
            where=_shown(command, cwd),
            why=_tail(output),
            fix="raise the limit (--tool-timeout) or lower --effort",
        ) from error
    except BaseException:
        _kill(process)
        process.wait()
        raise
    _save(log_file, output)
    why = _failure(process.returncode, output, outputs, failure_phrases)
    if why:
        raise ToolFailed(
            f"{tool.name} failed",
            where=_shown(command, cwd),
            why=f"{why}\n{_tail(output)}".rstrip(),
        )
    return Completed(output, time.monotonic() - start)


def _failure(status: int, output: str, outputs: Sequence[Path], phrases: Sequence[str]) -> str:
    if status:
        return f"exit status {status}"
    for phrase in phrases:
        if phrase in output:
            return f"exit status 0, but it printed {phrase!r}"
    for path in outputs:
        if not path.exists() or not path.stat().st_size:
            return f"exit status 0, but it did not write {path.name}"
    return ""


def _kill(process: subprocess.Popen[str]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        process.kill()


def _save(log_file: Path | None, output: str) -> None:
    if log_file is not None:
        log_file.write_text(output)


def _tail(output: str, lines: int = 12) -> str:
    return "\n".join(output.strip().splitlines()[-lines:])


def _shown(command: Sequence[str], cwd: Path) -> str:
    text = " ".join(command)
    return f"{text if len(text) < 300 else text[:300] + ' ...'}, in {cwd}"
