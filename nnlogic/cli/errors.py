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
from nnlogic.core.errors import NNLogicError, UsageError

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
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.EMFILE: "raise the limit of open files (ulimit -n), or lower --jobs",
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
            return self._print(INTERRUPTED, f"Interrupted. {self.session.interrupted}")
        if isinstance(error, click.ClickException):
            where = getattr(error, "ctx", None)
            hint = f"\n  see: {where.command_path} --help" if where else ""
            return self._print(error.exit_code, f"NL100 {error.format_message()}{hint}")
        known = _as_known(error)
        if known is not None:
            return self._print(known.exit_code, known.text(), _data(known))
        return self._print(BUG, self._bug(error))

    def _bug(self, error: BaseException) -> str:
        last = traceback.extract_tb(error.__traceback__)[-1:]
        place = f", {last[0].filename}:{last[0].lineno}" if last else ""
        text = f"NL070 this is a bug in nnlogic  ({type(error).__name__}{place})\n  {error}"
        if not self.session.traceback:
            text += "\n  fix: run the same command with --traceback and report what it prints"
        return text

    def _print(self, code: int, text: str, data: dict[str, Any] | None = None) -> int:
        click.echo(text, err=True)
        if self.session.json:
            body = {**(data or {"what": text}), "exit_code": code}
            click.echo(json.dumps({"error": body}, indent=1))
        return code


def _as_known(error: BaseException) -> NNLogicError | None:
    if isinstance(error, NNLogicError):
        return error
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
