"""Number formats of few bits, by name: what each code stands for, as exact fractions.

A format is a file here with ``NUMBERS``, a `Numbers`; other packages name theirs by an entry point
of the group ``nnlogic.numbers``. ``posit(4,1)`` in a recipe is the kind and its arguments.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from fractions import Fraction
from functools import cache, cached_property
from math import lcm
from typing import ClassVar

import numpy as np

from nnlogic.core.archive import frozen
from nnlogic.core.errors import UsageError
from nnlogic.core.formats import IntArray
from nnlogic.core.plugins import by_kind

MOST_BITS = 8
_NAME = re.compile(r"([a-z_]+)\(([-0-9, ]*)\)")


@dataclass(frozen=True)
class Numbers:
    """A number format: a base. The fields of a subclass, integers, are its arguments.

    Attributes
    ----------
    kind : str
        Its name.
    meaning : str
        One line for people.
    """

    kind: ClassVar[str] = ""
    meaning: ClassVar[str] = ""

    @property
    def bits(self) -> int:
        """Bits of a code."""
        raise NotImplementedError

    def decode(self, code: int) -> Fraction | None:
        """Return what a code, 0 to ``2**bits - 1``, stands for; None where it is no number."""
        raise NotImplementedError

    def problems(self) -> list[str]:
        """Return what is wrong with the arguments."""
        return [] if 1 <= self.bits <= MOST_BITS else [f"{self.bits} bits, 1 to {MOST_BITS}"]

    @cached_property
    def values(self) -> tuple[Fraction, ...]:
        """The distinct numbers, in increasing order."""
        found = (self.decode(code) for code in range(1 << self.bits))
        return tuple(sorted({value for value in found if value is not None}))

    @cached_property
    def unit(self) -> Fraction:
        """The largest number that all values are whole multiples of."""
        below = lcm(*(v.denominator for v in self.values))
        return Fraction(int(np.gcd.reduce([int(v * below) for v in self.values])) or 1, below)

    @cached_property
    def integers(self) -> IntArray:
        """The values in units, int64, increasing."""
        return frozen([int(v / self.unit) for v in self.values], np.int64)

    def __str__(self) -> str:
        """Return the name that `numbers` reads."""
        return f"{self.kind}({','.join(str(getattr(self, f.name)) for f in fields(self))})"


@cache
def kinds() -> dict[str, type[Numbers]]:
    """Return all kinds of formats by name."""
    return by_kind(__name__, "NUMBERS", "nnlogic.numbers")


def is_numbers(name: str) -> bool:
    """Whether a text looks like the name of a format: ``kind(arguments)``."""
    return _NAME.fullmatch(name.strip()) is not None


@cache
def numbers(name: str) -> Numbers:
    """Return the format of a name such as ``minifloat(2,1)`` or ``ternary()``.

    Raises
    ------
    UsageError
        No such format, or arguments that make no sense.
    """
    found = _NAME.fullmatch(name.strip())
    known = kinds()
    usages = ", ".join(f"{k}({','.join(f.name for f in fields(c))})" for k, c in known.items())
    if found is None or found[1] not in known:
        raise UsageError("no such number format", why=repr(name), fix=f"known are {usages}")
    cls = known[found[1]]
    words = [word for word in found[2].split(",") if word.strip()]
    names = [f.name for f in fields(cls)]
    if len(words) != len(names):
        usage = f"{found[1]}({','.join(names)})"
        why = f"{len(words)} arguments in {name!r}"
        raise UsageError("number format not understood", why=why, fix=f"write {usage}")
    try:
        made = cls(*(int(word) for word in words))
    except ValueError as error:
        raise UsageError("number format not understood", why=f"{name!r}: {error}") from error
    if problems := made.problems():
        raise UsageError("number format not understood", why=f"{name!r}: {'; '.join(problems)}")
    return made
