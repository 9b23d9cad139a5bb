"""Values of expressions on many combinations of bits at once, by the rules of Verilog.

Widths and signs follow IEEE 1364: operands are extended to the widest of them and of the place
they go to; an expression is signed when all its operands are. Values are held without sign.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from nnlogic.core.bits import Bools
from nnlogic.core.formats import IntArray
from nnlogic.frontend.verilog.expr import (
    COMPARISONS,
    SHIFTS,
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
)
from nnlogic.frontend.verilog.kinds import (
    MAX_ALL_CALLS,
    MAX_CALLS,
    MAX_VALUE,
    Kind,
    Memory,
    Typed,
    Variable,
)
from nnlogic.frontend.verilog.module import Function
from nnlogic.frontend.verilog.text import NotTables


@dataclass(kw_only=True)
class Evaluator(Typed):
    """Evaluates expressions; rows are combinations of the bits in `columns`.

    Attributes
    ----------
    columns : dict of bit to bool array, shape (rows,)
    rows : int
    run : callable
        Runs a function on arguments: `nnlogic.frontend.verilog.process.run_function`.
    """

    columns: Mapping[int, Bools]
    rows: int
    run: Callable[[Evaluator, Function, tuple[Expr, ...]], IntArray]
    calls: int = 0
    left: list[int] = field(default_factory=lambda: [MAX_ALL_CALLS])

    def taken(self, rows: IntArray) -> Evaluator:
        """Return the evaluator of some of the rows; its variables are copies."""
        if len(rows) == self.rows:
            return self
        variables = {
            name: Variable(v.kind, v.values[rows], v.known[rows])
            for name, v in self.variables.items()
        }
        columns = {bit: values[rows] for bit, values in self.columns.items()}
        return replace(self, columns=columns, rows=len(rows), variables=variables)

    def assigned(self, expr: Expr, width: int) -> IntArray:
        """Return the values that an expression gives a signal of `width` bits, shape (rows,)."""
        kind = self.kind(expr)
        return self.value(expr, Kind(max(width, kind.width), kind.signed)) & _mask(width)

    def alone(self, expr: Expr) -> IntArray:
        """Return the values of an expression by itself."""
        return self.value(expr, self.kind(expr))

    def true(self, expr: Expr) -> Bools:
        """Return where an expression is not 0."""
        return self.alone(expr) != 0

    def value(self, expr: Expr, to: Kind) -> IntArray:
        """Return the values of an expression where it is extended to a kind, shape (rows,)."""
        if to.width > MAX_VALUE:
            raise self.error(f"a value of {to.width:,} bits in an expression, limit {MAX_VALUE}")
        if isinstance(expr, Chain):
            return self._chain(expr, to)
        if isinstance(expr, Choice):
            return self._choice(expr, to)
        if isinstance(expr, Unary) and expr.op in ("~", "-", "+"):
            inner = self.value(expr.operand, to)
            out = {"~": ~inner, "-": -inner, "+": inner}[expr.op]
            return np.asarray(out & _mask(to.width))
        if isinstance(expr, Number) and expr.fill:
            return np.full(self.rows, expr.value * _mask(to.width), np.int64)
        return self._extended(self._leaf(expr), self.kind(expr), to)

    def _extended(self, values: IntArray, own: Kind, to: Kind) -> IntArray:
        if to.signed and to.width > own.width:
            sign = values >> (own.width - 1) & 1
            values = values | sign * (_mask(to.width) ^ _mask(own.width))
        return np.asarray(values & _mask(to.width))

    def _leaf(self, expr: Expr) -> IntArray:
        if isinstance(expr, Number):
            if expr.mask:
                raise self.error("a value of x or z", "say 0 or 1 for every bit")
            return np.full(self.rows, expr.value & _mask(MAX_VALUE), np.int64)
        if isinstance(expr, Bits):
            return self._gathered(expr.bits)
        if isinstance(expr, Name):
            return self._read(expr)
        if isinstance(expr, Concat):
            return self._concat(expr)
        if isinstance(expr, Call):
            return self._call(expr)
        if not isinstance(expr, Unary):
            raise self.error("an expression that cannot be read")
        inner, width = self.alone(expr.operand), self.kind(expr.operand).width
        if expr.op == "!":
            return (inner == 0).astype(np.int64)
        ones = np.bitwise_count(inner.astype(np.uint64)).astype(np.int64)
        plain = {"&": ones == width, "|": ones > 0, "^": ones & 1 == 1}
        found = plain[expr.op.strip("~")]
        return np.asarray((found ^ ("~" in expr.op)).astype(np.int64))

    def _gathered(self, bits: tuple[int, ...] | list[int]) -> IntArray:
        if len(bits) > MAX_VALUE:
            raise self.error(f"a value of {len(bits):,} bits in an expression, limit {MAX_VALUE}")
        out = np.zeros(self.rows, np.int64)
        for place, bit in enumerate(bits):
            column = self.columns[bit] if bit > 1 else np.full(self.rows, bit == 1)
            out |= column.astype(np.int64) << place
        return out

    def _concat(self, expr: Concat) -> IntArray:
        out = np.zeros(self.rows, np.int64)
        for part in expr.parts * self.times(expr):
            if isinstance(part, Number) and part.width is None:
                raise self.error("a constant without a width in a concatenation")
            kind = self.kind(part)
            out = (out << kind.width) | self.value(part, kind)
        return out

    def _read(self, expr: Name) -> IntArray:
        """Return the values of a signal, constant or word, or of a part of it."""
        scope, name = self.scope, expr.name
        if expr.high is expr.low is None:
            if name in self.variables:
                return self._variable(name)
            if name in scope.constants:
                value = scope.constants[name] & _mask(min(scope.kinds[name].width, MAX_VALUE))
                return np.full(self.rows, value, np.int64)
            return self._gathered(scope.nets[name])
        width = self.whole(expr).width
        if name in scope.memories:
            return self._word(scope.memories[name], expr)
        size = self.name_kind(expr).width
        start = expr.low if expr.low is not None else expr.high
        first = self._index(start) if start is not None else np.zeros(self.rows, np.int64)
        if not 0 < size <= MAX_VALUE or first.min(initial=0) < 0 or (first + size > width).any():
            far = int(first.max(initial=0)) + size - 1
            raise NotTables(expr.at, f"{name}[{far}] is outside [{width - 1}:0]")
        if name not in scope.constants or name in self.variables:
            if is_constant(start or expr, scope.constants) and name not in self.variables:
                low = self.fixed(start or expr)
                return self._gathered(scope.nets[name][low : low + size])
            whole = self._variable(name) if name in self.variables else None
            whole = self._gathered(scope.nets[name]) if whole is None else whole
            return np.asarray(whole >> first & _mask(size))
        bits = _bits_of(scope.constants[name], width)
        out = np.zeros(self.rows, np.int64)
        for place in range(size):
            out |= bits[first + place].astype(np.int64) << place
        return out

    def _index(self, expr: Expr) -> IntArray:
        kind = self.kind(expr)
        values = self.value(expr, kind)
        sign = values >> (kind.width - 1) & 1 if kind.signed else np.zeros_like(values)
        return np.asarray(values - (sign << kind.width))

    def _variable(self, name: str) -> IntArray:
        variable = self.variables[name]
        if not variable.known.all():
            raise self.error(f"{name} is read where it has no value", "assign it in every branch")
        return variable.values

    def _word(self, memory: Memory, expr: Name) -> IntArray:
        if expr.high is None or expr.low is not None:
            raise NotTables(expr.at, f"{expr.name} is an array: one index is needed")
        index = self._index(expr.high) - memory.first
        if index.min(initial=0) < 0 or index.max(initial=0) >= len(memory.words):
            far = int(index.max(initial=0)) + memory.first
            raise NotTables(expr.at, f"{expr.name}[{far}] is beyond the array")
        missing = [i for i in np.unique(index).tolist() if memory.words[i] is None]
        if missing:
            raise NotTables(expr.at, f"nothing is written to {expr.name}[{missing[0]}]")
        words = np.array([word or 0 for word in memory.words], np.int64)
        return np.asarray(words[index])

    def _choice(self, expr: Choice, to: Kind) -> IntArray:
        out = np.zeros(self.rows, np.int64)
        left, some = np.arange(self.rows), self
        looked = self._lookup(expr, to)
        if looked is not None:
            found, rest = looked
            if rest.any():
                found[rest] = self.taken(np.flatnonzero(rest)).value(expr.other, to)
            return found
        for condition, value in expr.pairs:
            if not len(left):
                return out
            holds = some.true(condition)
            chosen = np.flatnonzero(holds)
            if len(chosen):
                out[left[chosen]] = some.taken(chosen).value(value, to)
                others = np.flatnonzero(~holds)
                left, some = left[others], some.taken(others)
        if len(left):
            out[left] = some.value(expr.other, to)
        return out

    def _lookup(self, expr: Choice, to: Kind) -> tuple[IntArray, Bools] | None:
        """Return the values of a chain that compares one signal with constants, at once.

        Returns
        -------
        values : int64 array, shape (rows,)
        rest : bool array, shape (rows,)
            Where no comparison holds; None in place of both for any other chain.
        """
        labels, values, selector = [], [], None
        one = self.taken(np.arange(min(self.rows, 1)))
        for condition, value in expr.pairs:
            if not isinstance(condition, Chain) or condition.ops != ("==",):
                return None
            signal, label = condition.terms
            plain = isinstance(label, Number) and isinstance(value, Number)
            if not plain or (selector is not None and replace_place(signal) != selector):
                return None
            selector = replace_place(signal)
            kind = self.joined(signal, label)
            if kind.signed or not isinstance(signal, Name):
                return None
            labels.append(int(one.value(label, kind)[0]))
            values.append(int(one.value(value, to)[0]))
        if len(labels) < 4:
            return None
        known, first = np.unique(np.array(labels, np.int64), return_index=True)
        index = self.alone(expr.pairs[0][0].terms[0])  # type: ignore[union-attr]
        place = np.minimum(np.searchsorted(known, index), len(known) - 1)
        return np.array(values, np.int64)[first[place]], np.asarray(known[place] != index)

    def _chain(self, expr: Chain, to: Kind) -> IntArray:
        first = expr.ops[0]
        if first in COMPARISONS:
            kind = self.joined(*expr.terms)
            a, b = (self.value(term, kind) for term in expr.terms)
            return compared(first, a, b, kind).astype(np.int64)
        if first in ("&&", "||"):
            holds = [self.true(term) for term in expr.terms]
            join = np.logical_and if first == "&&" else np.logical_or
            return np.asarray(join.reduce(holds).astype(np.int64))
        out = self.value(expr.terms[0], to)
        for op, term in zip(expr.ops, expr.terms[1:], strict=True):
            other = self.alone(term) if op in SHIFTS or op == "**" else self.value(term, to)
            out = self._operated(op, out, other, to) & _mask(to.width)
        return out

    def _operated(self, op: str, a: IntArray, b: IntArray, to: Kind) -> IntArray:
        if op in SHIFTS:
            far = b >= to.width
            b = np.minimum(b, MAX_VALUE)
            if op in ("<<", "<<<"):
                return np.where(far, 0, a << b)
            filled = op == ">>>" and to.signed
            ones = -(a >> (to.width - 1) & 1) if filled else np.zeros_like(a)
            signed = a | (ones & ~_mask(to.width))
            return np.where(far, ones, signed >> b)
        if op in ("/", "%", "**"):
            raise self.error(f"{op!r} between signals", "write a table")
        plain = {"+": np.add, "-": np.subtract, "*": np.multiply, "&": np.bitwise_and,
                 "|": np.bitwise_or, "^": np.bitwise_xor}  # fmt: skip
        found = plain[op.strip("~")](a, b)
        return np.asarray(~found if "~" in op else found)

    def _call(self, expr: Call) -> IntArray:
        if expr.name in ("$signed", "$unsigned"):
            if len(expr.arguments) != 1:
                raise self.error(f"{expr.name} takes one value")
            return self.alone(expr.arguments[0])
        if expr.name == "$clog2":
            return np.full(self.rows, self.fixed(expr), np.int64)
        function = self.scope.function(expr.name)
        if function is None or len(expr.arguments) != len(function.arguments):
            raise NotTables(expr.at, f"{expr.name} with {len(expr.arguments)} arguments")
        if self.calls >= MAX_CALLS:
            raise NotTables(expr.at, f"functions called {MAX_CALLS} levels deep")
        self.left[0] -= 1
        if self.left[0] < 0:
            raise NotTables(expr.at, f"more than {MAX_ALL_CALLS:,} calls in one expression")
        return self.run(self, function, expr.arguments)


def replace_place(expr: Expr) -> Expr:
    """Return a name as if it stood at the start of the file, to compare it."""
    return replace(expr, at=0) if isinstance(expr, Name) else expr


def compared(op: str, a: IntArray, b: IntArray, kind: Kind) -> Bools:
    """Return a comparison of values of one kind."""
    if kind.signed:
        flip = 1 << (kind.width - 1)
        a, b = a ^ flip, b ^ flip
    found = {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}
    if op in found:
        return np.asarray(found[op])
    return np.asarray(a == b if op in ("==", "===") else a != b)


def _mask(width: int) -> int:
    return (1 << width) - 1


def _bits_of(value: int, width: int) -> Bools:
    data = (value & _mask(width)).to_bytes((width + 7) // 8, "little")
    return np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")[:width].astype(bool)
