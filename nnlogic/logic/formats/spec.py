"""Specification: what a file of logic asks for, whichever format it came in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePath

from nnlogic.core.errors import FormatError, Problem
from nnlogic.core.names import identifier
from nnlogic.logic.cone import Cone
from nnlogic.logic.formats.cover import Cover
from nnlogic.logic.support import Partial

MOST_PROBLEMS = 20


@dataclass(frozen=True, eq=False)
class Specification:
    """Named inputs and outputs, and what the outputs must be.

    Attributes
    ----------
    name : str
        Name of the model.
    inputs, outputs : tuple of str
        All different, without blanks.
    content : Partial, Cone or Cover
        *Tabular*: on- and off-set of every output over at most 16 inputs, don't-cares per
        output. *A network*: complete, any number of inputs. *Cubes*: a PLA with more inputs.
    """

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    content: Partial | Cone | Cover


@dataclass
class Complaints:
    """Collects what is wrong with a file, so that all of it is said at once."""

    where: str
    found: list[Problem] = field(default_factory=list)

    def add(self, line: int, why: str, fix: str = "") -> None:
        """Add a problem; lines count from 1, 0 is the file as a whole."""
        self.found.append(Problem(f"line {line}" if line else "file", why, fix))

    def error(self) -> FormatError:
        """Return the error that lists what was found."""
        left = len(self.found) - MOST_PROBLEMS
        more = [Problem("...", f"{left} more problems")] if left > 0 else []
        shown = [*self.found[:MOST_PROBLEMS], *more]
        return FormatError("cannot read the file", where=self.where, problems=shown)

    def check(self) -> None:
        """Raise when anything was found."""
        if self.found:
            raise self.error()


def model_name(where: str) -> str:
    """Return a name for what a file without one describes."""
    return identifier(PurePath(where).stem)


def decoded(data: bytes, where: str) -> str:
    """Return a file's text.

    Raises
    ------
    FormatError
        Bytes that are no UTF-8 text, with the line.
    """
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        complaints = Complaints(where)
        complaints.add(data[: error.start].count(b"\n") + 1, f"byte {error.start} is not text")
        raise complaints.error() from error


def clean_names(
    inputs: Sequence[str], outputs: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Make names that every output format can hold, all different.

    Anything but printable ASCII, any of ``# = < > " * ` ;`` and the backslash, a ``$`` at the start
    and a second ``/`` become ``_``, so that the name is one word wherever it is written; a name
    that is taken gets ``_2``, ``_3`` and so on. Names that are fine stay as they are.
    """
    used: set[str] = set()
    names = []
    for text in (*inputs, *outputs):
        base = name = legal_name(text)
        count = 1
        while name in used:
            count += 1
            name = f"{base}_{count}"
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
