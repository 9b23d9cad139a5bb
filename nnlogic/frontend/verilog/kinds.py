"""Widths and signs of expressions, and what names stand for in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from nnlogic.core.bits import Bools
from nnlogic.core.formats import IntArray
from nnlogic.frontend.verilog.expr import (
    COMPARISONS,
    SHIFTS,
    Bits,
    Call,
    Choice,
    Concat,
    Expr,
    Name,
    Number,
    Unary,
    constant,
)
from nnlogic.frontend.verilog.module import Function, Net
from nnlogic.frontend.verilog.text import NotTables

INTEGER = 32
MAX_VALUE = 62  # bits
MAX_CALLS = 16
"""Functions that call each other."""
MAX_ALL_CALLS = 1 << 10
"""Calls of functions in one expression."""


@dataclass(frozen=True)
class Kind:
    """Width and sign."""

    width: int
    signed: bool = False


@dataclass
class Variable:
    """A signal of a block: its values, and where it has one; by row."""

    kind: Kind
    values: IntArray
    known: Bools


@dataclass(frozen=True)
class Memory:
    """An array of constant words; None where nothing was written."""

    kind: Kind
    first: int
    words: list[int | None]
    falling: bool = False  # declared [15:0]


class Signals(Protocol):
    """Where names come from: an instance."""

    @property
    def constants(self) -> dict[str, int]:
        """Values of parameters."""

    @property
    def kinds(self) -> dict[str, Kind]:
        """Kinds of parameters."""

    @property
    def nets(self) -> dict[str, list[int]]:
        """Bits of signals, LSB first."""

    @property
    def signed(self) -> set[str]:
        """Signals that are signed."""

    @property
    def memories(self) -> dict[str, Memory]:
        """Arrays."""

    def function(self, name: str) -> Function | None:
        """Return a function."""

    def declared(self, net: Net) -> Kind:
        """Return width and sign of what is declared."""


@dataclass(kw_only=True)
class Typed:
    """Tells the kinds of expressions.

    Attributes
    ----------
    scope : Signals
    at : int
        Offset in the file, for messages.
    variables : dict of name to Variable
        Signals of a block, which hide those of the scope.
    """

    scope: Signals
    at: int
    variables: dict[str, Variable] = field(default_factory=dict)

    def error(self, why: str, fix: str = "") -> NotTables:
        """Return an error at the place of the expression."""
        return NotTables(self.at, why, fix)

    def kind(self, expr: Expr) -> Kind:
        """Return the width and sign that an expression has by itself."""
        if isinstance(expr, Number):
            least = max(INTEGER, expr.value.bit_length())
            return Kind(1 if expr.fill else expr.width or least, expr.signed)
        if isinstance(expr, Bits):
            return Kind(len(expr.bits), expr.signed)
        if isinstance(expr, Name):
            return self.name_kind(expr)
        if isinstance(expr, Concat):
            return Kind(self.times(expr) * sum(self.kind(part).width for part in expr.parts))
        if isinstance(expr, Unary):
            return self.kind(expr.operand) if expr.op in ("~", "-", "+") else Kind(1)
        if isinstance(expr, Choice):
            return self.joined(*(value for _, value in expr.pairs), expr.other)
        if isinstance(expr, Call):
            return self._call_kind(expr)
        if expr.ops[0] in COMPARISONS or expr.ops[0] in ("&&", "||"):
            return Kind(1)
        if expr.ops[0] in SHIFTS or expr.ops[0] == "**":
            return self.kind(expr.terms[0])
        return self.joined(*expr.terms)

    def joined(self, *parts: Expr) -> Kind:
        """Return the kind that operands of one operator are extended to."""
        kinds = [self.kind(part) for part in parts]
        return Kind(max(k.width for k in kinds), all(k.signed for k in kinds))

    def times(self, expr: Concat) -> int:
        """Return how often a concatenation is repeated."""
        return 1 if expr.times is None else constant(expr.times, self.scope.constants, self.at)

    def name_kind(self, expr: Name) -> Kind:
        """Return the kind of a name with its indices."""
        whole = self.whole(expr)
        if expr.high is expr.low is None:
            if expr.name in self.scope.memories:
                raise self.error(f"the array {expr.name} without an index")
            return whole
        if expr.name in self.scope.memories:
            return whole
        if expr.size is not None:
            return Kind(self.fixed(expr.size))
        if expr.low is not None and expr.high is not None:
            return Kind(self.fixed(expr.high) - self.fixed(expr.low) + 1)
        return Kind(1)

    def whole(self, expr: Name) -> Kind:
        """Return the kind of the signal, constant or word that a name is or is a part of."""
        scope, name = self.scope, expr.name
        if name in self.variables:
            return self.variables[name].kind
        if name in scope.kinds:
            return scope.kinds[name]
        if name in scope.memories:
            return scope.memories[name].kind
        if name in scope.nets:
            return Kind(len(scope.nets[name]), name in scope.signed)
        raise NotTables(expr.at, f"{name} is not declared")

    def fixed(self, expr: Expr) -> int:
        """Return the value of a constant expression."""
        return constant(expr, self.scope.constants, self.at)

    def _call_kind(self, expr: Call) -> Kind:
        if expr.name in ("$signed", "$unsigned"):
            return Kind(self.kind(expr.arguments[0]).width, expr.name == "$signed")
        if expr.name == "$clog2":
            return Kind(INTEGER, True)
        function = self.scope.function(expr.name)
        if function is None:
            raise NotTables(expr.at, f"{expr.name} is no function of this module")
        return self.scope.declared(function.result)
