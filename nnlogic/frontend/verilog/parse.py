"""A module of LogicNets-family Verilog: ports, wires, instances, tables and registers.

What is read: wires, assignments of slices and concatenations, instances, ``case`` tables in
combinational or clocked always blocks, and plain registers with an optional reset.
"""

from __future__ import annotations

from nnlogic.core.names import RESERVED
from nnlogic.frontend.verilog.always import AlwaysReader
from nnlogic.frontend.verilog.expr import Expr, Name, Tokens, expression
from nnlogic.frontend.verilog.module import Instance, Module, Net
from nnlogic.frontend.verilog.text import ModuleText, NotTables

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
        high, low = self._range()
        while True:
            name = tokens.identifier()
            self.module.ports[name] = direction
            self.module.nets[name] = Net(high, low, at)
            after = tokens.words[tokens.next + 1 : tokens.next + 2]
            if tokens.word != "," or after[0] in (*_DIRECTIONS, "inout"):
                return
            tokens.take()

    def _range(self) -> tuple[Expr | None, Expr | None]:
        tokens = self.tokens
        while tokens.word in _NETS:
            tokens.take()
        if tokens.word == "signed":
            raise NotTables(tokens.at, "a signed signal", "tables and wires are plain bits")
        if not tokens.accept("["):
            return None, None
        high = expression(tokens)
        tokens.expect(":")
        low = expression(tokens)
        tokens.expect("]")
        return high, low

    def _nets(self) -> None:
        tokens = self.tokens
        high, low = self._range()
        while True:
            at, name = tokens.at, tokens.identifier()
            if name not in self.module.ports:  # a port may be declared again as reg
                self.module.nets[name] = Net(high, low, at)
            if tokens.accept("="):
                self.module.assigns.append((Name(name, at), expression(tokens), at))
            if not tokens.accept(","):
                break
        tokens.expect(";")

    def _assign(self) -> None:
        tokens = self.tokens
        while True:
            at = tokens.at
            target = expression(tokens)
            tokens.expect("=")
            self.module.assigns.append((target, expression(tokens), at))
            if not tokens.accept(","):
                break
        tokens.expect(";")

    def _parameters(self, local: bool) -> None:
        tokens = self.tokens
        if tokens.word in ("integer", "int"):
            tokens.take()
        self._range()
        while True:
            name = tokens.identifier()
            tokens.expect("=")
            self.module.params[name] = expression(tokens)
            if local:
                self.module.local.add(name)
            if not tokens.accept(",") or tokens.word in ("parameter", ")"):
                return

    def _instance(self) -> None:
        tokens = self.tokens
        at, module = tokens.at, tokens.identifier()
        params = self._pins() if tokens.accept("#") else {}
        if module in RESERVED or not (tokens.word[:1].isalpha() or tokens.word[:1] == "_"):
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
