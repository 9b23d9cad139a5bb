"""From linked bits to a feed-forward circuit of tables: sources, order and pipeline depth."""

from __future__ import annotations

from dataclasses import dataclass, field

from nnlogic.core.errors import Problem
from nnlogic.frontend.verilog.link import Linker
from nnlogic.frontend.verilog.scope import Driven, TableCell


@dataclass(frozen=True, slots=True)
class Source:
    """Where a bit comes from: a port by name, a table by index, or a constant (`of` is None)."""

    of: str | int | None
    bit: int


@dataclass(frozen=True)
class Circuit:
    """Tables, and where their inputs and the outputs come from.

    Attributes
    ----------
    cells : tuple of TableCell
    order : tuple of int
        Indices of `cells`, sources first.
    sources : tuple of tuple of Source
        By cell: its inputs, LSB first.
    inputs : dict of name to width
        Data ports of the top, in order.
    outputs : dict of name to tuple of Source
    clock : str
        Empty when there is none.
    ties : dict of name to int
        Resets, with the value they have in operation.
    registers : int
        On every path from an input to an output.
    """

    cells: tuple[TableCell, ...]
    order: tuple[int, ...]
    sources: tuple[tuple[Source, ...], ...]
    inputs: dict[str, int]
    outputs: dict[str, tuple[Source, ...]]
    clock: str
    ties: dict[str, int]
    registers: int

    def live(self) -> set[int]:
        """Tables that some output depends on."""
        live = {s.of for row in self.outputs.values() for s in row if isinstance(s.of, int)}
        for cell in reversed(self.order):
            if cell in live:
                live |= {s.of for s in self.sources[cell] if isinstance(s.of, int)}
        return live


def trace_circuit(linker: Linker) -> tuple[Circuit | None, list[Problem]]:
    """Follow every wire back; return the circuit, or None and all problems."""
    tracer = _Tracer(linker)
    circuit = tracer.trace()
    problems = list(dict.fromkeys(tracer.problems))
    return (None if problems else circuit), problems


@dataclass
class _Tracer:
    linker: Linker
    problems: list[Problem] = field(default_factory=list)
    found: dict[int, tuple[Source, int]] = field(default_factory=dict)

    def trace(self) -> Circuit:
        """Return the circuit; meaningful only when there are no problems."""
        linker = self.linker
        clock, ties = self._controls()
        traced = [[self.source(b) for b in cell.inputs] for cell in linker.cells]
        outputs = {n: [self.source(b) for b in bits] for n, bits in linker.outputs.items()}
        if not outputs:
            self.problems.append(Problem(linker.library.path.name, "the top has no outputs"))
        order = self._order(traced)
        registers = 0
        if not self.problems:
            registers = self._depths(traced, outputs, order)
        flat = [s for row in (*traced, *outputs.values()) for s, _ in row]
        read = {s.of for s in flat if isinstance(s.of, str)}
        for name in sorted(read & {clock, *ties}):
            self.problems.append(Problem(name, "a clock or reset is read as data"))
        inputs = {
            name: len(bits)
            for name, bits in linker.inputs.items()
            if name in read or (len(bits) > 1 and name not in ties)
        }
        return Circuit(
            cells=tuple(linker.cells),
            order=tuple(order),
            sources=tuple(tuple(s for s, _ in row) for row in traced),
            inputs=inputs,
            outputs={name: tuple(s for s, _ in row) for name, row in outputs.items()},
            clock=clock,
            ties=ties,
            registers=registers,
        )

    def source(self, bit: int) -> tuple[Source, int]:
        """Return where a bit comes from, and the registers between."""
        at, registers, passed = bit, 0, set()
        while at not in self.found:
            driver = self.linker.drivers.get(at)
            if at < 2:
                self.found[at] = Source(None, at), 0
            elif isinstance(driver, Driven):
                self.found[at] = Source(driver.of, driver.bit), 0
            elif driver is None or at in passed:
                path, name, index, place = self.linker.budget.owner(at)
                what = "depends on itself" if driver else "is read, but nothing drives it"
                self.problems.append(Problem(f"{place} {path}".strip(), f"{name}[{index}] {what}"))
                self.found[at] = Source(None, 0), 0
            else:
                passed.add(at)
                registers += driver.clock is not None
                at = driver.bit
        start, more = self.found[at]
        self.found[bit] = start, registers + more
        return self.found[bit]

    def _controls(self) -> tuple[str, dict[str, int]]:
        linker = self.linker
        clocks: dict[str, str] = {}
        for bit, place in linker.clocks.items():
            start, registers = self.source(bit)
            if not isinstance(start.of, str) or registers:
                self.problems.append(Problem(place, "the clock is not an input of the top"))
            else:
                clocks.setdefault(start.of, place)
        if len(clocks) > 1:
            place = list(clocks.values())[1]
            self.problems.append(Problem(place, f"several clocks: {', '.join(clocks)}"))
        ties: dict[str, int] = {}
        for bit, value, place in linker.resets:
            start, registers = self.source(bit)
            if start.of is None:
                # A reset tied to the value of operation never acts.
                if start.bit != value:
                    self.problems.append(Problem(place, "the register is always in reset"))
            elif not isinstance(start.of, str) or registers:
                self.problems.append(Problem(place, "the reset is not an input of the top"))
            elif ties.setdefault(start.of, value) != value:
                self.problems.append(Problem(place, f"{start.of} resets at 0 and at 1"))
        return next(iter(clocks), ""), ties

    def _order(self, traced: list[list[tuple[Source, int]]]) -> list[int]:
        order: list[int] = []
        state = [0] * len(traced)  # 1 while its sources are visited, then 2
        for root in range(len(traced)):
            stack = [root]
            while stack:
                cell = stack[-1]
                if state[cell] == 2:
                    stack.pop()
                    continue
                below = {s.of for s, _ in traced[cell] if isinstance(s.of, int)}
                waiting = [c for c in below if state[c] != 2]
                if not waiting:
                    state[cell] = 2
                    order.append(stack.pop())
                elif state[cell] == 1:
                    loop = [c for c in stack if state[c] == 1]
                    shown = " -> ".join(self.linker.cells[c].path for c in loop[:4])
                    place = self.linker.cells[cell].place
                    self.problems.append(Problem(place, f"feedback between tables: {shown}"))
                    return []
                else:
                    state[cell] = 1
                    stack += sorted(waiting, reverse=True)
        return order

    def _depths(
        self,
        traced: list[list[tuple[Source, int]]],
        outputs: dict[str, list[tuple[Source, int]]],
        order: list[int],
    ) -> int:
        """Return the registers from inputs to outputs, the same on every path."""
        depth: dict[int, int | None] = {}  # None: it depends on constants only

        def registers(row: list[tuple[Source, int]], where: str) -> int | None:
            found = set()
            for s, more in row:
                before = depth[s.of] if isinstance(s.of, int) else 0
                if s.of is not None and before is not None:
                    found.add(before + more)
            if len(found) > 1:
                few = ", ".join(str(n) for n in sorted(found))
                fix = "give all paths the same number of registers"
                self.problems.append(Problem(where, f"paths cross {few} registers", fix))
            return max(found, default=None)

        for cell in order:
            depth[cell] = registers(traced[cell], self.linker.cells[cell].place)
        everything = [pair for row in outputs.values() for pair in row]
        return registers(everything, "outputs") or 0
