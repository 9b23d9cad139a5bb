"""An instance of a module, and what drives bits."""

from __future__ import annotations

from dataclasses import dataclass, field

from nnlogic.core.formats import IntArray
from nnlogic.core.limits import WIDTH
from nnlogic.frontend.verilog.expr import Number, constant
from nnlogic.frontend.verilog.kinds import INTEGER, Kind, Memory
from nnlogic.frontend.verilog.module import Function, Module, Net
from nnlogic.frontend.verilog.text import NotTables, SourceFile


@dataclass(frozen=True, slots=True)
class Wired:
    """A bit is another one, after a register if there is a `clock`."""

    bit: int
    clock: int | None = None


@dataclass(frozen=True, slots=True)
class Driven:
    """A bit comes from a top input port (by name) or a table (by index)."""

    of: str | int
    bit: int


@dataclass(frozen=True, eq=False)
class TableCell:
    """A table in use.

    Attributes
    ----------
    path : str
        Instance names from the top, joined by points.
    layer : tuple of str
        Path and module name of the instance that groups neurons.
    table : int64 array, shape (2**len(inputs),)
    inputs : tuple of int
        Bits of the selector, LSB first.
    outputs : int
        How many bits it gives.
    file : str
    place : str
        File and line.
    """

    path: str
    layer: tuple[str, str]
    table: IntArray
    inputs: tuple[int, ...]
    outputs: int
    file: str
    place: str


@dataclass(frozen=True, eq=False)
class Scope:
    """An instance: its constants, and the bits of its signals, LSB first."""

    module: Module
    path: str
    layer: tuple[str, str]
    parent: Scope | None
    constants: dict[str, int] = field(default_factory=dict)
    kinds: dict[str, Kind] = field(default_factory=dict)
    nets: dict[str, list[int]] = field(default_factory=dict)
    signed: set[str] = field(default_factory=set)
    memories: dict[str, Memory] = field(default_factory=dict)

    @property
    def source(self) -> SourceFile:
        """The file of the module."""
        return self.module.source

    def function(self, name: str) -> Function | None:
        """Return a function of the module."""
        return self.module.functions.get(name)

    def declared(self, net: Net) -> Kind:
        """Return width and sign of what is declared.

        Raises
        ------
        NotTables
            Another range than ``[width-1:0]``, or one beyond `WIDTH`.
        """
        if net.high is None or net.low is None:
            return Kind(1, net.signed)
        high, low = (constant(e, self.constants, net.at) for e in (net.high, net.low))
        if low != 0 or not 0 <= high < WIDTH.value:
            fix = f"use [width-1:0], of {WIDTH.value:,} bits at most"
            if low == 0 and high > 0:
                fix = f"{fix}; {WIDTH.fix(high + 1)}".removesuffix("; ")
            raise NotTables(net.at, f"the range [{short(high)}:{short(low)}]", fix)
        return Kind(high + 1, net.signed)

    def within(self, name: str) -> bool:
        """Whether the instance stands in a module of this name, or is one."""
        scope: Scope | None = self
        while scope is not None:
            if scope.module.name == name:
                return True
            scope = scope.parent
        return False

    def settle(self, given: dict[str, int]) -> None:
        """Compute the constants, some of which are given.

        Raises
        ------
        NotTables
            One is unknown, or not constant.
        """
        module = self.module
        settable = [name for name in module.params if name not in module.local]
        given = {
            dict(zip("0123456789", settable, strict=False)).get(k, k): v for k, v in given.items()
        }
        unknown = sorted(set(given) - set(settable))
        if unknown:
            raise NotTables(module.at, f"no parameter {', '.join(unknown)} in {module.name}")
        for name, expr in module.params.items():
            value = given.get(name)
            if value is None:
                value = constant(expr, self.constants, module.at)
            self.constants[name] = value
            net = module.kinds[name]
            own = expr.width if isinstance(expr, Number) else None
            kind = Kind(own or max(INTEGER, value.bit_length()), own is None)
            self.kinds[name] = kind if net.high is None else self.declared(net)


def short(number: int) -> str:
    """Return a number for a message."""
    return str(number) if number.bit_length() < 64 else f"a number of {number.bit_length()} bits"
