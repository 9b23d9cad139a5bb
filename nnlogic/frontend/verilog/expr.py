"""Tokens and expressions of structural Verilog: names, slices, concatenations, constants."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from nnlogic.frontend.verilog.case import NUMBER, number
from nnlogic.frontend.verilog.text import NotTables

_TOKEN = re.compile(rf"({NUMBER}|\$?[A-Za-z_]\w*|<=|>=|==|!=|&&|\|\||\+:|-:|@\*|\S)")
_CASE = re.compile(r"(?<!\w)case[xz]?\s*\([^()]*\)")
_ENDCASE = re.compile(r"endcase\b")
BODY = "<case>"  # the token that stands for what a case lists, up to endcase
_ARITHMETIC: dict[str, Callable[[int, int], int]] = {
    "+": int.__add__,
    "-": int.__sub__,
    "*": int.__mul__,
    "/": int.__floordiv__,
}


@dataclass(frozen=True, slots=True)
class Number:
    """A literal; `width` is None when it has none."""

    width: int | None
    value: int


@dataclass(frozen=True, slots=True)
class Name:
    """A signal or constant; with `high` a bit, with `low` too a slice."""

    name: str
    at: int
    high: Expr | None = None
    low: Expr | None = None


@dataclass(frozen=True, slots=True)
class Concat:
    """``{a, b}`` repeated `times`, most significant part first."""

    parts: tuple[Expr, ...]
    times: Expr | None = None


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """Constant arithmetic, as in ``[W-1:0]``."""

    sign: str
    left: Expr
    right: Expr


Expr = Number | Name | Concat | Arithmetic


class Tokens:
    """Tokens of a stretch of text, read one after another.

    The entries of a ``case`` are many and are one token, `BODY`; `bodies` maps its offset to its
    end.
    """

    def __init__(self, text: str, start: int, end: int) -> None:
        self.text = text
        self.words: list[str] = []
        self.offsets: list[int] = []
        self.bodies: dict[int, int] = {}
        self.next = 0
        while case := _CASE.search(text, start, end):
            self._append(start, case.end())
            stop = _ENDCASE.search(text, case.end(), end)
            if stop is None:
                raise NotTables(case.start(), "a case without endcase")
            self.bodies[case.end()] = stop.start()
            self.words.append(BODY)
            self.offsets.append(case.end())
            start = stop.start()
        self._append(start, end)
        self.words.append("")
        self.offsets.append(end)

    def _append(self, start: int, end: int) -> None:
        for found in _TOKEN.finditer(self.text, start, end):
            self.words.append(found.group())
            self.offsets.append(found.start())

    @property
    def word(self) -> str:
        """The token to be read next; empty at the end."""
        return self.words[self.next]

    @property
    def at(self) -> int:
        """Offset of that token."""
        return self.offsets[self.next]

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
            raise NotTables(self.at, f"expected {word!r}, found {self.word or 'the end'!r}")

    def identifier(self) -> str:
        """Return the next token, which must be a name."""
        if not self.word or not (self.word[0].isalpha() or self.word[0] == "_"):
            raise NotTables(self.at, f"expected a name, found {self.word or 'the end'!r}")
        return self.take()


def expression(tokens: Tokens) -> Expr:
    """Read an expression.

    Raises
    ------
    NotTables
        Operators between signals, or anything else that computes.
    """
    left = _term(tokens)
    while tokens.word in ("+", "-"):
        left = Arithmetic(tokens.take(), left, _term(tokens))
    return left


def _term(tokens: Tokens) -> Expr:
    left = _factor(tokens)
    while tokens.word in ("*", "/"):
        left = Arithmetic(tokens.take(), left, _factor(tokens))
    return left


def _factor(tokens: Tokens) -> Expr:
    at, word = tokens.at, tokens.word
    if tokens.accept("("):
        inner = expression(tokens)
        tokens.expect(")")
        return inner
    if tokens.accept("{"):
        return _braces(tokens)
    if word[:1].isdigit() or (word[:1] == "'" and len(word) > 1):
        tokens.take()
        return Number(*number(word, at))
    if not (word[:1].isalpha() or word[:1] == "_"):
        fix = "between tables, only wires, slices and concatenations are allowed"
        raise NotTables(at, f"cannot read {word or 'the end'!r} in an expression", fix)
    name = tokens.take()
    if not tokens.accept("["):
        return Name(name, at)
    high = expression(tokens)
    low = None
    if tokens.accept(":"):
        low = expression(tokens)
    elif tokens.accept("+:"):
        width, low = expression(tokens), high
        high = Arithmetic("-", Arithmetic("+", low, width), Number(None, 1))
    tokens.expect("]")
    return Name(name, at, high, low)


def _braces(tokens: Tokens) -> Concat:
    parts = [expression(tokens)]
    if tokens.accept("{"):
        inner = _braces(tokens)
        tokens.expect("}")
        return Concat((inner,), parts[0])
    while tokens.accept(","):
        parts.append(expression(tokens))
    tokens.expect("}")
    return Concat(tuple(parts))


def constant(expr: Expr, constants: Mapping[str, int], at: int) -> int:
    """Return the value of a constant expression.

    Raises
    ------
    NotTables
        It reads a signal, or divides by zero.
    """
    if isinstance(expr, Number):
        return expr.value
    if isinstance(expr, Arithmetic):
        left, right = (constant(e, constants, at) for e in (expr.left, expr.right))
        if expr.sign == "/" and right == 0:
            raise NotTables(at, "division by zero")
        return _ARITHMETIC[expr.sign](left, right)
    if isinstance(expr, Name) and expr.high is None and expr.name in constants:
        return constants[expr.name]
    shown = expr.name if isinstance(expr, Name) else "a concatenation"
    raise NotTables(at, f"{shown} is not a constant")
