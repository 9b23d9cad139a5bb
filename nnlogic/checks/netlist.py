"""A flat gate netlist from yosys JSON, and the register structure of its paths."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nnlogic.checks.gates import ONE, ZERO, Gates
from nnlogic.core.errors import Different, ToolFailed

Net = int | str  # yosys numbers nets; constants are "0", "1", "x", "z"

# Fan-in pins in order, and the cubes over them.
CELLS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "$_BUF_": (("A",), ("1",)),
    "$_NOT_": (("A",), ("0",)),
    "$_AND_": (("A", "B"), ("11",)),
    "$_NAND_": (("A", "B"), ("0-", "-0")),
    "$_OR_": (("A", "B"), ("1-", "-1")),
    "$_NOR_": (("A", "B"), ("00",)),
    "$_XOR_": (("A", "B"), ("10", "01")),
    "$_XNOR_": (("A", "B"), ("11", "00")),
    "$_ANDNOT_": (("A", "B"), ("10",)),
    "$_ORNOT_": (("A", "B"), ("1-", "-0")),
    "$_MUX_": (("A", "B", "S"), ("1-0", "-11")),
    "$_NMUX_": (("A", "B", "S"), ("0-0", "-01")),
}
REGISTER = "$_DFF_P_"
IGNORED = ("$scopeinfo",)
# How lines of yosys' JSON begin, by the level of what they open.
MODULE, SECTION, ENTRY, ENTRY_END, DEEPER = (
    4 * " " + '"',
    6 * " " + '"',
    8 * " " + '"',
    8 * " " + "}",
    9 * " ",
)
KEPT = ("ports", "cells", "netnames")
HIDDEN = '"hide_name": 1,'


class StructureError(Different):
    """The circuit breaks a rule of the RTL contract; `where` names the place."""


@dataclass(frozen=True)
class Gate:
    """A combinational gate: nets it reads and cubes over them."""

    fanins: tuple[Net, ...]
    cubes: tuple[str, ...]


@dataclass(frozen=True)
class Register:
    """A plain rising-edge flip-flop."""

    data: Net
    clock: Net


@dataclass(frozen=True)
class Netlist:
    """Ports by name, and what drives each net."""

    inputs: dict[str, tuple[Net, ...]]
    outputs: dict[str, tuple[Net, ...]]
    drivers: dict[Net, Gate | Register]
    other: dict[Net, str]  # nets driven by other cells, or twice, with the cell type
    names: dict[Net, str]  # for messages

    @staticmethod
    def read(path: Path, top: str) -> Netlist:
        """Read the module `top` of a yosys JSON file."""
        ports: dict[str, dict[str, tuple[Net, ...]]] = {"input": {}, "output": {}, "inout": {}}
        drivers: dict[Net, Gate | Register] = {}
        other: dict[Net, str] = {}
        shown: dict[Net, str] = {}
        for section, name, entry in _entries(Path(path), top):
            if section == "ports":
                ports[entry["direction"]][name] = tuple(entry["bits"])
            elif section == "netnames":
                shown.update((bit, f"{name}[{i}]") for i, bit in enumerate(entry["bits"]))
            elif section == "cells" and entry["type"] not in IGNORED:
                _add_cell(entry, drivers, other)
        for net in other.keys() & drivers.keys():
            del drivers[net]
        return Netlist(ports["input"], ports["output"], drivers, other, shown)

    def fanins(self, net: Net) -> tuple[Net, ...]:
        """Nets that `net` is computed from; empty for ports and constants."""
        driver = self.drivers.get(net)
        if driver is None:
            return ()
        return driver.fanins if isinstance(driver, Gate) else (driver.data,)

    def cone(self, roots: Iterable[Net], stop: frozenset[Net] = frozenset()) -> Iterator[Net]:
        """Yield the nets that `roots` depend on, through registers, fan-ins first.

        Raises
        ------
        StructureError
            A loop, whether or not it crosses registers.
        """
        done: set[Net] = set()
        open_: set[Net] = set()
        for root in roots:
            stack = [(root, False)]
            while stack:
                net, leaving = stack.pop()
                if leaving:
                    open_.discard(net)
                    done.add(net)
                    yield net
                elif net not in done:
                    if net in open_:  # found again below itself
                        why = "a net depends on itself: a loop, or a register with an enable"
                        where = next((self.names[n] for n in open_ if n in self.names), str(net))
                        raise StructureError("feedback in the circuit", where=where, why=why)
                    open_.add(net)
                    stack.append((net, True))
                    if net not in stop:
                        stack += [(f, False) for f in self.fanins(net) if f not in done]


def _entries(path: Path, top: str) -> Iterator[tuple[str, str, Any]]:
    """Yield ports, cells and named nets of a module one by one: section, name, content.

    yosys writes a line per value, indented by two blanks a level. As one value, the file of a
    large network takes gigabytes.

    Raises
    ------
    ToolFailed
        The module is missing, or the lines are others than these.
    """
    module = section = ""
    lines: list[str] = []
    seen = False
    with path.open(encoding="utf-8") as file:
        for line in file:
            if line.startswith(DEEPER):
                lines.append(line)
            elif line.startswith(ENTRY_END):
                hidden = section == "netnames" and lines[1].strip() == HIDDEN
                if module == top and not hidden:
                    text = "".join(lines)
                    yield section, *next(iter(json.loads(f"{{{text}}}}}").items()))
                lines = []
            elif line.startswith(ENTRY):
                if section in KEPT and (lines or not line.endswith("{\n")):
                    raise _unreadable(path, f"{section} {line.strip()[:80]}")
                lines = [line]
            elif line.startswith(SECTION):
                section, lines = _opened(line), []
            elif line.startswith(MODULE):
                module, lines = _opened(line), []
                seen |= module == top
    if not seen:
        raise _unreadable(path, f"no module {top}")


def _unreadable(path: Path, why: str) -> ToolFailed:
    return ToolFailed("a netlist of yosys cannot be read", where=str(path), why=why)


def _opened(line: str) -> str:
    return str(json.loads(line.rpartition(": {")[0]))


def _add_cell(
    cell: dict[str, Any], drivers: dict[Net, Gate | Register], other: dict[Net, str]
) -> None:
    kind, pins = cell["type"], cell["connections"]
    driven = _driven(cell)
    clash = [n for n in driven if n in drivers or n in other]
    if clash:
        other.update(dict.fromkeys(clash, "second"))
    elif kind in CELLS:
        names, cubes = CELLS[kind]
        drivers[driven[0]] = Gate(tuple(pins[p][0] for p in names), cubes)
    elif kind == REGISTER:
        drivers[driven[0]] = Register(pins["D"][0], pins["C"][0])
    else:
        other.update(dict.fromkeys(driven, kind))


def _driven(cell: dict[str, Any]) -> list[Net]:
    ways = cell.get("port_directions", {})
    return [
        n for pin, nets in cell["connections"].items() if ways.get(pin) == "output" for n in nets
    ]


def register_depths(
    net: Netlist, leaves: dict[Net, str], clock: Net, outputs: dict[str, Net]
) -> dict[str, tuple[int, int] | None]:
    """Count the registers on the paths from the leaves to each output.

    Parameters
    ----------
    net : Netlist
    leaves : dict of net to name
        Inputs that data may depend on.
    clock : net
        The only clock allowed.
    outputs : dict of name to net

    Returns
    -------
    dict of name to (fewest, most), or None for an output that depends on no input

    Raises
    ------
    StructureError
        Data depends on another input (reset, valid), on an undriven net or an unknown value, or
        a register is not a plain rising-edge flip-flop of `clock`.
    """
    depth: dict[Net, tuple[int, int] | None] = {"0": None, "1": None}
    controls = {b: name for name, bits in net.inputs.items() for b in bits}
    for name, root in outputs.items():
        for at in net.cone([root], stop=frozenset(depth)):
            if at not in depth:
                depth[at] = _depth(net, at, leaves, clock, depth, controls, name)
    return {name: depth[root] for name, root in outputs.items()}


def _depth(
    net: Netlist,
    at: Net,
    leaves: dict[Net, str],
    clock: Net,
    depth: dict[Net, tuple[int, int] | None],
    controls: dict[Net, str],
    output: str,
) -> tuple[int, int] | None:
    if at in leaves:
        return (0, 0)
    driver = net.drivers.get(at)
    if driver is None:
        if at in controls:
            why = f"it depends on {controls[at]}: data registers have no reset and no enable"
        elif at in net.other:
            why = f"a {net.other[at]} cell drives it: only plain rising-edge registers are allowed"
        else:
            why = f"it reads an undriven or unknown value ({at})"
        raise StructureError("data path is not as specified", where=output, why=why)
    found = [d for f in net.fanins(at) if (d := depth[f]) is not None]
    step = 0
    if isinstance(driver, Register):
        if driver.clock != clock:
            raise StructureError("a second clock", where=output, why=f"net {driver.clock}")
        step = 1
    if not found:
        return None
    return min(d[0] for d in found) + step, max(d[1] for d in found) + step


def unrolled(net: Netlist, leaves: dict[Net, str], outputs: dict[str, Net]) -> Gates:
    """Return the network with every register replaced by a wire."""
    gates = Gates(list(leaves.values()))
    names: dict[Net, str] = {"0": ZERO, "1": ONE, **leaves}
    for at in net.cone(outputs.values(), stop=frozenset(leaves)):
        driver = net.drivers.get(at)
        if at in names or driver is None:
            continue
        if isinstance(driver, Register):
            names[at] = names[driver.data]
        else:
            names[at] = gates.cover([names[f] for f in driver.fanins], driver.cubes)
    for name, at in outputs.items():
        gates.output(name, names[at])
    return gates


def truth(net: Netlist, root: Net, variables: tuple[Net, ...]) -> int | None:
    """Return the truth table of a combinational cone, or None when it reads anything else."""
    n = len(variables)
    full = (1 << (1 << n)) - 1
    values: dict[Net, int] = {"0": 0, "1": full}
    for b, variable in enumerate(variables):
        values[variable] = sum(1 << i for i in range(1 << n) if i >> b & 1)
    for at in net.cone([root], stop=frozenset(variables)):
        if at in values:
            continue
        driver = net.drivers.get(at)
        if not isinstance(driver, Gate) or any(f not in values for f in driver.fanins):
            return None
        out = 0
        for cube in driver.cubes:
            term = full
            for literal, fanin in zip(cube, driver.fanins, strict=True):
                if literal != "-":
                    term &= values[fanin] if literal == "1" else full ^ values[fanin]
            out |= term
        values[at] = out
    return values[root]
