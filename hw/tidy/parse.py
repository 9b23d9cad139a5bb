"""A module of Yosys' Verilog as declarations and statements."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_MODULE = re.compile(r"module (\w+)\(([\w, ]*)\);")
_DECLARED = re.compile(
    r"  (input|output|wire|reg)( signed)?(?: (\[\d+:\d+\]))? (\w+)(?: (\[\d+:\d+\]))?(?: = (.+))?;"
)


@dataclass
class Net:
    """A wire or register of a module.

    Attributes
    ----------
    direction : str
        ``input``, ``output``, or nothing.
    kind : {"wire", "reg"}
    range : str
        For instance ``[3:0]``; nothing for one bit.
    array : str
        Range of a memory's words.
    start : str
        Initial value.
    attributes : str
    """

    direction: str = ""
    kind: str = "wire"
    range: str = ""
    array: str = ""
    start: str = ""
    attributes: str = ""

    @property
    def width(self) -> int:
        """Bits of a word."""
        if not self.range:
            return 1
        high, low = map(int, self.range[1:-1].split(":"))
        return high - low + 1

    @property
    def scalar(self) -> bool:
        """Whether it is a single bit, and no vector of one."""
        return not self.range and not self.array


@dataclass
class ModuleText:
    """A module: ports by name in order, nets by name, and statements of one or more lines."""

    name: str
    attributes: str
    ports: list[str]
    nets: dict[str, Net] = field(default_factory=dict)
    body: list[str] = field(default_factory=list)


def parse_module(text: str) -> ModuleText:
    """Return the parts of a module.

    Raises
    ------
    ValueError
        The text is not as Yosys writes modules of plain names.
    """
    lines = iter(text.strip("\n").splitlines())
    attributes, line = _attributes(lines)
    # Yosys breaks long lists of ports before a comma.
    while not line.endswith(");"):
        line += next(lines, ");")
    head = _MODULE.fullmatch(line)
    if head is None:
        raise ValueError(f"not a module as Yosys writes it: {line[:80]}")
    module = ModuleText(head[1], attributes, re.findall(r"\w+", head[2]))
    for attributes, statement in _statements(lines):
        found = _DECLARED.fullmatch(statement)
        if found is None:
            module.body.append(attributes + statement)
            continue
        kind, signed, bits, name, array, start = found.groups(default="")
        net = module.nets.setdefault(name, Net())
        net.range, net.array = bits, array
        net.start = start or net.start
        if kind in ("input", "output"):
            net.direction = kind
        else:
            net.kind = kind
        if signed:
            net.range = f"signed {bits}"
        net.attributes = net.attributes or attributes
    return module


def _attributes(lines: Iterator[str]) -> tuple[str, str]:
    """Return the attributes in front of a line, and the line."""
    kept = []
    for line in lines:
        if line.strip().startswith("(*") and line.strip().endswith("*)"):
            kept.append(f"{line}\n")
        else:
            return "".join(kept), line
    return "".join(kept), ""


def _statements(lines: Iterator[str]) -> Iterator[tuple[str, str]]:
    """Yield statements of the body, each with the attributes in front of it."""
    kept: list[str] = []
    attributes = ""
    for line in lines:
        inner = line.startswith("   ") or re.match(r"  (?:end\b|\))", line)
        if kept and not inner:
            yield attributes, "\n".join(kept)
            attributes, kept = "", []
        if line == "endmodule":
            return
        if not kept and line.strip().startswith("(*") and line.strip().endswith("*)"):
            attributes += f"{line}\n"
        elif line.strip():
            kept.append(line)
