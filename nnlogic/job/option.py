"""Options stated once: default, choices, limits and help stand in the field of a dataclass."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from nnlogic.core.errors import Problem
from nnlogic.core.inert import visible

KEY = "option"
ALLOWED: dict[type, Any] = {
    str: str | int | Path, Path: object, bool: bool, int: int | float, float: int | float,
}  # fmt: skip
"""Types of values by `Option.kind`; what is no file is said where it is opened."""
NAMED = {str: "a text", bool: "true or false", int: "a number", float: "a number"}


@dataclass(frozen=True)
class Option:
    """What a user may give for a field.

    Attributes
    ----------
    help : str
        One sentence or two.
    metavar : str
        What to call the value, ``""`` for the default of its type.
    flags : str
        On the command line; ``""`` makes it from the field's name.
    kind : type
        Of the value: str, int, float, bool or `pathlib.Path`.
    choices : sequence of str
        All values there are; empty for any.
    least, most : number or None
        Smallest and largest value.
    above : number or None
        All values are larger.
    pattern : str
        Regular expression that a whole text fits; empty for any.
    shown : bool
        Whether help shows the default.
    implies : bool
        Whether giving it asks for the backend that has it.
    planned : bool
        Whether ``--backend auto`` takes it.
    until : str
        The last stage that reads it, where that is not the last of all.
    """

    help: str
    metavar: str = ""
    flags: str = ""
    kind: type = str
    choices: Sequence[str] = ()
    least: float | None = None
    most: float | None = None
    above: float | None = None
    pattern: str = ""
    shown: bool = False
    implies: bool = False
    planned: bool = True
    until: str = ""

    def flag(self, name: str) -> str:
        """Return the first flag of the field `name`."""
        return self.flags.split("/")[0] or f"--{name.replace('_', '-')}"

    def type_problem(self, name: str, value: Any) -> Problem | None:
        """Return what is wrong with the type of a value; None is no value."""
        if value is None or isinstance(value, ALLOWED[self.kind]):
            return None
        return Problem(self.flag(name), f"{value!r:.80} is not {NAMED[self.kind]}")

    def problem(self, name: str, value: Any) -> Problem | None:
        """Return what is wrong with a value; None is no value."""
        if value is None:
            return None
        if wrong := self.type_problem(name, value):
            return wrong
        if self.choices and value not in self.choices:
            return Problem(self.flag(name), f"{value!r} is not one of {', '.join(self.choices)}")
        if self.pattern and not re.fullmatch(self.pattern, str(value), re.ASCII):
            why = f"{visible(value)!r} does not fit the pattern {self.pattern}"
            return Problem(self.flag(name), why, self.help)
        limits = []
        if self.least is not None and not value >= self.least:
            limits.append(f"at least {self.least:g}")
        if self.above is not None and not self.above < value < float("inf"):
            limits.append(f"more than {self.above:g}")
        if self.most is not None and not value <= self.most:
            limits.append(f"at most {self.most:g}")
        if limits:
            why = f"{value:g}, must be {' and '.join(limits)}"
            return Problem(self.flag(name), why, "name a number inside")
        return None


def option(default: Any, help: str, **facts: Any) -> Any:
    """Return a dataclass field with `default` that users may set; `facts` as in `Option`."""
    return field(default=default, metadata={KEY: Option(help, **facts)})


def options_of(cls: type) -> dict[str, tuple[Option, Any]]:
    """Return by field name what users may set in a dataclass, and the default."""
    return {f.name: (f.metadata[KEY], f.default) for f in fields(cls) if KEY in f.metadata}


def type_problems(given: Any) -> list[Problem]:
    """Return which values of an options dataclass are of a type that they cannot have."""
    options = options_of(type(given)).items()
    found = (what.type_problem(name, getattr(given, name)) for name, (what, _) in options)
    return [problem for problem in found if problem is not None]


def value_problems(given: Any) -> Iterator[Problem]:
    """Yield what is wrong with single values of an options dataclass."""
    for name, (what, _) in options_of(type(given)).items():
        found = what.problem(name, getattr(given, name))
        if found is not None:
            yield found
