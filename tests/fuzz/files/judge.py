"""What is wrong with how a command ended on a broken file."""

from __future__ import annotations

import re
import signal
from collections.abc import Collection

from .sandbox import Limits, Outcome

WARNING = re.compile(
    r"^.*(?:\w*Warning: .*|\[W\S* .*|Exception ignored.*|terminate called.*|Traceback \(.*)$",
    re.MULTILINE,
)
BUG = re.compile(r"^NL070 this is a bug in nnlogic  \((.*)\)\n(.*)", re.MULTILINE)
PLACE = re.compile(r"/\S*/")
DIFFERENT = 1
"""Exit code of a verdict, which is of a run and not of a file."""
NUMBER = re.compile(r"\d+")


def fault(outcome: Outcome, name: str, codes: Collection[int], limits: Limits) -> str | None:
    """Return what is wrong, or None.

    Parameters
    ----------
    outcome : Outcome
    name : str
        Of the broken file: a message has to say it.
    codes : collection of int
        Exit codes that a refusal may have; 0 is right too.
    limits : Limits
        What the command ran with.
    """
    text = outcome.text
    if outcome.late or outcome.code == -signal.SIGKILL:
        return "hang"
    if outcome.memory > limits.memory or "out of memory" in text or "MemoryError" in text:
        return "memory"
    if outcome.code < 0:
        return f"dies of {signal.Signals(-outcome.code).name}"
    warning = WARNING.search(text)
    if warning:
        return f"on stderr: {_plain(warning.group())}"
    if outcome.code == 0:
        return None
    if outcome.code not in codes:
        bug = BUG.search(text)
        said = f"{bug[1]}: {bug[2].strip()}" if bug else _error(text).partition("\n")[0]
        return f"exit {outcome.code}: {_plain(said)}"
    if outcome.code != DIFFERENT and name not in _error(text):
        return f"the message does not name the file: {_plain(_error(text).partition(chr(10))[0])}"
    return None


def _error(text: str) -> str:
    """Return the last message; what goes before it is progress."""
    start = [found.start() for found in re.finditer(r"^NL\d{3} ", text, re.MULTILINE)]
    return text[start[-1] :] if start else text


def _plain(text: str) -> str:
    """Return a message without folders and figures, so that like ones are the same."""
    line = re.search(r"py:\d+", text)
    plain = NUMBER.sub("N", PLACE.sub("", text[:200]))
    return plain.replace("py:N", line.group(), 1) if line else plain
