"""The text of a module in the order an engineer writes it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from nnlogic.hw.axi import interface_attributes
from nnlogic.hw.lines import wrapped
from nnlogic.hw.tidy.parse import ModuleText, Net
from nnlogic.hw.tidy.unread import unread

_CONTROL = ("clk", "aclk", "rst", "aresetn")
_REGISTER = re.compile(r"  always @\(posedge (\w+)\)\n    ([^;\n]+ <= (?!rst |aresetn )[^;]+;)")

_UNARY = re.compile(r"(~|(?<=\()[|&^]) (?=[\w(])")


def module_text(
    module: ModuleText, order: Sequence[str] = (), given: Collection[tuple[str, str]] = ()
) -> str:
    """Return a module as Verilog.

    Parameters
    ----------
    module : ModuleText
    order : sequence of str
        Of the ports, clock and reset left out, which come first.
    given : collection of (str, str)
        Modules and their outputs, as far as they are known.
    """
    sinks = unread(module, given)
    body = [_UNARY.sub(r"\1", _reset(s)) for s in _registers_together(module.body)]
    nets = module.nets
    lines = [f"module {module.name} ("]
    ports = _ordered(module, order)
    told = interface_attributes(ports)
    lines += _ports([(p, replace(nets[p], attributes=told.get(p, ""))) for p in ports])
    lines += [");", ""]
    inner = [(name, net) for name, net in nets.items() if not net.direction]
    for name, net in inner:
        space = f" {net.range}" if net.range else ""
        words = f" {net.array}" if net.array else ""
        lines.append(f"{net.attributes}  {net.kind}{space} {name}{words};")
    started = [(name, net.start) for name, net in nets.items() if net.start]
    if started:
        lines += ["", "  initial begin", *(f"    {n} = {v};" for n, v in started), "  end"]
    if sinks:
        lines += ["", f"  wire {_free(module)} = &{{1'b0, {', '.join(sinks)}}};"]
    lines += [""] if inner or started or sinks else []
    lines += body
    out = [wrapped(line) for line in "\n".join([*lines, "endmodule"]).splitlines()]
    return module.attributes + "\n".join(out) + "\n"


def _ordered(module: ModuleText, order: Sequence[str]) -> list[str]:
    first = [p for p in _CONTROL if p in module.ports]
    known = [p for p in order if p in module.ports and p not in first]
    rest = [p for p in module.ports if p not in first and p not in known]
    rest.sort(key=lambda p: module.nets[p].direction != "input")
    return [*first, *known, *rest]


def _ports(ports: Sequence[tuple[str, Net]]) -> Iterator[str]:
    column = max((len(net.range) for _, net in ports), default=0)
    for i, (name, net) in enumerate(ports):
        kind = f"{net.direction:<6} {net.kind:<4}"
        space = f" {net.range:>{column}}" if column else ""
        yield f"{net.attributes}  {kind}{space} {name}{',' if i < len(ports) - 1 else ''}"


def _free(module: ModuleText) -> str:
    name = "unused_bits"
    while name in module.nets:
        name += "_"
    return name


_CONSTANT = r"\d+'(?:h[0-9a-f]+|d\d+)"
_START = r"  always @\(posedge (?P<clock>\w+)\)\n    (?P<name>\w+) <= "
_LATCHED = {
    "rst": re.compile(rf"{_START}rst \? (?P<start>{_CONSTANT}) : (?P<data>.+);"),
    "!aresetn": re.compile(rf"{_START}aresetn \? (?P<data>.+) : (?P<start>{_CONSTANT});"),
}


def _reset(statement: str) -> str:
    """Return a register with a reset as ``if`` and ``else``."""
    for active, pattern in _LATCHED.items():
        match = pattern.fullmatch(statement)
        if match and _whole(match["data"]):
            name, data = match["name"], match["data"]
            data = data[1:-1] if data.startswith("(") else data
            head = f"  always @(posedge {match['clock']})\n    if ({active}) {name} <= "
            return f"{head}{match['start']};\n    else {name} <= {data};"
    return statement


def _whole(operand: str) -> bool:
    """Whether an expression is one operand: a name, a concatenation, or in brackets."""
    if operand[0] not in "({":
        return bool(re.fullmatch(r"[\w'\[\]:]+", operand))
    depth = 0
    for at, letter in enumerate(operand):
        depth += (letter in "({") - (letter in ")}")
        if not depth:
            return at == len(operand) - 1
    return False


def _registers_together(body: Sequence[str]) -> list[str]:
    """Return statements with the plain registers of each clock in one block, at the end."""
    blocks: dict[str, list[str]] = {}
    out = []
    for statement in body:
        match = _REGISTER.fullmatch(statement)
        if match:
            blocks.setdefault(match[1], []).append(f"    {match[2]}")
        else:
            out.append(statement)
    for clock, lines in blocks.items():
        out += [f"  always @(posedge {clock}) begin", *lines, "  end"]
    return out
