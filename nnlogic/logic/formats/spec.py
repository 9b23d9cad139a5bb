"""Specification: what a file of logic asks for, whichever format it came in."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePath

from nnlogic.core.errors import FormatError, Problem
from nnlogic.core.inert import visible
from nnlogic.core.limits import ENTRIES, PORTS, Limit
from nnlogic.core.names import identifier
from nnlogic.logic.cone import Cone
from nnlogic.logic.formats.cover import Cover
from nnlogic.logic.support import Partial

MOST_PROBLEMS = 20
_MARKS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}
MARK = b"\xef\xbb\xbf"
_DIGITS = 18


@dataclass(frozen=True, eq=False)
class Specification:
    """Named inputs and outputs, and what the outputs must be.

    Attributes
    ----------
    name : str
        Name of the model.
    inputs, outputs : tuple of str
        All different, without blanks.
    content : Partial, Cone, Relaxed or Cover
        *Tabular*: on- and off-set of every output over at most 16 inputs, don't-cares per
        output. *A network*: complete, any number of inputs; or with a network of don't-cares.
        *Cubes*: a PLA with more inputs.
    """

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    content: Partial | Cone | Relaxed | Cover


@dataclass(frozen=True)
class Relaxed:
    """A network whose outputs do not matter where those of another network are 1.

    Attributes
    ----------
    network, free : Cone
        Of the same inputs and the same number of outputs.
    """

    network: Cone
    free: Cone


@dataclass
class Complaints:
    """Collects what is wrong with a file, so that all of it is said at once."""

    where: str
    found: list[Problem] = field(default_factory=list)
    more: int = 0

    def add(self, line: int, why: str, fix: str = "") -> None:
        """Add a problem; lines count from 1, 0 is the file as a whole."""
        if len(self.found) < MOST_PROBLEMS:
            self.found.append(Problem(f"line {line}" if line else "file", visible(why), fix))
        else:
            self.more += 1

    def limit(self, line: int, limit: Limit, count: int, what: str) -> bool:
        """Add a problem where a count is beyond a limit, and return whether it is."""
        why = limit.why(count, what)
        if why:
            self.add(line, why, limit.fix(count))
        return bool(why)

    def tables(self, outputs: int, inputs: int) -> None:
        """Refuse more outputs, or entries of their tables, than limits allow."""
        what = f"entries of {outputs:,} tables of {inputs} inputs"
        if not self.limit(0, PORTS, outputs, "outputs"):
            self.limit(0, ENTRIES, outputs << inputs, what)

    def error(self) -> FormatError:
        """Return the error that lists what was found."""
        more = [Problem("...", f"{self.more} more problems")] if self.more else []
        return FormatError("cannot read the file", where=self.where, problems=[*self.found, *more])

    def check(self) -> None:
        """Raise when anything was found."""
        if self.found:
            raise self.error()


def model_name(where: str) -> str:
    """Return a name for what a file without one describes."""
    return identifier(PurePath(where).stem)


def count(word: str) -> int:
    """Return a number of a file, or -1 for what is none, or is of more digits than any count."""
    return int(word) if word.isdecimal() and len(word) <= _DIGITS else -1


def decoded(data: bytes, where: str) -> str:
    """Return a file's text, without a byte order mark, its lines ended by line feeds.

    Raises
    ------
    FormatError
        Bytes that are no UTF-8 text, with the line.
    """
    complaints = Complaints(where)
    try:
        text = data.removeprefix(MARK).decode()
    except UnicodeDecodeError as error:
        kind = _MARKS.get(data[:2])
        fix = f"it begins as {kind} does: save it as UTF-8" if kind else ""
        line = data[: error.start].count(b"\n") + 1
        complaints.add(line, f"byte {error.start} is not text", fix)
        raise complaints.error() from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def clean_names(
    inputs: Sequence[str], outputs: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Make names that every output format can hold, all different.

    Anything but printable ASCII, any of ``# = < > " * ` ;`` and the backslash, a ``$`` at the start
    and a second ``/`` become ``_``, so that the name is one word wherever it is written; a name
    that is taken gets ``_2``, ``_3`` and so on. Names that are fine stay as they are.
    """
    used: set[str] = set()
    last: Counter[str] = Counter()
    names = []
    for text in (*inputs, *outputs):
        base = name = legal_name(text)
        while name in used:
            last[base] += 1
            name = f"{base}_{last[base] + 1}"
        used.add(name)
        names.append(name)
    return tuple(names[: len(inputs)]), tuple(names[len(inputs) :])


def legal_name(text: str) -> str:
    """Return one name as `clean_names` makes it, whichever others there are."""
    name = "".join(c if "!" <= c <= "~" and c not in '#\\=<>"*`;' else "_" for c in text) or "_"
    return re.sub(r"^\$|(?<=/)/", "_", name)


def free_prefix(names: tuple[str, ...]) -> str:
    """Return a prefix for numbered nodes that no name starts with."""
    prefix = "n"
    while any(re.match(rf"{prefix}\d", name) for name in names):
        prefix += "_"
    return prefix
