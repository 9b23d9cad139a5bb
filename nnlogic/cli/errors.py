"""Errors to messages and exit codes: one place decides what a user sees."""

from __future__ import annotations

import errno
import json
import sys
import traceback
from types import TracebackType
from typing import Any

import click

from nnlogic.cli.options import Session
from nnlogic.core.errors import NNLogicError, ToolNotFound, UsageError
from nnlogic.core.inert import visible

BUG = 70
INTERRUPTED = 130

# What a user can do about an error of the operating system; any other one is a bug.
_SYSTEM = {
    errno.ENOSPC: "free some space, or choose another output directory",
    errno.EDQUOT: "free some space, or choose another output directory",
    errno.EFBIG: "choose an output directory on another file system",
    errno.EROFS: "choose an output directory you can write to",
    errno.EACCES: "choose a file or directory you have access to",
    errno.EPERM: "choose a file or directory you have access to",
    errno.ENOTDIR: "one part of the path is a file, not a directory",
    errno.EEXIST: "a file is where a directory is needed; choose another name",
    errno.EISDIR: "a directory is where a file is needed; choose another name",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.EMFILE: "raise the limit of open files (ulimit -n), or lower --jobs",
}

# Packages that only some verbs need, and the extra that brings them.
_EXTRAS = {
    "torch": "train",
    "sklearn": "train",
    "optuna": "train",
    "cocotb": "flow",
    "pyosys": "flow",
    "pyarrow": "tabular",
}


class Guard:
    """Context manager that turns any error into a message and an exit code.

    Attributes
    ----------
    exit_code : int
        Valid after an error.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.exit_code = 0

    def __enter__(self) -> Guard:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if error is None or isinstance(error, SystemExit):
            return False
        if self.session.traceback and not isinstance(error, click.ClickException):
            traceback.print_exception(kind, error, trace, file=sys.stderr)
        self.exit_code = self._report(error)
        return True

    def _report(self, error: BaseException) -> int:
        if isinstance(error, click.exceptions.Exit):
            return error.exit_code
        if isinstance(error, click.exceptions.NoArgsIsHelpError):
            error.show()
            return error.exit_code
        if isinstance(error, KeyboardInterrupt | click.Abort):
            text = f"Interrupted. {self.session.interrupted}"
            return self._print(INTERRUPTED, text, {"what": text})
        known = _as_known(error)
        if known is not None:
            return self._print(known.exit_code, known.text(), _data(known))
        text = self._bug(error)
        return self._print(BUG, text, {"what": text})

    def _bug(self, error: BaseException) -> str:
        last = traceback.extract_tb(error.__traceback__)[-1:]
        place = f", {last[0].filename}:{last[0].lineno}" if last else ""
        text = f"NL070 this is a bug in nnlogic  ({type(error).__name__}{place})\n  {error}"
        if not self.session.traceback:
            text += "\n  fix: run the same command with --traceback and report what it prints"
        return text

    def _print(self, code: int, text: str, data: dict[str, Any]) -> int:
        # Names from a model must not rewrite the terminal.
        click.echo("\n".join(visible(line) for line in text.splitlines()), err=True)
        if self.session.json:
            click.echo(json.dumps({"error": {**data, "exit_code": code}}, indent=1))
        return code


def _as_known(error: BaseException) -> NNLogicError | None:
    if isinstance(error, NNLogicError):
        return error
    if isinstance(error, click.ClickException):
        ctx = getattr(error, "ctx", None)
        hint = f"{ctx.command_path} --help" if ctx else "nnlogic --help"
        return UsageError(error.format_message(), fix=f"see {hint}")
    if isinstance(error, ModuleNotFoundError) and error.name:
        package = error.name.partition(".")[0]
        if package in _EXTRAS:
            fix = f"pip install 'nnlogic[{_EXTRAS[package]}]'"
            return ToolNotFound(f"{package} is needed and not installed", fix=fix)
    if isinstance(error, MemoryError):
        return UsageError(
            "out of memory",
            why=str(error),
            fix="lower --jobs, or prune the fan-in of the widest layer",
        )
    if isinstance(error, OSError) and error.errno in _SYSTEM:
        name = "" if error.filename is None else str(error.filename)
        why = error.strerror or str(error)
        return UsageError(
            "the system refused a file", where=name, why=why, fix=_SYSTEM[error.errno]
        )
    return None


def _data(error: NNLogicError) -> dict[str, Any]:
    problems = [{"where": p.where, "why": p.why, "fix": p.fix} for p in error.problems]
    return {
        "code": error.code,
        "what": error.what,
        "where": error.where,
        "why": error.why,
        "fix": error.fix,
        "problems": problems,
    }
