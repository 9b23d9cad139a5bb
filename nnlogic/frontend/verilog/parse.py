"""A module of LogicNets-family Verilog: ports, wires, instances, tables and registers.

What is read: wires, assignments, instances, ``case`` tables and other blocks of statements,
functions, arrays of constant words, and plain registers with an optional reset.
"""

from __future__ import annotations

from nnlogic.core.names import KEYWORDS
from nnlogic.frontend.verilog.always import AlwaysReader, statement
from nnlogic.frontend.verilog.expr import Chain, Expr, Name, Number, expression, primary
from nnlogic.frontend.verilog.module import Function, Instance, Module, Net
from nnlogic.frontend.verilog.text import ModuleText, NotTables
from nnlogic.frontend.verilog.tokens import Tokens
from nnlogic.tools.verilog_2001 import WORDS

_NETS = ("wire", "reg", "logic")
_DIRECTIONS = ("input", "output")


def parse_module(text: ModuleText) -> Module:
    """Parse a module.

    Raises
    ------
    NotTables
        The first thing that does not belong to the family.
    """
    return _Parser(text).parse()


class _Parser:
    def __init__(self, text: ModuleText) -> None:
        self.module = Module(text.name, text.source, text.start)
        self.tokens = Tokens(text.source.text, text.start, text.end)
        self.always = AlwaysReader(self.tokens, self.module)

    def parse(self) -> Module:
        tokens = self.tokens
        self._header()
        while tokens.word:
            at = tokens.at
            if tokens.word in _DIRECTIONS:
                self._port()
                tokens.expect(";")
            elif tokens.word in _NETS:
                tokens.take()
                self._nets()
            elif tokens.accept("assign"):
                self._assign()
            elif tokens.word in ("parameter", "localparam"):
                self._parameters(tokens.take() == "localparam")
                tokens.expect(";")
            elif tokens.word in ("always", "always_comb", "always_ff"):
                self.always.read(tokens.take() == "always_comb", at)
            elif tokens.accept("initial"):
                self.always.initial()
            elif tokens.accept("function"):
                self._function(at)
            elif not tokens.accept(";"):
                self._instance()
        return self.module

    def _header(self) -> None:
        tokens = self.tokens
        if tokens.accept("#"):
            tokens.expect("(")
            while not tokens.accept(")"):
                tokens.accept("parameter")
                self._parameters(False)
        if tokens.accept("("):
            while not tokens.accept(")"):
                if tokens.word in _DIRECTIONS:
                    self._port()
                else:
                    self.module.ports[tokens.identifier()] = ""
                if tokens.word != ")":
                    tokens.expect(",")
        tokens.expect(";")

    def _port(self) -> None:
        """Read ``input wire [3:0] a, b``; a name that is followed by another one ends it."""
        tokens = self.tokens
        at, direction = tokens.at, tokens.take()
        high, low, signed = self._range()
        while True:
            name = tokens.identifier()
            self.module.ports[name] = direction
            self.module.nets[name] = Net(high, low, at, signed)
            after = tokens.words[tokens.next + 1 : tokens.next + 2]
            if tokens.word != "," or after[0] in (*_DIRECTIONS, "inout"):
                return
            tokens.take()

    def _range(self) -> tuple[Expr | None, Expr | None, bool]:
        """Read ``wire signed [3:0]``; return high, low and whether it is signed."""
        tokens = self.tokens
        while tokens.word in _NETS and not self._is_name():
            tokens.take()
        signed = tokens.accept("signed")
        if not tokens.accept("["):
            return None, None, signed
        high = expression(tokens)
        tokens.expect(":")
        low = expression(tokens)
        tokens.expect("]")
        return high, low, signed

    def _is_name(self) -> bool:
        """Whether a word such as ``logic`` is a name here, as it may be in Verilog-2001."""
        tokens = self.tokens
        return tokens.words[tokens.next + 1] in (",", ";", ")", "=")

    def _nets(self) -> None:
        tokens = self.tokens
        high, low, signed = self._range()
        while True:
            at, name = tokens.at, tokens.identifier()
            words = self._words()
            if name not in self.module.ports:  # a port may be declared again as reg
                self.module.nets[name] = Net(high, low, at, signed, words)
            if tokens.accept("="):
                self.module.assigns.append((Name(name, at), expression(tokens), at))
            if not tokens.accept(","):
                break
        tokens.expect(";")

    def _words(self) -> tuple[Expr, Expr] | None:
        """Read the range of an array, ``[0:15]`` or ``[16]``."""
        tokens = self.tokens
        if not tokens.accept("["):
            return None
        bound = expression(tokens)
        words: tuple[Expr, Expr] = Number(None, 0), Chain(("-",), (bound, Number(None, 1)))
        if tokens.accept(":"):
            words = bound, expression(tokens)
        tokens.expect("]")
        return words

    def _function(self, at: int) -> None:
        tokens = self.tokens
        tokens.accept("automatic")
        high, low, signed = self._range()
        name = tokens.identifier()
        result = Net(high, low, at, signed)
        arguments: dict[str, Net] = {}
        variables: dict[str, Net] = {}
        kind: tuple[Expr | None, Expr | None, bool] = None, None, False
        if tokens.accept("("):
            while not tokens.accept(")"):
                if tokens.word == "input":
                    tokens.take()
                    kind = self._range()
                arguments[tokens.identifier()] = Net(kind[0], kind[1], at, kind[2])
                if tokens.word != ")":
                    tokens.expect(",")
        tokens.expect(";")
        while tokens.word in ("input", *_NETS):
            into = arguments if tokens.take() == "input" else variables
            kind = self._range()
            while True:
                into[tokens.identifier()] = Net(kind[0], kind[1], at, kind[2])
                if not tokens.accept(","):
                    break
            tokens.expect(";")
        statements = statement(tokens)
        tokens.expect("endfunction")
        if tokens.accept(":"):
            tokens.identifier()
        found = Function(name, result, arguments, variables, statements, at)
        self.module.functions[name] = found

    def _assign(self) -> None:
        tokens = self.tokens
        while True:
            at = tokens.at
            target = primary(tokens)
            tokens.expect("=")
            self.module.assigns.append((target, expression(tokens), at))
            if not tokens.accept(","):
                break
        tokens.expect(";")

    def _parameters(self, local: bool) -> None:
        tokens = self.tokens
        if tokens.word in ("integer", "int"):
            tokens.take()
        at = tokens.at
        high, low, signed = self._range()
        while True:
            name = tokens.identifier()
            if tokens.word == "[":
                fix = "write the table as a case, or as one vector"
                raise NotTables(at, f"the parameter {name} is an array", fix)
            tokens.expect("=")
            self.module.params[name] = expression(tokens)
            self.module.kinds[name] = Net(high, low, at, signed)
            if local:
                self.module.local.add(name)
            if not tokens.accept(",") or tokens.word in ("parameter", ")"):
                return

    def _instance(self) -> None:
        tokens = self.tokens
        at, module = tokens.at, tokens.identifier()
        params = self._pins() if tokens.accept("#") else {}
        if module in KEYWORDS - WORDS or not (tokens.word[:1].isalpha() or tokens.word[:1] == "_"):
            why = f"cannot read {module!r}: neither a wire, an instance, a table nor a register"
            raise NotTables(at, why)
        name = tokens.identifier()
        pins = self._pins()
        tokens.expect(";")
        given = {k: v for k, v in params.items() if v is not None}
        self.module.instances.append(Instance(module, name, given, pins, at))

    def _pins(self) -> dict[str, Expr | None]:
        tokens = self.tokens
        tokens.expect("(")
        pins: dict[str, Expr | None] = {}
        while not tokens.accept(")"):
            if tokens.accept("."):
                name = tokens.identifier()
                tokens.expect("(")
                pins[name] = None if tokens.word == ")" else expression(tokens)
                tokens.expect(")")
            else:
                pins[str(len(pins))] = expression(tokens)
            if tokens.word != ")":
                tokens.expect(",")
        return pins
