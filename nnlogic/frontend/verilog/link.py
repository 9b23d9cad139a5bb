"""Elaboration: instances become wires, and every bit finds the table or port that drives it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nnlogic.core.errors import Problem
from nnlogic.core.formats import IntArray
from nnlogic.frontend.verilog.expr import Concat, Expr, Name, Number, constant
from nnlogic.frontend.verilog.module import Instance, Module, Net, Register, Table
from nnlogic.frontend.verilog.parse import parse_module
from nnlogic.frontend.verilog.text import Library, NotTables, SourceFile

MAX_WIDTH = 1 << 20


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


@dataclass(frozen=True)
class _Scope:
    """An instance: its constants, and the bits of its signals, LSB first."""

    module: Module
    path: str
    layer: tuple[str, str]
    constants: dict[str, int]
    nets: dict[str, list[int]]

    @property
    def source(self) -> SourceFile:
        return self.module.source


class Linker:
    """Elaborates a hierarchy into bits; bits 0 and 1 are the constants.

    Attributes
    ----------
    drivers : dict of bit to Wired or Driven
    names : list of (scope path, signal, index, place)
        By bit.
    cells : list of TableCell
    clocks : dict of bit to place
    resets : list of (bit, value in operation, place)
    problems : list of Problem
        All that does not fit; the rest is meaningful only when this is empty.
    """

    def __init__(self, library: Library, top: str) -> None:
        self.library = library
        self.problems: list[Problem] = []
        self.drivers: dict[int, Wired | Driven] = {}
        self.names: list[tuple[str, str, int, str]] = [("", "0", 0, ""), ("", "1", 0, "")]
        self.cells: list[TableCell] = []
        self.clocks: dict[int, str] = {}
        self.resets: list[tuple[int, int, str]] = []
        self.inputs: dict[str, list[int]] = {}
        self.outputs: dict[str, list[int]] = {}
        self._parsed: dict[str, Module | None] = {}
        self._tables: dict[tuple, IntArray] = {}
        module = self._module(top)
        if module is not None:
            scope = self._elaborate(module, "", ("", top), {}, (top,))
            for name, direction in module.ports.items():
                bits = scope.nets.get(name, [])
                (self.inputs if direction == "input" else self.outputs)[name] = bits
            for name, bits in self.inputs.items():
                self.drivers.update((b, Driven(name, i)) for i, b in enumerate(bits))
        # Instances of one module share their problems.
        self.problems = list(dict.fromkeys(self.problems))

    def _module(self, name: str) -> Module | None:
        if name not in self._parsed:
            self._parsed[name] = None
            text = self.library.find(name)
            if text is not None:
                try:
                    self._parsed[name] = parse_module(text)
                except NotTables as error:
                    self.problems.append(text.source.problem(error, name))
        return self._parsed[name]

    def _elaborate(
        self,
        module: Module,
        path: str,
        layer: tuple[str, str],
        given: dict[str, int],
        stack: tuple[str, ...],
    ) -> _Scope:
        scope = _Scope(module, path, layer, {}, {})
        self._try(scope, self._constants, given)
        for name, net in module.nets.items():
            self._try(scope, self._declare, name, net)
        for name, direction in module.ports.items():
            if name not in module.nets or not direction:
                error = NotTables(module.at, f"the port {name} has no direction")
                self.problems.append(scope.source.problem(error, module.name))
                scope.nets.setdefault(name, [])
        for target, value, at in module.assigns:
            self._try(scope, self._assign, target, value, at)
        for number, table in enumerate(module.tables):
            self._try(scope, self._table, number, table)
        for register in module.registers:
            self._try(scope, self._register, register)
        for instance in module.instances:
            self._try(scope, self._instance, instance, stack)
        return scope

    def _try(self, scope: _Scope, step, *arguments) -> None:  # type: ignore[no-untyped-def]
        try:
            step(scope, *arguments)
        except NotTables as error:
            self.problems.append(scope.source.problem(error, scope.module.name))

    def _constants(self, scope: _Scope, given: dict[str, int]) -> None:
        module = scope.module
        settable = [name for name in module.params if name not in module.local]
        given = {
            dict(zip("0123456789", settable, strict=False)).get(k, k): v for k, v in given.items()
        }
        unknown = sorted(set(given) - set(settable))
        if unknown:
            raise NotTables(module.at, f"no parameter {', '.join(unknown)} in {module.name}")
        for name, expr in module.params.items():
            value = given.get(name)
            scope.constants[name] = (
                constant(expr, scope.constants, module.at) if value is None else value
            )

    def _declare(self, scope: _Scope, name: str, net: Net) -> None:
        width = 1
        if net.high is not None and net.low is not None:
            high, low = (constant(e, scope.constants, net.at) for e in (net.high, net.low))
            if low != 0 or not 0 <= high < MAX_WIDTH:
                raise NotTables(net.at, f"the range [{high}:{low}] of {name}", "use [width-1:0]")
            width = high + 1
        first = len(self.names)
        place = scope.source.place(net.at)
        self.names += [(scope.path, name, i, place) for i in range(width)]
        scope.nets[name] = list(range(first, first + width))

    def _assign(self, scope: _Scope, target: Expr, value: Expr, at: int) -> None:
        targets = self._bits(scope, target, at)
        self._wire(scope, targets, self._bits(scope, value, at, len(targets)), at)

    def _wire(
        self,
        scope: _Scope,
        targets: Sequence[int],
        values: Sequence[int],
        at: int,
        clock: int | None = None,
    ) -> None:
        if len(targets) != len(values):
            why = f"{len(values)} bits are connected to {len(targets)}"
            raise NotTables(at, why, "widths must match")
        for target, value in zip(targets, values, strict=True):
            if target in self.drivers or target < 2:
                _, name, index, _ = self.names[target]
                raise NotTables(at, f"{name}[{index}] is driven twice")
            self.drivers[target] = Wired(value, clock)

    def _table(self, scope: _Scope, number: int, table: Table) -> None:
        selector = self._bits(scope, table.selector, table.at)
        target = self._bits(scope, table.target, table.at)
        key = (scope.module.name, number, len(selector), len(target), *scope.constants.items())
        if key not in self._tables:
            self._tables[key] = table.body.table(len(selector), len(target), scope.constants)
        own = len(scope.module.tables) > 1 or scope.module.instances or not scope.path
        layer = (scope.path, scope.module.name) if own else scope.layer
        place = scope.source.place(table.at)
        index, first = len(self.cells), len(self.names)
        cell = TableCell(
            scope.path,
            layer,
            self._tables[key],
            tuple(selector),
            len(target),
            scope.source.path.name,
            place,
        )
        self.cells.append(cell)
        self.names += [(scope.path, "table", i, place) for i in range(len(target))]
        outputs = range(first, first + len(target))
        self.drivers.update((b, Driven(index, i)) for i, b in enumerate(outputs))
        clock = self._clock(scope, table.clock, table.at) if table.clock else None
        self._wire(scope, target, outputs, table.at, clock)

    def _register(self, scope: _Scope, register: Register) -> None:
        at = register.at
        target = self._bits(scope, register.target, at)
        data = self._bits(scope, register.data, at, len(target))
        self._wire(scope, target, data, at, self._clock(scope, register.clock, at))
        if register.reset is not None:
            name, value = register.reset
            bits = self._bits(scope, Name(name, at), at)
            if len(bits) != 1:
                raise NotTables(at, f"the reset {name} has {len(bits)} bits")
            self.resets.append((bits[0], value, scope.source.place(at)))

    def _clock(self, scope: _Scope, name: str, at: int) -> int:
        bits = self._bits(scope, Name(name, at), at)
        if len(bits) != 1:
            raise NotTables(at, f"the clock {name} has {len(bits)} bits")
        self.clocks.setdefault(bits[0], scope.source.place(at))
        return bits[0]

    def _instance(self, scope: _Scope, instance: Instance, stack: tuple[str, ...]) -> None:
        at = instance.at
        module = self._module(instance.module)
        if instance.module in stack:
            raise NotTables(at, f"{instance.module} contains itself")
        if module is None:
            if self.library.find(instance.module) is None:
                why = f"the module {instance.module} is in no file here"
                raise NotTables(at, why, f"put {instance.module}.v beside the top file")
            return
        given = {k: constant(e, scope.constants, at) for k, e in instance.params.items()}
        path = f"{scope.path}.{instance.name}".lstrip(".")
        parent = (scope.path, scope.module.name)
        inner = self._elaborate(module, path, parent, given, (*stack, instance.module))
        names = list(module.ports)
        for pin, expr in instance.pins.items():
            port = names[int(pin)] if pin.isdigit() and int(pin) < len(names) else pin
            if port not in module.ports:
                raise NotTables(at, f"{instance.module} has no port {pin}")
            bits = inner.nets.get(port)
            if expr is None or not bits:
                continue
            outer = self._bits(scope, expr, at, len(bits))
            if module.ports[port] == "input":
                self._wire(scope, bits, outer, at)
            else:
                self._wire(scope, outer, bits, at)

    def _bits(self, scope: _Scope, expr: Expr, at: int, width: int | None = None) -> list[int]:
        """Return the bits of an expression, LSB first; an unsized constant takes `width`."""
        if isinstance(expr, Name) and expr.name in scope.constants:
            expr = Number(None, constant(expr, scope.constants, at))
        if isinstance(expr, Number):
            size = width if expr.width is None else expr.width
            if size is None:
                raise NotTables(at, f"the constant {expr.value} needs a width")
            return [(expr.value >> i) & 1 for i in range(size)]
        if isinstance(expr, Concat):
            times = 1 if expr.times is None else constant(expr.times, scope.constants, at)
            once = [b for part in expr.parts[::-1] for b in self._bits(scope, part, at)]
            if not 0 <= times * len(once) < MAX_WIDTH:
                raise NotTables(at, f"{times} copies of {len(once)} bits")
            return once * times
        if not isinstance(expr, Name):
            raise NotTables(at, "arithmetic on signals", "only tables may compute")
        if expr.name not in scope.nets:
            known = expr.name in scope.module.nets  # its declaration was a problem already
            raise NotTables(expr.at, f"{expr.name} is {'not usable' if known else 'not declared'}")
        bits = scope.nets[expr.name]
        if expr.high is None:
            return bits
        high = constant(expr.high, scope.constants, at)
        low = high if expr.low is None else constant(expr.low, scope.constants, at)
        if not 0 <= low <= high < len(bits):
            shown = f"[{high}]" if expr.low is None else f"[{high}:{low}]"
            raise NotTables(at, f"{expr.name}{shown} is outside [{len(bits) - 1}:0]")
        return bits[low : high + 1]
