"""Expressions and blocks as tables: enumerated where they read few bits, otherwise taken apart.

An expression that reads more bits than a table may have is one table per operator, or per bit or
group of bits of one: sums and comparisons carry from group to group.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from nnlogic.core.archive import frozen
from nnlogic.core.formats import IntArray
from nnlogic.frontend.verilog.case import MAX_SELECTOR
from nnlogic.frontend.verilog.evaluate import Evaluator
from nnlogic.frontend.verilog.expr import (
    COMPARISONS,
    Bits,
    Call,
    Chain,
    Choice,
    Concat,
    Expr,
    Name,
    Number,
    Unary,
    is_constant,
    is_wiring,
    walk,
)
from nnlogic.frontend.verilog.kinds import MAX_VALUE, Kind
from nnlogic.frontend.verilog.module import Process
from nnlogic.frontend.verilog.process import Found, needed, run_block, run_function
from nnlogic.frontend.verilog.text import NotTables

if TYPE_CHECKING:
    from nnlogic.frontend.verilog.link import Linker
    from nnlogic.frontend.verilog.scope import Scope

GROUP = 4
"""Bits of two operands that one table of a wide sum or comparison takes."""


class Computer:
    """Makes tables of a linker's expressions and blocks."""

    def __init__(self, linker: Linker) -> None:
        self.linker = linker

    def evaluator(self, scope: Scope, at: int, bits: Sequence[int]) -> Evaluator:
        """Return the evaluator of all combinations of some bits, the first one lowest."""
        index = np.arange(1 << len(bits))
        columns = {bit: (index >> i & 1).astype(bool) for i, bit in enumerate(bits)}
        return Evaluator(scope=scope, at=at, columns=columns, rows=len(index), run=run_function)

    def process(
        self, scope: Scope, process: Process, found: Sequence[Found], target: str
    ) -> list[int]:
        """Return the bits that a block gives a signal."""
        names, reads = needed(found, target)
        kinds = {}
        for name in names:
            if name not in scope.nets:
                raise NotTables(process.at, f"{name} is not declared")
            kinds[name] = Kind(len(scope.nets[name]), name in scope.signed)
        if process.clock:
            # Registers hold their old value while the block runs.
            names_read = {e.name for e in reads} & names
            if names_read:
                shown = ", ".join(sorted(names_read))
                raise NotTables(process.at, f"the clocked block reads {shown}, which it assigns")
        bits = self._support(scope, [e for e in reads if e.name not in names], process.at)
        if len(bits) > MAX_SELECTOR:
            why = f"{target} of a block that reads {len(bits)} bits, limit {MAX_SELECTOR}"
            raise NotTables(process.at, why, "prune the fan-in of this neuron, or use fewer bits")
        self.linker.budget.charge_entries(1 << len(bits), process.at)
        evaluator = self.evaluator(scope, process.at, bits)
        values = run_block(evaluator, process, target, names, kinds)
        return self._cell(scope, values, bits, kinds[target].width, process.at)

    def assigned(self, scope: Scope, expr: Expr, width: int, at: int) -> list[int]:
        """Return the bits that an expression gives a signal of a width."""
        own = self.evaluator(scope, at, []).kind(expr)
        bits = self.extended(scope, expr, Kind(max(width, own.width), own.signed), at)
        return bits[:width]

    def alone(self, scope: Scope, expr: Expr, at: int) -> list[int]:
        """Return the bits of an expression by itself."""
        return self.extended(scope, expr, self.evaluator(scope, at, []).kind(expr), at)

    def extended(self, scope: Scope, expr: Expr, to: Kind, at: int) -> list[int]:
        """Return the bits of an expression that is extended to a kind."""
        if isinstance(expr, Number) and expr.fill:
            return [expr.value] * to.width
        if is_wiring(expr, scope.constants):
            kind = self.evaluator(scope, at, []).kind(expr)
            return _extended(self.linker.bits(scope, expr, at, kind.width), kind, to)
        reads = [e for e in walk(expr) if isinstance(e, Name | Bits)]
        bits = self._support(scope, reads, at)
        if len(bits) <= MAX_SELECTOR and to.width <= MAX_VALUE:
            self.linker.budget.charge_entries(1 << len(bits), at)
            values = self.evaluator(scope, at, bits).value(expr, to)
            return self._cell(scope, values, bits, to.width, at)
        return self._apart(scope, expr, to, at)

    def _support(self, scope: Scope, reads: Iterable[Name | Bits], at: int) -> list[int]:
        found: dict[int, None] = {}
        for e in reads:
            if isinstance(e, Bits):
                found |= dict.fromkeys(e.bits)
            elif e.name in scope.constants or e.name in scope.memories:
                continue
            elif e.low is e.high is None or not is_constant(e.low or e.high or e, scope.constants):
                found |= dict.fromkeys(self.linker.bits(scope, Name(e.name, e.at), at))
            else:
                found |= dict.fromkeys(self.linker.bits(scope, e, at))
        return [bit for bit in found if bit > 1]

    def _cell(
        self, scope: Scope, values: IntArray, bits: Sequence[int], width: int, at: int
    ) -> list[int]:
        """Return the bits of a table; what does not depend on its inputs is no table."""
        if not bits or (values == values[0]).all():
            return [int(values[0]) >> i & 1 for i in range(width)]
        return self.linker.add_cell(scope, frozen(values, np.int64), bits, width, at)

    def _apart(self, scope: Scope, expr: Expr, to: Kind, at: int) -> list[int]:
        """Return the bits of an expression that reads too many bits for one table."""
        if isinstance(expr, Chain):
            return self._chain(scope, expr, to, at)
        if isinstance(expr, Choice):
            out = self.extended(scope, expr.other, to, at)
            for condition, value in reversed(expr.pairs):
                holds = [self._true(scope, condition, at)] * to.width
                one = self.extended(scope, value, to, at)
                out = self._by_bit(scope, _chosen, (holds, one, out), at)
            return out
        if isinstance(expr, Unary) and expr.op in ("~", "+", "-"):
            inner = self.extended(scope, expr.operand, to, at)
            if expr.op == "-":
                return self._sum(scope, "-", [0] * to.width, inner, at)
            return inner if expr.op == "+" else self._by_bit(scope, _inverted, (inner,), at)
        kind = self.evaluator(scope, at, []).kind(expr)
        return _extended(self._leaf(scope, expr, at), kind, to)

    def _leaf(self, scope: Scope, expr: Expr, at: int) -> list[int]:
        if isinstance(expr, Call) and expr.name in ("$signed", "$unsigned"):
            return self.alone(scope, expr.arguments[0], at)
        if isinstance(expr, Unary):
            return self._reduced(scope, expr, at)
        what = "a call" if isinstance(expr, Call) else "an index"
        why = f"{what} that reads more than {MAX_SELECTOR} bits"
        raise NotTables(at, why, "prune the fan-in of this neuron, or use fewer bits")

    def _reduced(self, scope: Scope, expr: Unary, at: int) -> list[int]:
        if expr.op == "!":
            value = self._true(scope, expr.operand, at)
            return self.extended(scope, Unary("~", Bits((value,))), Kind(1), at)
        bits = self.alone(scope, expr.operand, at)
        op = expr.op.strip("~")
        while len(bits) > 1:
            rest = bits[MAX_SELECTOR:]
            part = Unary(op, Bits(tuple(bits[:MAX_SELECTOR])))
            bits = [*self.extended(scope, part, Kind(1), at), *rest]
        return self._by_bit(scope, _inverted, (bits,), at) if "~" in expr.op else bits

    def _true(self, scope: Scope, expr: Expr, at: int) -> int:
        bits = self.alone(scope, expr, at)
        if len(bits) > 1:
            bits = self._reduced(scope, Unary("|", Bits(tuple(bits))), at)
        return bits[0]

    def _chain(self, scope: Scope, expr: Chain, to: Kind, at: int) -> list[int]:
        first = expr.ops[0]
        if first in COMPARISONS:
            kind = self.evaluator(scope, at, []).joined(*expr.terms)
            a, b = (self.extended(scope, term, kind, at) for term in expr.terms)
            return _extended([self._compared(scope, first, a, b, kind, at)], Kind(1), to)
        if first in ("&&", "||"):
            bits = tuple(self._true(scope, term, at) for term in expr.terms)
            one = self._reduced(scope, Unary(first[0], Bits(bits)), at)
            return _extended(one, Kind(1), to)
        if not set(expr.ops) <= {"+", "-", "&", "|", "^", "~^", "^~"}:
            why = f"{first!r} of operands of more than {MAX_SELECTOR} bits"
            raise NotTables(at, why, "sums, comparisons and bitwise operators may be wide")
        out = self.extended(scope, expr.terms[0], to, at)
        for op, term in zip(expr.ops, expr.terms[1:], strict=True):
            other = self.extended(scope, term, to, at)
            if op in ("+", "-"):
                out = self._sum(scope, op, out, other, at)
            else:
                out = self._by_bit(scope, partial(Chain, (op,)), (out, other), at)
        return out

    def _by_bit(
        self,
        scope: Scope,
        make: Callable[[tuple[Bits, ...]], Expr],
        operands: tuple[list[int], ...],
        at: int,
    ) -> list[int]:
        """Return what an expression of single bits makes of operands, bit by bit."""
        out: list[int] = []
        for row in zip(*operands, strict=True):
            out += self.extended(scope, make(tuple(Bits((b,)) for b in row)), Kind(1), at)
        return out

    def _sum(self, scope: Scope, op: str, a: list[int], b: list[int], at: int) -> list[int]:
        """Return ``a + b`` or ``a - b``, in groups of bits with a carry between."""
        carry = 1 if op == "-" else 0
        out: list[int] = []
        for low in range(0, len(a), GROUP):
            parts = Bits(tuple(a[low : low + GROUP])), Bits(tuple(b[low : low + GROUP]))
            size = len(parts[0].bits)
            second: Expr = Concat((Unary("~", parts[1]),)) if op == "-" else parts[1]
            whole = Chain(("+", "+"), (parts[0], second, Bits((carry,))))
            *sums, carry = self.extended(scope, whole, Kind(size + 1), at)
            out += sums
        return out

    def _compared(
        self, scope: Scope, op: str, a: list[int], b: list[int], kind: Kind, at: int
    ) -> int:
        """Return a comparison, in groups of bits from the lowest one."""
        if kind.signed and op not in ("==", "!=", "===", "!=="):
            # Without signs, the order is right once the sign bits are exchanged.
            a, b = [*a[:-1], b[-1]], [*b[:-1], a[-1]]
        equal = op in ("==", "===", "<=", ">=")
        state = int(equal)
        for low in range(0, len(a), GROUP):
            left, right = Bits(tuple(a[low : low + GROUP])), Bits(tuple(b[low : low + GROUP]))
            same = Chain(("==",), (left, right))
            ordered = op[0] in "<>"
            here = Chain((op[0],), (left, right)) if ordered else Bits((int(not equal),))
            step = Choice(((same, Bits((state,))),), here)
            state = self.extended(scope, step, Kind(1), at)[0]
        return state


def _chosen(bits: tuple[Bits, ...]) -> Expr:
    return Choice(((bits[0], bits[1]),), bits[2])


def _inverted(bits: tuple[Bits, ...]) -> Expr:
    return Unary("~", bits[0])


def _extended(bits: list[int], own: Kind, to: Kind) -> list[int]:
    top = bits[-1] if to.signed and own.signed and bits else 0
    return [*bits, *[top] * (to.width - len(bits))][: to.width]
