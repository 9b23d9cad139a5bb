"""Elaboration: instances become wires, and every bit finds the table or port that drives it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nnlogic.core.errors import Problem
from nnlogic.core.formats import IntArray
from nnlogic.core.limits import PORTS, WIDTH
from nnlogic.frontend.verilog.budget import Budget
from nnlogic.frontend.verilog.case import MAX_SELECTOR
from nnlogic.frontend.verilog.compute import Computer
from nnlogic.frontend.verilog.expr import (
    Bits,
    Concat,
    Expr,
    Name,
    Number,
    constant,
    is_constant,
    is_wiring,
)
from nnlogic.frontend.verilog.kinds import MAX_VALUE, Memory
from nnlogic.frontend.verilog.module import (
    Assign,
    Instance,
    Load,
    Module,
    Net,
    Process,
    Register,
    Table,
    base_name,
)
from nnlogic.frontend.verilog.parse import parse_module
from nnlogic.frontend.verilog.process import assignments
from nnlogic.frontend.verilog.scope import Driven, Scope, TableCell, Wired, short
from nnlogic.frontend.verilog.text import Library, NotTables
from nnlogic.frontend.verilog.words import read_words

MOST_PROBLEMS = 1 << 10


class Linker:
    """Elaborates a hierarchy into bits; bits 0 and 1 are the constants.

    Attributes
    ----------
    drivers : dict of bit to Wired or Driven
    files : dict of name to Path
        Files of words that arrays were loaded from.
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
        self.files: dict[str, Path] = {}
        self.budget = Budget()
        self.budget.new_bits(2, "", "constant", "")
        self.cells: list[TableCell] = []
        self.clocks: dict[int, str] = {}
        self.resets: list[tuple[int, int, str]] = []
        self.inputs: dict[str, list[int]] = {}
        self.outputs: dict[str, list[int]] = {}
        self._parsed: dict[str, Module | None] = {}
        self._tables: dict[tuple, IntArray] = {}
        self.compute = Computer(self)
        module = self._module(top)
        if module is not None:
            scope = self._open(module, "", ("", top), {}, None)
            for name, direction in module.ports.items():
                bits = scope.nets.get(name, [])
                (self.inputs if direction == "input" else self.outputs)[name] = bits
            waiting = [scope]
            for what, ports in (("input", self.inputs), ("output", self.outputs)):
                size = sum(len(bits) for bits in ports.values())
                if why := PORTS.why(size, f"{what} bits"):
                    error = NotTables(module.at, why, PORTS.fix(size))
                    self.problems.append(scope.source.problem(error, top))
                    waiting = []
            while waiting and not self.full:
                waiting += reversed(self._fill(waiting.pop()))
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

    @property
    def full(self) -> bool:
        """Whether a limit is passed, so that nothing more need be read."""
        return self.budget.full or len(self.problems) > MOST_PROBLEMS

    def _open(
        self,
        module: Module,
        path: str,
        layer: tuple[str, str],
        given: dict[str, int],
        parent: Scope | None,
    ) -> Scope:
        """Return an instance with its signals; nothing drives them yet."""
        scope = Scope(module, path, layer, parent)
        self._try(scope, Scope.settle, given)
        for name, net in module.nets.items():
            self._try(scope, self._declare, name, net)
        for name, direction in module.ports.items():
            if name not in module.nets or not direction:
                error = NotTables(module.at, f"the port {name} has no direction")
                self.problems.append(scope.source.problem(error, module.name))
                scope.nets.setdefault(name, [])
        return scope

    def _fill(self, scope: Scope) -> list[Scope]:
        """Connect what an instance consists of; return the instances in it."""
        module = scope.module
        for load in module.initial:
            self._try(scope, self._load, load)
        for target, value, at in module.assigns:
            self._try(scope, self._assign, target, value, at)
        for number, table in enumerate(module.tables):
            self._try(scope, self._table, number, table)
        for process in module.processes:
            self._try(scope, self._process, process)
        for register in module.registers:
            self._try(scope, self._register, register)
        inner: list[Scope] = []
        for instance in module.instances:
            self._try(scope, self._instance, instance, inner)
        return inner

    def _try(self, scope: Scope, step, *arguments) -> None:  # type: ignore[no-untyped-def]
        if self.full:
            return
        try:
            step(scope, *arguments)
        except NotTables as error:
            self.problems.append(scope.source.problem(error, scope.module.name))

    def _declare(self, scope: Scope, name: str, net: Net) -> None:
        kind = scope.declared(net)
        if kind.signed:
            scope.signed.add(name)
        if net.words is not None:
            first, last = (constant(e, scope.constants, net.at) for e in net.words)
            low, high = min(first, last), max(first, last)
            if not 0 <= high - low < WIDTH.value or kind.width > MAX_VALUE:
                limits = f"limits {WIDTH.value:,} and {MAX_VALUE}"
                why = f"the array {name} of {short(high - low + 1)} words of {kind.width} bits"
                raise NotTables(net.at, f"{why}, {limits}", WIDTH.fix(high - low + 1))
            self.budget.charge(high - low + 1)
            scope.memories[name] = Memory(kind, low, [None] * (high - low + 1), first > last)
            return
        scope.nets[name] = self.budget.new_bits(
            kind.width, scope.path, name, scope.source.place(net.at)
        )

    def _load(self, scope: Scope, load: Assign | Load) -> None:
        name = load.array if isinstance(load, Load) else base_name(load.target, load.at)
        memory = scope.memories.get(name)
        if memory is None:
            if isinstance(load, Assign) and name in scope.nets and self._is_register(scope, name):
                return  # the first value of a register: a pipeline forgets it
            raise NotTables(load.at, f"{name} is set once: it is no array", "use a parameter")
        if isinstance(load, Assign):
            self._word(scope, load.target, load.value, load.at)
            return
        if memory.falling:
            why = f"a file of words for {name}, whose first word is the last one"
            raise NotTables(load.at, why, f"declare it [0:{len(memory.words) - 1}]")
        path = self.library.words_file(load.file, load.at)
        self.files[path.name] = path
        read_words(path, load, memory)

    def _is_register(self, scope: Scope, name: str) -> bool:
        module = scope.module
        clocked = [r.target for r in module.registers]
        clocked += [t.target for t in module.tables if t.clock]
        clocked += [
            a.target for p in module.processes if p.clock for a, _ in assignments(p.statements)
        ]
        return any(isinstance(t, Name) and t.name == name for t in clocked)

    def _word(self, scope: Scope, target: Expr, value: Expr, at: int) -> None:
        """Write a constant word of an array."""
        memory = scope.memories[base_name(target, at)]
        if not isinstance(target, Name) or target.high is None or target.low is not None:
            raise NotTables(at, "an array is written word by word")
        index = constant(target.high, scope.constants, at) - memory.first
        if not 0 <= index < len(memory.words) or memory.words[index] is not None:
            raise NotTables(at, f"{target.name}[{short(index + memory.first)}] is written twice "
                            "or is beyond the array")  # fmt: skip
        if not is_constant(value, scope.constants):
            raise NotTables(at, f"a word of {target.name} that is not constant")
        words = self.compute.evaluator(scope, at, []).assigned(value, memory.kind.width)
        memory.words[index] = int(words[0])

    def _assign(self, scope: Scope, target: Expr, value: Expr, at: int) -> None:
        if isinstance(target, Name) and target.name in scope.memories:
            self._word(scope, target, value, at)
            return
        targets = self.bits(scope, target, at)
        self._wire(scope, targets, self._data(scope, value, at, len(targets)), at)

    def _data(self, scope: Scope, value: Expr, at: int, width: int) -> list[int]:
        """Return the bits of what is assigned to `width` bits."""
        if is_wiring(value, scope.constants):
            return self.bits(scope, value, at, width)
        return self.compute.assigned(scope, value, width, at)

    def _wire(
        self,
        scope: Scope,
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
                _, name, index, _ = self.budget.owner(target)
                raise NotTables(at, f"{name}[{index}] is driven twice")
            self.drivers[target] = Wired(value, clock)

    def _table(self, scope: Scope, number: int, table: Table) -> None:
        selector = self.bits(scope, table.selector, table.at)
        target = self.bits(scope, table.target, table.at)
        key = (scope.module.name, number, len(selector), len(target), *scope.constants.items())
        if key not in self._tables:
            self.budget.charge_entries(1 << min(len(selector), MAX_SELECTOR), table.at)
            self._tables[key] = table.body.table(len(selector), len(target), scope.constants)
        outputs = self.add_cell(scope, self._tables[key], selector, len(target), table.at)
        clock = self._clock(scope, table.clock, table.at) if table.clock else None
        self._wire(scope, target, outputs, table.at, clock)

    def add_cell(
        self, scope: Scope, table: IntArray, inputs: Sequence[int], outputs: int, at: int
    ) -> list[int]:
        """Add a table, and return the bits it drives."""
        module = scope.module
        parts = len(module.tables) + len(module.processes) + len(module.assigns)
        own = (parts > 1 and len(module.tables) != 1) or module.instances or not scope.path
        layer = (scope.path, module.name) if own else scope.layer
        place = scope.source.place(at)
        index = len(self.cells)
        file = scope.source.path.name
        cell = TableCell(scope.path, layer, table, tuple(inputs), outputs, file, place)
        self.cells.append(cell)
        bits = self.budget.new_bits(outputs, scope.path, "table", place)
        self.drivers.update((b, Driven(index, i)) for i, b in enumerate(bits))
        return bits

    def _process(self, scope: Scope, process: Process) -> None:
        found = assignments(process.statements)
        clock = self._clock(scope, process.clock, process.at) if process.clock else None
        if process.clock and any(a.blocking for a, _ in found):
            raise NotTables(process.at, "behavioural code: = in a clocked block", "use <=")
        targets = dict.fromkeys(base_name(a.target, a.at) for a, _ in found)
        if not process.clock and len(targets) > 1 and not all(a.blocking for a, _ in found):
            raise NotTables(process.at, "<= in a combinational block of several signals", "use =")
        for target in targets:
            if target not in scope.nets:
                raise NotTables(process.at, f"{target} is not declared")
            bits = self.compute.process(scope, process, found, target)
            self._wire(scope, scope.nets[target], bits, process.at, clock)
        self._reset(scope, process.reset, process.at)

    def _register(self, scope: Scope, register: Register) -> None:
        at = register.at
        target = self.bits(scope, register.target, at)
        data = self._data(scope, register.data, at, len(target))
        self._wire(scope, target, data, at, self._clock(scope, register.clock, at))
        self._reset(scope, register.reset, at)

    def _reset(self, scope: Scope, reset: tuple[str, int] | None, at: int) -> None:
        if reset is not None:
            name, value = reset
            bits = self.bits(scope, Name(name, at), at)
            if len(bits) != 1:
                raise NotTables(at, f"the reset {name} has {len(bits)} bits")
            self.resets.append((bits[0], value, scope.source.place(at)))

    def _clock(self, scope: Scope, name: str, at: int) -> int:
        bits = self.bits(scope, Name(name, at), at)
        if len(bits) != 1:
            raise NotTables(at, f"the clock {name} has {len(bits)} bits")
        self.clocks.setdefault(bits[0], scope.source.place(at))
        return bits[0]

    def _instance(self, scope: Scope, instance: Instance, opened: list[Scope]) -> None:
        at = instance.at
        module = self._module(instance.module)
        if scope.within(instance.module):
            raise NotTables(at, f"{instance.module} contains itself")
        if module is None:
            if self.library.find(instance.module) is None:
                why = f"the module {instance.module} is in no file here"
                raise NotTables(at, why, f"put {instance.module}.v beside the top file")
            return
        given = {k: constant(e, scope.constants, at) for k, e in instance.params.items()}
        path = f"{scope.path}.{instance.name}".lstrip(".")
        self.budget.charge_instance(path, at)
        parent = (scope.path, scope.module.name)
        inner = self._open(module, path, parent, given, scope)
        opened.append(inner)
        names = list(module.ports)
        for pin, expr in instance.pins.items():
            port = names[int(pin)] if pin.isdigit() and int(pin) < len(names) else pin
            if port not in module.ports:
                raise NotTables(at, f"{instance.module} has no port {pin}")
            bits = inner.nets.get(port)
            if expr is None or not bits:
                continue
            if module.ports[port] == "input":
                self._wire(scope, bits, self._data(scope, expr, at, len(bits)), at)
            else:
                self._wire(scope, self.bits(scope, expr, at, len(bits)), bits, at)

    def bits(self, scope: Scope, expr: Expr, at: int, width: int | None = None) -> list[int]:
        """Return the bits of an expression, LSB first; an unsized constant takes `width`."""
        if isinstance(expr, Name) and expr.name in scope.constants:
            kind = scope.kinds[expr.name]
            value = scope.constants[expr.name] & ((1 << kind.width) - 1)
            value -= (value >> kind.width - 1 << kind.width) if kind.signed else 0
            return [value >> i & 1 for i in range(width or kind.width)]
        if isinstance(expr, Number):
            size = width if expr.width is None else expr.width
            if size is None:
                raise NotTables(at, f"the constant {short(expr.value)} needs a width")
            if expr.mask:
                raise NotTables(at, "a value of x or z", "say 0 or 1 for every bit")
            filled = -expr.value if expr.fill else expr.value
            return [(filled >> i) & 1 for i in range(size)]
        if isinstance(expr, Concat):
            return self._concat(scope, expr, at)
        if isinstance(expr, Bits):
            return list(expr.bits)
        if not isinstance(expr, Name):
            raise NotTables(at, "an expression where a signal is needed")
        if expr.name not in scope.nets:
            known = expr.name in scope.module.nets  # its declaration was a problem already
            raise NotTables(expr.at, f"{expr.name} is {'not usable' if known else 'not declared'}")
        bits = scope.nets[expr.name]
        if expr.high is expr.low is None:
            return bits
        low = constant(expr.low or expr.high or expr, scope.constants, at)
        high = low if expr.high is None else constant(expr.high, scope.constants, at)
        if expr.size is not None:
            high = low + constant(expr.size, scope.constants, at) - 1
        if not 0 <= low <= high < len(bits):
            shown = f"[{short(high)}]" if low == high else f"[{short(high)}:{short(low)}]"
            raise NotTables(at, f"{expr.name}{shown} is outside [{len(bits) - 1}:0]")
        return bits[low : high + 1]

    def _concat(self, scope: Scope, expr: Concat, at: int) -> list[int]:
        times = 1 if expr.times is None else constant(expr.times, scope.constants, at)
        once: list[int] = []
        for part in expr.parts[::-1]:
            if is_wiring(part, scope.constants):
                once += self.bits(scope, part, at)
            else:
                once += self.compute.alone(scope, part, at)
            if not 0 <= times * len(once) < WIDTH.value:
                fix = WIDTH.fix(times * len(once) + 1) if times > 0 else ""
                raise NotTables(at, f"{short(times)} copies of {len(once)} bits", fix)
        return once * times
