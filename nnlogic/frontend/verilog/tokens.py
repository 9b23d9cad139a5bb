"""Tokens of structural Verilog; what a ``case`` lists is one token."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from nnlogic.core.limits import LINKS, NESTING
from nnlogic.frontend.verilog.case import NUMBER
from nnlogic.frontend.verilog.text import NotTables

_OPERATORS = r"<<<|>>>|===|!==|<<|>>|<=|>=|==|!=|&&|\|\||\*\*|~&|~\||~\^|\^~|\+:|-:|@\*|'\{"
_TOKEN = re.compile(rf"\s++|({NUMBER}|'[01](?!\w)|\$?[A-Za-z_]\w*|\"[^\"\n]*\"|{_OPERATORS}|\S)")
_CASE = re.compile(r"(?<!\w)case[xz]?\s*\([^()]*\)")
_LEVEL = re.compile(r"\b(?:(endcase)|case[xz]?)\b")
BODY = "<case>"  # the token that stands for what a case lists, up to endcase


class Tokens:
    """Tokens of a stretch of text, read one after another.

    The entries of a ``case`` are many and are one token, `BODY`; `bodies` maps its offset to its
    end.
    """

    def __init__(self, text: str, start: int, end: int, depth: int = 0) -> None:
        self.text = text
        self.words: list[str] = []
        self.offsets: list[int] = []
        self.bodies: dict[int, int] = {}
        self.next = 0
        self.depth = depth
        while case := _CASE.search(text, start, end):
            self._append(start, case.end())
            stop = self._endcase(case, end)
            self.bodies[case.end()] = stop
            self.words.append(BODY)
            self.offsets.append(case.end())
            start = stop
        self._append(start, end)
        self.words.append("")
        self.offsets.append(end)

    def _endcase(self, case: re.Match[str], end: int) -> int:
        level = 1
        for found in _LEVEL.finditer(self.text, case.end(), end):
            level += -1 if found[1] else 1
            if not level:
                return found.start()
        raise NotTables(case.start(), "a case without endcase")

    def _append(self, start: int, end: int) -> None:
        for found in _TOKEN.finditer(self.text, start, end):
            if found[1]:
                self.words.append(found[1])
                self.offsets.append(found.start())

    @contextmanager
    def nested(self) -> Iterator[None]:
        """Count a level of nesting.

        Raises
        ------
        NotTables
            There are more than `NESTING` allows.
        """
        self.depth += 1
        if self.depth > NESTING.value:
            why = f"nested more than {NESTING.value} levels deep"
            raise NotTables(self.at, why, f"write it flat, or {NESTING.more}")
        yield
        self.depth -= 1

    def link(self, count: int) -> None:
        """Say how many operands or branches stand one behind another, the next one included.

        Raises
        ------
        NotTables
            There are more than `LINKS` allows: readers of Verilog nest them within each other.
        """
        if count > LINKS.value:
            raise NotTables(self.at, f"more than {LINKS.value:,} {LINKS.what}", LINKS.more)

    @property
    def word(self) -> str:
        """The token to be read next; empty at the end."""
        return self.words[self.next]

    @property
    def at(self) -> int:
        """Offset of that token."""
        return self.offsets[self.next]

    @property
    def shown(self) -> str:
        """That token for a message."""
        return self.word[:40] or "the end"

    def take(self) -> str:
        """Return the next token and step over it."""
        word = self.word
        if word:
            self.next += 1
        return word

    def accept(self, word: str) -> bool:
        """Step over a token if it is the next one."""
        if self.word != word:
            return False
        self.next += 1
        return True

    def expect(self, word: str) -> None:
        """Step over a token that must come now."""
        if not self.accept(word):
            raise NotTables(self.at, f"expected {word!r}, found {self.shown!r}")

    def identifier(self) -> str:
        """Return the next token, which must be a name."""
        if not self.word or not (self.word[0].isalpha() or self.word[0] == "_"):
            raise NotTables(self.at, f"expected a name, found {self.shown!r}")
        return self.take()
