"""Always blocks: tables, registers with an optional reset, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, replace

from nnlogic.frontend.verilog.case import CaseBody, read_case
from nnlogic.frontend.verilog.expr import (
    BODY,
    Concat,
    Expr,
    Name,
    Number,
    Tokens,
    expression,
)
from nnlogic.frontend.verilog.module import Module, Register, Table
from nnlogic.frontend.verilog.text import NotTables


@dataclass(frozen=True)
class _Assign:
    target: Expr
    value: Expr
    blocking: bool
    at: int


@dataclass(frozen=True)
class _Case:
    selector: Expr
    body: CaseBody
    at: int


@dataclass(frozen=True)
class _If:
    condition: tuple[str, int]  # the signal, and the value for which it holds
    then: list[_Statement]
    other: list[_Statement] | None
    at: int


_Statement = _Assign | _Case | _If


class AlwaysReader:
    """Reads always blocks into a module."""

    def __init__(self, tokens: Tokens, module: Module) -> None:
        self.tokens, self.module = tokens, module

    def read(self, combinational: bool, at: int) -> None:
        """Read one block, whose keyword stands at offset `at` and was taken already."""
        edges = [] if combinational else self._sensitivity()
        statements = self._statement()
        if not edges:
            self._combinational(statements, at)
            return
        for direction, name in edges:
            if direction == "negedge" and len(edges) == 1:
                why = f"a register of the falling edge of {name}"
                raise NotTables(at, why, "use rising edges")
        self._clocked(statements, edges, at)

    def _sensitivity(self) -> list[tuple[str, str]]:
        """Return edges with their signals; empty for a combinational block."""
        tokens = self.tokens
        if tokens.accept("@*"):
            return []
        tokens.expect("@")
        tokens.expect("(")
        edges = []
        while not tokens.accept(")"):
            word = tokens.take()
            if word in ("posedge", "negedge"):
                edges.append((word, tokens.identifier()))
            elif not word:
                tokens.expect(")")
        return edges

    def _statement(self) -> list[_Statement]:
        tokens = self.tokens
        at = tokens.at
        if tokens.accept(";"):
            return []
        if tokens.accept("begin"):
            if tokens.accept(":"):
                tokens.identifier()
            out: list[_Statement] = []
            while not tokens.accept("end"):
                out += self._statement()
            return out
        if tokens.word in ("case", "casex", "casez"):
            return [self._case()]
        if tokens.accept("if"):
            tokens.expect("(")
            condition = self._condition()
            tokens.expect(")")
            then = self._statement()
            other = self._statement() if tokens.accept("else") else None
            return [_If(condition, then, other, at)]
        target = expression(tokens)
        blocking = tokens.accept("=")
        if not blocking:
            tokens.expect("<=")
        value = expression(tokens)
        tokens.expect(";")
        return [_Assign(target, value, blocking, at)]

    def _case(self) -> _Case:
        tokens = self.tokens
        at, word = tokens.at, tokens.take()
        if word != "case":
            raise NotTables(at, f"a {word}", "list the entries of a table without wildcards")
        tokens.expect("(")
        selector = expression(tokens)
        tokens.expect(")")
        start = tokens.at
        tokens.expect(BODY)
        body = read_case(tokens.text, start, tokens.bodies[start])
        tokens.expect("endcase")
        return _Case(selector, body, at)

    def _condition(self) -> tuple[str, int]:
        tokens = self.tokens
        value = 1
        while tokens.word in ("!", "~"):
            tokens.take()
            value = 1 - value
        name = tokens.identifier()
        if tokens.word in ("==", "!="):
            same = tokens.take() == "=="
            other = expression(tokens)
            if not isinstance(other, Number) or other.value > 1:
                raise NotTables(tokens.at, "a condition that is not a reset")
            value = value if (other.value == 1) == same else 1 - value
        return name, value

    def _combinational(self, statements: list[_Statement], at: int) -> None:
        found = [s for s in statements if isinstance(s, _Case)]
        simple = [s for s in statements if isinstance(s, _Assign)]
        if len(found) + len(simple) < len(statements) or len(found) > 1:
            raise NotTables(at, "behavioural code: more than one table, or an if")
        if not found:
            self.module.assigns += [(s.target, s.value, s.at) for s in simple]
            return
        case = found[0]
        body = case.body
        target = expression(Tokens(body.target, 0, len(body.target)))
        for s in simple:
            known = isinstance(s.value, Number) and statements[0] is s
            if not known or not isinstance(s.target, Name) or s.target.name != body.target:
                raise NotTables(s.at, "behavioural code beside a table")
            if body.default is None and isinstance(s.value, Number):
                body = replace(body, default=s.value.value)
        self.module.tables.append(Table(case.selector, target, body, "", case.at))

    def _clocked(self, statements: list[_Statement], edges: list[tuple[str, str]], at: int) -> None:
        reset: tuple[str, int] | None = None
        if len(statements) == 1 and isinstance(statements[0], _If):
            branch = statements[0]
            name, value = branch.condition
            if branch.other is None:
                why = f"a register that {name} can stop: without else it keeps its value"
                raise NotTables(branch.at, why, "a feed-forward pipeline has no enable")
            statements = branch.other
            reset = (name, 1 - value)
            if all(isinstance(s, _Assign) and _is_constant(s.value) for s in statements):
                statements, reset = branch.then, (name, value)
            elif not all(isinstance(s, _Assign) and _is_constant(s.value) for s in branch.then):
                raise NotTables(branch.at, "behavioural code: an if that is not a reset")
        clocks = [(way, name) for way, name in edges if reset is None or name != reset[0]]
        if len(clocks) != 1 or clocks[0][0] != "posedge":
            raise NotTables(at, "a register that is not clocked by one rising edge")
        clock = clocks[0][1]
        for s in statements:
            if isinstance(s, _Assign) and not s.blocking:
                self.module.registers.append(Register(s.target, s.value, clock, reset, s.at))
            elif isinstance(s, _Case) and reset is None and len(statements) == 1:
                target = expression(Tokens(s.body.target, 0, len(s.body.target)))
                self.module.tables.append(Table(s.selector, target, s.body, clock, s.at))
            else:
                raise NotTables(s.at, "behavioural code in a clocked block")


def _is_constant(expr: Expr) -> bool:
    if isinstance(expr, Concat):
        return all(_is_constant(part) for part in expr.parts)
    return isinstance(expr, Number)
