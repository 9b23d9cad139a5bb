"""Reads EDIF netlists of LUT cells back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from nnlogic.core.errors import FormatError
from nnlogic.hw.lut_cell import LutCell
from nnlogic.logic.cone import Cone, ConeBuilder

TOKEN = re.compile(r'\s*(?:(\()|(\))|"([^"]*)"|([^\s()"]+))')
INIT = re.compile(r"(\d+)'h([0-9A-Fa-f]+)")
Names = tuple[tuple[str, ...], tuple[str, ...]]


def read_edif(text: str, cell: LutCell) -> tuple[Cone, Names]:
    """Return a netlist as a network, and the names of its input and output ports.

    Parameters
    ----------
    text : str
    cell : LutCell
        What the pins and the parameter of its cells mean.

    Raises
    ------
    FormatError
        Not such a netlist: a net of two drivers or none, a loop, a table of another size.
    """
    try:
        tree = _tree(text)
        [top] = [item[1] for item in tree if item[0] == "design"]
        libraries = [item for item in tree if item[0] == "library"]
        [body] = [c for lib in libraries for c in _all(lib, "cell") if c[1] == top]
        [view] = _all(body, "view")
        [interface], [contents] = _all(view, "interface"), _all(view, "contents")
    except (ValueError, IndexError) as error:
        raise _broken("file", f"not a netlist: {error}") from error
    sides: dict[str, list[str]] = {"INPUT": [], "OUTPUT": []}
    for port in _all(interface, "port"):
        sides[_all(port, "direction")[0][1]].append(port[1])
    tables = {item[1]: _table(item, cell) for item in _all(contents, "instance")}
    driver, reads = _nets(contents, cell, sides)
    cone = _network(tables, driver, reads, sides, cell)
    return cone, (tuple(sides["INPUT"]), tuple(sides["OUTPUT"]))


def _tree(text: str) -> Any:
    stack: list[list[Any]] = [[]]
    at, text = 0, text.rstrip()
    while at < len(text):
        found = TOKEN.match(text, at)
        if found is None:
            raise ValueError(f"character {at}")
        at = found.end()
        if found[1]:
            stack.append([])
        elif found[2]:
            done = stack.pop()
            if not stack:
                raise ValueError(f"a bracket too many at {at}")
            stack[-1].append(done)
        else:
            stack[-1].append(found[3] if found[3] is not None else found[4])
    [[tree]] = stack
    return tree


def _all(item: list[Any], kind: str) -> list[Any]:
    return [part for part in item if isinstance(part, list) and part and part[0] == kind]


def _table(item: list[Any], cell: LutCell) -> tuple[int, int]:
    """Return input pins and table of an instance."""
    [property_] = [p for p in _all(item, "property") if p[1] == cell.parameter] or [None]
    found = INIT.fullmatch(_all(property_, "string")[0][1]) if property_ else None
    kind = _all(_all(item, "viewRef")[0], "cellRef")[0][1]
    if found is None or kind not in cell.cells:
        raise _broken(str(item[1]), "no cell of the target, or no table")
    pins = len(cell.cells) - cell.cells[::-1].index(kind)
    if int(found[1]) != 1 << pins:
        raise _broken(str(item[1]), f"a table of {found[1]} bits on {pins} pins")
    return pins, int(found[2], 16)


def _nets(
    contents: list[Any], cell: LutCell, sides: dict[str, list[str]]
) -> tuple[dict[str, str], dict[tuple[str, str], str]]:
    """Return the net that each instance or input port drives, and the one that each pin reads."""
    driver: dict[str, str] = {}
    reads: dict[tuple[str, str], str] = {}
    for net in _all(contents, "net"):
        drivers = []
        for port in _all(_all(net, "joined")[0], "portRef"):
            instance = _all(port, "instanceRef")
            place = (instance[0][1] if instance else "", port[1])
            if place[1] == cell.output if instance else place[1] in sides["INPUT"]:
                drivers.append(place[0] or f" {place[1]}")
            elif place in reads:
                raise _broken(net[1], f"{' '.join(place)} is on two nets")
            else:
                reads[place] = net[1]
        if len(drivers) != 1 or drivers[0] in driver.values():
            raise _broken(net[1], f"drivers: {', '.join(drivers) or 'none'}")
        driver[net[1]] = drivers[0]
    return driver, reads


def _network(
    tables: dict[str, tuple[int, int]],
    driver: dict[str, str],
    reads: dict[tuple[str, str], str],
    sides: dict[str, list[str]],
    cell: LutCell,
) -> Cone:
    builder = ConeBuilder(len(sides["INPUT"]))
    known = {f" {name}": i for i, name in enumerate(sides["INPUT"])}

    def source(instance: str, pin: str) -> str:
        if (instance, pin) not in reads:
            raise _broken(instance or pin, f"nothing drives {pin}")
        return driver[reads[instance, pin]]

    def needs(instance: str) -> Iterator[str]:
        yield from (source(instance, pin) for pin in cell.inputs[: tables[instance][0]])

    for name in sides["OUTPUT"]:
        stack, open_ = [source("", name)], set()
        while stack:
            at = stack[-1]
            if at in known:
                stack.pop()
                continue
            missing = [s for s in needs(at) if s not in known]
            if missing and at in open_:
                raise _broken(at, "it depends on itself")
            open_.add(at)
            stack += missing
            if not missing:
                known[at] = builder.lut([known[s] for s in needs(at)], tables[at][1])
    return builder.cone([known[source("", name)] for name in sides["OUTPUT"]])


def _broken(where: str, why: str) -> FormatError:
    return FormatError("cannot read the EDIF netlist back", where=where[:100], why=why)
