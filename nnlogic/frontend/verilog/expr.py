"""Expressions of Verilog, as trees; each has the operators and priorities of the language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from nnlogic.frontend.verilog.case import literal
from nnlogic.frontend.verilog.text import NotTables
from nnlogic.frontend.verilog.tokens import Tokens

LEVELS: tuple[tuple[str, ...], ...] = (
    ("||",),
    ("&&",),
    ("|",),
    ("^", "~^", "^~"),
    ("&",),
    ("==", "!=", "===", "!=="),
    ("<", "<=", ">", ">="),
    ("<<", ">>", "<<<", ">>>"),
    ("+", "-"),
    ("*", "/", "%"),
    ("**",),
)
PRIORITY = {op: level for level, ops in enumerate(LEVELS) for op in ops}
COMPARISONS = frozenset((*LEVELS[5], *LEVELS[6]))
SHIFTS = frozenset(LEVELS[7])
UNARY = frozenset(("~", "!", "-", "+", "&", "|", "^", "~&", "~|", "~^", "^~"))
MAX_CONSTANT = 1 << 20  # bits


@dataclass(frozen=True, slots=True)
class Number:
    """A literal; `width` is None when it has none, `mask` are its digits x, z and ?."""

    width: int | None
    value: int
    signed: bool = False
    mask: int = 0
    fill: bool = False  # '0 or '1: as wide as its place


@dataclass(frozen=True, slots=True)
class Name:
    """A signal or constant; with `high` a bit, with `low` a slice; or `size` bits from `low`."""

    name: str
    at: int
    high: Expr | None = None
    low: Expr | None = None
    size: Expr | None = None


@dataclass(frozen=True, slots=True)
class Concat:
    """``{a, b}`` repeated `times`, most significant part first."""

    parts: tuple[Expr, ...]
    times: Expr | None = None


@dataclass(frozen=True, slots=True)
class Chain:
    """Binary operators of one priority, from left to right."""

    ops: tuple[str, ...]
    terms: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Unary:
    """An operator in front."""

    op: str
    operand: Expr


@dataclass(frozen=True, slots=True)
class Choice:
    """``a ? b : c ? d : e``: the value of the first condition that holds, or the last one."""

    pairs: tuple[tuple[Expr, Expr], ...]
    other: Expr


@dataclass(frozen=True, slots=True)
class Call:
    """A function, also ``$signed``, ``$unsigned`` and ``$clog2``."""

    name: str
    arguments: tuple[Expr, ...]
    at: int


@dataclass(frozen=True, slots=True)
class Bits:
    """Bits that are known, LSB first."""

    bits: tuple[int, ...]
    signed: bool = False


Expr = Number | Name | Concat | Chain | Unary | Choice | Call | Bits


def children(expr: Expr) -> Iterator[Expr]:
    """Yield the parts of an expression."""
    if isinstance(expr, Name):
        yield from (e for e in (expr.high, expr.low, expr.size) if e is not None)
    elif isinstance(expr, Concat):
        yield from expr.parts
        if expr.times is not None:
            yield expr.times
    elif isinstance(expr, Chain):
        yield from expr.terms
    elif isinstance(expr, Unary):
        yield expr.operand
    elif isinstance(expr, Choice):
        for pair in expr.pairs:
            yield from pair
        yield expr.other
    elif isinstance(expr, Call):
        yield from expr.arguments


def walk(expr: Expr) -> Iterator[Expr]:
    """Yield an expression and all parts of it."""
    stack = [expr]
    while stack:
        yield (at := stack.pop())
        stack += children(at)


def expression(tokens: Tokens) -> Expr:
    """Read an expression.

    Operators of one kind and conditional chains, also those with a parenthesis for every link, may
    be as long as `nnlogic.core.limits.LINKS` says; other nesting is limited (`NESTING`).

    Raises
    ------
    NotTables
        It is none.
    """
    with tokens.nested():
        pairs: list[tuple[Expr, Expr]] = []
        marks: list[int] = []  # of every parenthesis that is open: the links before it
        value = _binary(tokens, _unary(tokens), 0)
        while True:
            if tokens.accept("?"):
                then = expression(tokens)
                tokens.expect(":")
                pairs.append((value, then))
                tokens.link(len(pairs))
                while tokens.accept("("):
                    marks.append(len(pairs))
                value = _binary(tokens, _unary(tokens), 0)
            elif marks and tokens.accept(")"):
                mark = marks.pop()
                if tokens.word in PRIORITY or tokens.word == "?":  # what it held is an operand
                    value = Choice(tuple(pairs[mark:]), value) if pairs[mark:] else value
                    del pairs[mark:]
                    value = _binary(tokens, value, 0)
            else:
                break
        if marks:
            tokens.expect(")")
    return Choice(tuple(pairs), value) if pairs else value


def _binary(tokens: Tokens, left: Expr, least: int) -> Expr:
    """Read operators of at least the priority `least` behind an operand."""
    while (level := PRIORITY.get(tokens.word, -1)) >= least:
        ops: list[str] = []
        terms = [left]
        while PRIORITY.get(tokens.word) == level:
            if ops and tokens.word in COMPARISONS:
                raise NotTables(tokens.at, f"{tokens.word!r} behind another comparison")
            ops.append(tokens.take())
            tokens.link(len(ops))
            right = _unary(tokens)
            terms.append(_binary(tokens, right, level + 1) if _above(tokens, level) else right)
        left = Chain(tuple(ops), tuple(terms))
    return left


def _above(tokens: Tokens, level: int) -> bool:
    return PRIORITY.get(tokens.word, -1) > level


def _unary(tokens: Tokens) -> Expr:
    ops = []
    while tokens.word in UNARY:
        ops.append(tokens.take())
        if len(ops) > 8:
            raise NotTables(tokens.at, "more than 8 operators in a row")
    value = primary(tokens)
    for op in reversed(ops):
        value = Unary(op, value)
    return value


def primary(tokens: Tokens) -> Expr:
    """Read an operand: a name, a part of it, a concatenation, a literal, a call, a parenthesis."""
    at, word = tokens.at, tokens.word
    if tokens.accept("("):
        inner = expression(tokens)
        tokens.expect(")")
        return inner
    if tokens.accept("{"):
        return _braces(tokens)
    if word[:1].isdigit() or (word[:1] == "'" and len(word) > 1 and word[1] != "{"):
        tokens.take()
        return Number(*literal(word, at))
    if word == "'{":
        raise NotTables(at, "an assignment pattern '{...}", "write the table as a case")
    if not (word[:1].isalpha() or word[:1] in ("_", "$")):
        fix = "tables, wires, and expressions of a few bits are read"
        raise NotTables(at, f"cannot read {tokens.shown!r} in an expression", fix)
    name = tokens.take()
    if tokens.accept("("):
        arguments = [expression(tokens)]
        while tokens.accept(","):
            arguments.append(expression(tokens))
        tokens.expect(")")
        return Call(name, tuple(arguments), at)
    if not tokens.accept("["):
        return Name(name, at)
    first = expression(tokens)
    found = Name(name, at, first)
    if tokens.accept(":"):
        found = Name(name, at, first, expression(tokens))
    elif tokens.accept("+:"):
        found = Name(name, at, None, first, expression(tokens))
    elif tokens.accept("-:"):
        size = expression(tokens)
        low = Chain(("-", "+"), (first, size, Number(None, 1, True)))
        found = Name(name, at, None, low, size)
    tokens.expect("]")
    if tokens.word == "[":
        raise NotTables(at, f"{name} with several indices", "give a word of it a name of its own")
    return found


def _braces(tokens: Tokens) -> Concat:
    with tokens.nested():
        parts = [expression(tokens)]
        if tokens.accept("{"):
            inner = _braces(tokens)
            tokens.expect("}")
            return Concat((inner,), parts[0])
        while tokens.accept(","):
            parts.append(expression(tokens))
        tokens.expect("}")
        return Concat(tuple(parts))


def is_constant(expr: Expr, constants: Mapping[str, int]) -> bool:
    """Whether an expression reads no signal."""
    return all(
        e.name in constants if isinstance(e, Name) else not isinstance(e, Bits) for e in walk(expr)
    )


def is_wiring(expr: Expr, constants: Mapping[str, int]) -> bool:
    """Whether an expression is bits of signals and constants, without any operator at the top."""
    if isinstance(expr, Name):
        parts = (expr.high, expr.low, expr.size)
        plain = expr.high is expr.low is None
        return (plain or expr.name not in constants) and all(
            p is None or is_constant(p, constants) for p in parts
        )
    return isinstance(expr, Number | Concat | Bits)


def constant(expr: Expr, constants: Mapping[str, int], at: int) -> int:
    """Return the value of a constant expression.

    Raises
    ------
    NotTables
        It reads a signal, divides by zero, or is of more than `MAX_CONSTANT` bits.
    """
    if isinstance(expr, Number) and not expr.mask:
        return expr.value
    if isinstance(expr, Name) and expr.high is expr.low is None and expr.name in constants:
        return constants[expr.name]
    if isinstance(expr, Unary) and expr.op in ("-", "+"):
        value = constant(expr.operand, constants, at)
        return -value if expr.op == "-" else value
    if isinstance(expr, Call) and expr.name == "$clog2" and len(expr.arguments) == 1:
        return max(0, constant(expr.arguments[0], constants, at) - 1).bit_length()
    if isinstance(expr, Choice):
        for condition, chosen in expr.pairs:
            if constant(condition, constants, at):
                return constant(chosen, constants, at)
        return constant(expr.other, constants, at)
    if isinstance(expr, Chain):
        value = constant(expr.terms[0], constants, at)
        for op, term in zip(expr.ops, expr.terms[1:], strict=True):
            value = _applied(op, value, constant(term, constants, at), at)
        return value
    shown = expr.name if isinstance(expr, Name | Call) else "this expression"
    raise NotTables(at, f"{shown} is not a constant")


def _applied(op: str, a: int, b: int, at: int) -> int:
    if op in ("/", "%") and b == 0:
        raise NotTables(at, "division by zero")
    size = max(a.bit_length(), b.bit_length())
    if op in ("<<", "<<<"):
        size = a.bit_length() + max(b, 0)
    elif op == "*":
        size = a.bit_length() + b.bit_length()
    elif op == "**":
        size = a.bit_length() * max(b, 0)
    if size > MAX_CONSTANT or (b < 0 and op in ("<<", ">>", "<<<", ">>>", "**")):
        raise NotTables(at, f"a constant of {size:,} bits, limit {MAX_CONSTANT:,}")
    if op in ("/", "%"):
        quotient = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
        return quotient if op == "/" else a - b * quotient
    results = {
        "+": a + b,
        "-": a - b,
        "==": int(a == b),
        "!=": int(a != b),
        "<": int(a < b),
        ">": int(a > b),
        "<=": int(a <= b),
        ">=": int(a >= b),
        "&&": int(bool(a and b)),
        "||": int(bool(a or b)),
        "&": a & b,
        "|": a | b,
        "^": a ^ b,
    }
    if op in results:
        return results[op]
    if op == "*":
        return a * b
    if op == "**":
        return int(a**b)
    if op in ("<<", "<<<"):
        return a << b
    if op in (">>", ">>>"):
        return a >> b
    raise NotTables(at, f"{op!r} in a constant")
