"""Truth tables as short Boolean expressions.

An expression is a nested tuple: ``("0",)``, ``("1",)``, ``("v", i)``, ``("~", e)``,
``("&", a, b)``, ``("|", a, b)``, ``("^", a, b)`` or ``("?", s, a, b)``, the last meaning
``a if s else b``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

Expression = tuple[Any, ...]

ZERO: Expression = ("0",)
ONE: Expression = ("1",)
WORTH_COUNTING = 6
"""Gates from which on bits of a sum are tried: they are six themselves."""


def expression(table: int, n_inputs: int) -> Expression:
    """Return a short expression of a truth table.

    Shannon expansion, smallest over all variable orders; where a cofactor is constant, or one is
    the complement of the other, the expansion is an AND, OR or XOR instead of a multiplexer. Where
    it only matters how many of three inputs are 1, as in adders, the two bits of their sum may
    stand for them instead.

    Parameters
    ----------
    table : int
        Bit ``i`` is the output for index ``i``; input ``b`` is bit ``b`` of the index.
    n_inputs : int
        0 to 6.

    Returns
    -------
    Expression
        Reads variable ``("v", b)`` for input ``b``.
    """
    return _shortest(int(table), n_inputs)[1]


@lru_cache(maxsize=1 << 18)
def _shortest(table: int, n: int) -> tuple[int, Expression]:
    """Return two-input gates and expression, of an expansion or with sums of three inputs."""
    best = _smallest(table, n)
    trio = _alike(table, n) if best[0] > WORTH_COUNTING else ()
    if not trio:
        return best
    (a, _), (b, _), _ = trio
    by_count = []
    for ones in range(4):
        part = table
        for at, (v, flip) in enumerate(trio):
            part = _cofactors(part, n, v)[(at < ones) ^ flip]
        by_count.append(part)
    odd, two = _variable(n, a), _variable(n, b)
    zero, one, pair, all_ = by_count
    outer = zero & ~odd & ~two | one & odd & ~two | pair & ~odd & two | all_ & odd & two
    p, q, r = (("~", ("v", v)) if flip else ("v", v) for v, flip in trio)
    inner = {a: ("^", p, ("^", q, r)), b: ("|", ("&", p, q), ("&", r, ("|", p, q)))}
    made = _replaced(_shortest(outer, n)[1], inner)
    return min(best, (_gates(made), made), key=lambda found: found[0])


def _alike(table: int, n: int) -> tuple[tuple[int, bool], ...]:
    """Return three inputs that are exchangeable, some of them complemented; none if there are none.

    Returns
    -------
    tuple of (input, whether it is complemented)
    """
    for a in range(n - 2):
        low, high = _cofactors(table, n, a)
        found = [(a, False)]
        for b in range(a + 1, n):
            (ll, lh), (hl, hh) = _cofactors(low, n, b), _cofactors(high, n, b)
            if low != high and (ll, hl) != (lh, hh) and (lh == hl or ll == hh):
                found.append((b, lh != hl))
        if len(found) > 2:
            return tuple(found[:3])
    return ()


def _replaced(expr: Expression, inner: dict[int, Expression]) -> Expression:
    """Return an expression with others in place of some of its inputs."""
    op, *args = expr
    if op == "v":
        return inner.get(args[0], expr)
    return (op, *(_replaced(a, inner) for a in args)) if op not in "01" else expr


def _gates(expr: Expression) -> int:
    op, *args = expr
    own = 0 if op in "v01~" else 3 if op == "?" else 1
    return own + (sum(map(_gates, args)) if op not in "v01" else 0)


@lru_cache(maxsize=1 << 18)
def _smallest(table: int, n: int) -> tuple[int, Expression]:
    """Return two-input gates and expression; a multiplexer counts as three gates."""
    full = (1 << (1 << n)) - 1
    if table in (0, full):
        return 0, (ONE if table else ZERO)
    best: tuple[int, Expression] | None = None
    for v in range(n):
        low, high = _cofactors(table, n, v)
        if low != high:
            choice = _expand(low, high, n, v, full)
            if best is None or choice[0] < best[0]:
                best = choice
    # A table that is not constant depends on some variable.
    return best or (0, ZERO)


def _expand(low: int, high: int, n: int, v: int, full: int) -> tuple[int, Expression]:
    x: Expression = ("v", v)
    constant = (0, full)
    if low in constant and high in constant:
        return 0, (x if high else ("~", x))
    if high in constant or low in constant:
        cost, rest = _smallest(low if high in constant else high, n)
        literal = x if low == 0 or high == full else ("~", x)
        return cost + 1, ("|" if full in (low, high) else "&", literal, rest)
    cost, rest = _smallest(low, n)
    if low ^ high == full:
        return cost + 1, ("^", x, rest)
    other, chosen = _smallest(high, n)
    return cost + other + 3, ("?", x, chosen, rest)


def _cofactors(table: int, n: int, v: int) -> tuple[int, int]:
    """Tables for input `v` = 0 and 1, still over `n` inputs."""
    ones = _variable(n, v)
    shift = 1 << v
    low, high = table & ~ones, table & ones
    return low | low << shift, high | high >> shift


@lru_cache(maxsize=64)
def _variable(n: int, v: int) -> int:
    return sum(1 << i for i in range(1 << n) if i >> v & 1)


def to_text(expr: Expression, inputs: Sequence[str]) -> str:
    """Return an expression over named one-bit inputs in Verilog."""
    op, *args = expr
    if op == "v":
        return inputs[args[0]]
    if op in "01":
        return f"1'b{op}"
    if op == "~":
        return f"~{_operand(args[0], inputs)}"
    if op == "?":
        select, yes, no = (_operand(a, inputs) for a in args)
        return f"{select} ? {yes} : {no}"
    return f" {op} ".join(to_text(a, inputs) if a[0] == op else _operand(a, inputs) for a in args)


def _operand(expr: Expression, inputs: Sequence[str]) -> str:
    text = to_text(expr, inputs)
    return text if expr[0] in "v01~" else f"({text})"


def variables(expr: Expression) -> set[int]:
    """Return the inputs that an expression reads."""
    op, *args = expr
    if op == "v":
        return {args[0]}
    return set().union(*map(variables, args)) if op not in "01" else set()


def evaluate(expr: Expression, index: int) -> bool:
    """Return the value of an expression for the inputs that are the bits of `index`."""
    op, *args = expr
    if op == "v":
        return bool(index >> args[0] & 1)
    if op in "01":
        return op == "1"
    if op == "?":
        return evaluate(args[1 if evaluate(args[0], index) else 2], index)
    first = evaluate(args[0], index)
    if op == "~":
        return not first
    second = evaluate(args[1], index)
    return {"&": first and second, "|": first or second, "^": first != second}[op]
