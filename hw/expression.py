"""Truth tables as short Boolean expressions.

An expression is a nested tuple: ``("0",)``, ``("1",)``, ``("v", i)``, ``("~", e)``,
``("&", a, b)``, ``("|", a, b)``, ``("^", a, b)`` or ``("?", s, a, b)``, the last meaning
``a if s else b``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from amaranth.hdl import Const, Mux, Value

Expression = tuple[Any, ...]

ZERO: Expression = ("0",)
ONE: Expression = ("1",)


def expression(table: int, n_inputs: int) -> Expression:
    """Return an expression of a truth table, by cofactoring.

    Where one cofactor is a constant or the complement of the other, the variable is split off
    with an AND, OR or XOR; else the variable whose cofactors have the smallest support selects
    between them.

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
    return _expression(int(table), n_inputs)


@lru_cache(maxsize=1 << 16)
def _expression(table: int, n: int) -> Expression:
    full = (1 << (1 << n)) - 1
    if table == 0:
        return ZERO
    if table == full:
        return ONE
    choices = []
    for v in range(n):
        low, high = _cofactors(table, n, v)
        if low in (0, full) or high in (0, full) or low ^ high == full:
            return _split(low, high, n, v, full)
        if low != high:
            choices.append((_support(low, n) + _support(high, n), v, low, high))
    _, v, low, high = min(choices)
    return ("?", ("v", v), _expression(high, n), _expression(low, n))


def _split(low: int, high: int, n: int, v: int, full: int) -> Expression:
    x: Expression = ("v", v)
    if low ^ high == full:
        return x if low == 0 else ("~", x) if low == full else ("^", x, _expression(low, n))
    if low == 0:
        return ("&", x, _expression(high, n))
    if high == 0:
        return ("&", ("~", x), _expression(low, n))
    if low == full:
        return ("|", ("~", x), _expression(high, n))
    return ("|", x, _expression(low, n))


def _cofactors(table: int, n: int, v: int) -> tuple[int, int]:
    """Tables for input `v` = 0 and 1, still over `n` inputs."""
    ones = _variable(n, v)
    shift = 1 << v
    low, high = table & ~ones, table & ones
    return low | low << shift, high | high >> shift


@lru_cache(maxsize=64)
def _variable(n: int, v: int) -> int:
    return sum(1 << i for i in range(1 << n) if i >> v & 1)


def _support(table: int, n: int) -> int:
    return sum(1 for v in range(n) if (c := _cofactors(table, n, v))[0] != c[1])


def to_value(expr: Expression, inputs: Sequence[Value]) -> Value:
    """Return the one-bit Amaranth value of an expression over `inputs`."""
    op, *args = expr
    if op == "v":
        return inputs[args[0]]
    if op in "01":
        return Const(int(op), 1)
    values = [to_value(a, inputs) for a in args]
    if op == "~":
        return ~values[0]
    if op == "&":
        return values[0] & values[1]
    if op == "|":
        return values[0] | values[1]
    if op == "^":
        return values[0] ^ values[1]
    return Mux(*values)


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
