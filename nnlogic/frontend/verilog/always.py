"""Always and initial blocks, and functions: tables, registers with a reset, and statements."""

from __future__ import annotations

from dataclasses import replace

from nnlogic.frontend.verilog.case import read_case
from nnlogic.frontend.verilog.expr import (
    Chain,
    Concat,
    Expr,
    Name,
    Number,
    Unary,
    expression,
    primary,
)
from nnlogic.frontend.verilog.module import (
    Assign,
    Case,
    If,
    Load,
    Module,
    Process,
    Register,
    Statement,
    Table,
)
from nnlogic.frontend.verilog.text import NotTables
from nnlogic.frontend.verilog.tokens import BODY, Tokens

_LOADS = {"$readmemh": 16, "$readmemb": 2}
_QUALIFIERS = ("unique", "unique0", "priority")
_WILD = {"case": "", "casez": "z?", "casex": "xz?"}


class AlwaysReader:
    """Reads blocks into a module."""

    def __init__(self, tokens: Tokens, module: Module) -> None:
        self.tokens, self.module = tokens, module

    def read(self, combinational: bool, at: int) -> None:
        """Read one block, whose keyword stands at offset `at` and was taken already."""
        edges = [] if combinational else self._sensitivity()
        if [way for way, _ in edges] == ["negedge"]:
            why = f"a register of the falling edge of {edges[0][1]}"
            raise NotTables(at, why, "use rising edges")
        table = self._plain_table() if len(edges) < 2 else None
        if table is not None:
            clock = edges[0][1] if edges else ""
            self.module.tables.append(replace(table, clock=clock))
            return
        statements = statement(self.tokens)
        if not edges:
            self.module.processes.append(Process(statements, "", None, at))
            return
        self._clocked(statements, edges, at)

    def initial(self) -> None:
        """Read an initial block: constant words of arrays, and files of words."""
        tokens = self.tokens
        if not tokens.accept("begin"):
            self._initial()
            return
        if tokens.accept(":"):
            tokens.identifier()
        while not tokens.accept("end"):
            self._initial()

    def _initial(self) -> None:
        tokens, at = self.tokens, self.tokens.at
        if tokens.word in _LOADS:
            base = _LOADS[tokens.take()]
            tokens.expect("(")
            file = tokens.take()
            tokens.expect(",")
            array = tokens.identifier()
            if tokens.word != ")":
                raise NotTables(at, "a file of words for a part of an array", "load all of it")
            tokens.expect(")")
            tokens.expect(";")
            self.module.initial.append(Load(base, file.strip('"'), array, at))
            return
        for s in statement(tokens):
            if not isinstance(s, Assign):
                raise NotTables(s.at, "behavioural code in an initial block", "list the words")
            self.module.initial.append(s)

    def _sensitivity(self) -> list[tuple[str, str]]:
        """Return edges with their signals; empty for a combinational block."""
        tokens = self.tokens
        if tokens.accept("@*"):
            return []
        tokens.expect("@")
        if tokens.accept("*"):
            return []
        tokens.expect("(")
        edges = []
        while not tokens.accept(")"):
            word = tokens.take()
            if word in ("posedge", "negedge"):
                edges.append((word, tokens.identifier()))
            elif not word:
                tokens.expect(")")
        return edges

    def _plain_table(self) -> Table | None:
        """Read a block of one ``case`` of constants; None, and nothing is read, for any other."""
        tokens = self.tokens
        start, depth = tokens.next, tokens.depth
        try:
            begun = tokens.accept("begin")
            if begun and tokens.accept(":"):
                tokens.identifier()
            first = None
            if tokens.word not in _WILD and tokens.word not in _QUALIFIERS:
                target = primary(tokens)
                tokens.expect("=")
                first = target, primary(tokens)
                tokens.expect(";")
            table = _table(tokens)
            if first is not None:
                name, value = first
                known = isinstance(value, Number) and not value.mask and not value.fill
                if name != replace_at(table.target, name) or not known:
                    raise NotTables(table.at, "behavioural code beside a table")
                if table.body.default is None and isinstance(value, Number):
                    table = replace(table, body=replace(table.body, default=value.value))
            if begun:
                tokens.expect("end")
            values = [*table.body.named.values(), table.body.default]
            if any(isinstance(v, str) and v not in self.module.params for v in values):
                raise NotTables(table.at, "values that are signals")
        except NotTables:
            tokens.next, tokens.depth = start, depth
            return None
        return table

    def _clocked(
        self, statements: tuple[Statement, ...], edges: list[tuple[str, str]], at: int
    ) -> None:
        reset: tuple[str, int] | None = None
        if len(statements) == 1 and isinstance(branch := statements[0], If):
            condition, then = branch.branches[0]
            found = _control(condition)
            asynchronous = found is not None and any(name == found[0] for _, name in edges)
            if branch.other is None and len(branch.branches) == 1:
                name = found[0] if found else "a condition"
                why = f"a register that {name} can stop: without else it keeps its value"
                raise NotTables(branch.at, why, "a feed-forward pipeline has no enable")
            if found is not None and len(branch.branches) == 1 and branch.other is not None:
                name, value = found
                if all(isinstance(s, Assign) and _is_constant(s.value) for s in then):
                    statements, reset = branch.other, (name, 1 - value)
                elif all(isinstance(s, Assign) and _is_constant(s.value) for s in branch.other):
                    statements, reset = then, (name, value)
                else:
                    raise NotTables(branch.at, "behavioural code: an if that is not a reset")
            elif asynchronous or found is not None:
                raise NotTables(branch.at, "behavioural code: an if that is not a reset")
        clocks = [(way, name) for way, name in edges if reset is None or name != reset[0]]
        if len(clocks) != 1 or clocks[0][0] != "posedge":
            raise NotTables(at, "a register that is not clocked by one rising edge")
        clock = clocks[0][1]
        if all(isinstance(s, Assign) and not s.blocking for s in statements):
            for s in statements:
                if isinstance(s, Assign):
                    register = Register(s.target, s.value, clock, reset, s.at)
                    self.module.registers.append(register)
        else:
            self.module.processes.append(Process(statements, clock, reset, at))


def replace_at(target: Expr, like: Expr) -> Expr:
    """Return a name as if it stood where another one does, to compare them."""
    if isinstance(target, Name) and isinstance(like, Name):
        return replace(target, at=like.at)
    return target


def _table(tokens: Tokens) -> Table:
    while tokens.word in _QUALIFIERS:
        tokens.take()
    at = tokens.at
    tokens.expect("case")
    tokens.expect("(")
    selector = expression(tokens)
    tokens.expect(")")
    start = tokens.at
    tokens.expect(BODY)
    body = read_case(tokens.text, start, tokens.bodies[start])
    tokens.expect("endcase")
    target = primary(Tokens(body.target, 0, len(body.target)))
    return Table(selector, replace_at(target, Name("", at)), body, "", at)


def statement(tokens: Tokens) -> tuple[Statement, ...]:
    """Read a statement, or those between ``begin`` and ``end``."""
    at = tokens.at
    if tokens.accept(";"):
        return ()
    if tokens.accept("begin"):
        with tokens.nested():
            if tokens.accept(":"):
                tokens.identifier()
            out: list[Statement] = []
            while not tokens.accept("end"):
                out += statement(tokens)
            return tuple(out)
    qualifier = tokens.take() if tokens.word in _QUALIFIERS else ""
    if tokens.word in _WILD:
        with tokens.nested():
            return (_case(tokens, qualifier, at),)
    if tokens.word == "if":
        with tokens.nested():
            return (_if(tokens, at),)
    if tokens.word in ("for", "while", "repeat", "forever", "return"):
        raise NotTables(at, f"{tokens.word!r} in a block", "write it out, or as a table")
    target = primary(tokens)
    blocking = tokens.accept("=")
    if not blocking:
        tokens.expect("<=")
    value = expression(tokens)
    tokens.expect(";")
    return (Assign(target, value, blocking, at),)


def _if(tokens: Tokens, at: int) -> If:
    branches: list[tuple[Expr, tuple[Statement, ...]]] = []
    other = None
    while tokens.accept("if"):
        tokens.expect("(")
        condition = expression(tokens)
        tokens.expect(")")
        branches.append((condition, statement(tokens)))
        tokens.link(len(branches))
        if not tokens.accept("else"):
            break
        if tokens.word != "if":
            other = statement(tokens)
            break
    return If(tuple(branches), other, at)


def _case(tokens: Tokens, qualifier: str, at: int) -> Case:
    word = tokens.take()
    tokens.expect("(")
    selector = expression(tokens)
    tokens.expect(")")
    if tokens.word == BODY:
        start = tokens.at
        tokens.take()
        inner = Tokens(tokens.text, start, tokens.bodies[start], tokens.depth)
        items, default = _items(inner, word)
    else:
        items, default = _items(tokens, word)
    tokens.expect("endcase")
    return Case(selector, items, default, _WILD[word], qualifier.startswith("unique"), at)


def _items(
    tokens: Tokens, word: str
) -> tuple[
    tuple[tuple[tuple[Expr, ...], tuple[Statement, ...]], ...], tuple[Statement, ...] | None
]:
    items: list[tuple[tuple[Expr, ...], tuple[Statement, ...]]] = []
    default: tuple[Statement, ...] | None = None
    while tokens.word and tokens.word != "endcase":
        at = tokens.at
        if tokens.accept("default"):
            if default is not None:
                raise NotTables(at, "the case has several defaults")
            tokens.accept(":")
            default = statement(tokens)
            continue
        labels = []
        while True:
            if word == "casez" and "'" in tokens.word and "x" in tokens.word.lower():
                raise NotTables(tokens.at, f"the label {tokens.word[:40]}", "casez ignores z and ?")
            labels.append(expression(tokens))
            if not tokens.accept(","):
                break
        tokens.expect(":")
        items.append((tuple(labels), statement(tokens)))
    return tuple(items), default


def _control(condition: Expr) -> tuple[str, int] | None:
    """Return the signal that a condition is, and the value for which it holds."""
    value = 1
    while isinstance(condition, Unary) and condition.op in ("!", "~"):
        condition, value = condition.operand, 1 - value
    if isinstance(condition, Chain) and condition.ops in (("==",), ("!=",)):
        left, right = condition.terms
        if isinstance(right, Number) and right.value in (0, 1) and not right.mask:
            same = condition.ops == ("==",)
            condition, value = left, value if (right.value == 1) == same else 1 - value
    if isinstance(condition, Name) and condition.high is condition.low is None:
        return condition.name, value
    return None


def _is_constant(expr: Expr) -> bool:
    if isinstance(expr, Concat):
        return all(_is_constant(part) for part in expr.parts)
    return isinstance(expr, Number)
