"""What a compiled network never does: statements, proved or refuted on its logic.

A kind of statement is one module here with ``PROPERTY``, a `Property`; other packages name theirs
by an entry point of the group ``nnlogic.properties``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from nnlogic.core.plugins import by_kind
from nnlogic.properties.claim import Claim
from nnlogic.properties.subject import Subject

GROUP = "nnlogic.properties"


@dataclass(frozen=True)
class Property:
    """A kind of statement.

    Attributes
    ----------
    kind : str
        Its first word.
    usage : str
        Its form, for help texts.
    meaning : str
        In words, for help texts.
    claims : callable
        Takes the words after the first, and the subject; yields what has to be decided, one claim
        for each row where a statement is about rows.
    """

    kind: str
    usage: str
    meaning: str
    claims: Callable[[Sequence[str], Subject], Iterator[Claim]]


@cache
def properties() -> Mapping[str, Property]:
    """Return every kind of statement by its first word."""
    return by_kind("nnlogic.properties", "PROPERTY", GROUP)
