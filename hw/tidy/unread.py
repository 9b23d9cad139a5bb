"""Ports, wires and bits of a module that nothing reads."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection

from nnlogic.hw.lines import ranges
from nnlogic.hw.tidy.parse import ModuleText

_USE = re.compile(r"(?<![.\w'])([A-Za-z_]\w*)(\[(?:(\d+)(?::(\d+))?)?[^]]*\])?")
_WRITTEN = re.compile(r"(?:^ +|\n +|\) |else )(\w+)(\[[^]]*\])? <?= ", re.MULTILINE)
_INSTANCE = re.compile(r"  (\w+) (?:#\(.*\n  \) )?\w+ \(\n", re.DOTALL)
_PIN = re.compile(r"\.(\w+)\((?:[^()]*)\)")


def unread(module: ModuleText, given: Collection[tuple[str, str]] = ()) -> list[str]:
    """Return what is never read, as expressions: whole names, bits, ranges.

    Parameters
    ----------
    module : ModuleText
    given : collection of (str, str)
        Modules and their outputs; any other pin of an instance reads what it is connected to.
    """
    read: dict[str, set[int]] = defaultdict(set)
    for statement in module.body:
        for name, index, high, low in _USE.findall(_reading(statement, given)):
            net = module.nets.get(name)
            if net is None:
                continue
            if net.array or not index or not high:
                read[name] |= set(range(net.width))
                continue
            # A range of Yosys counts from zero.
            read[name] |= set(range(int(low or high), int(high) + 1))
    out = []
    for name, net in module.nets.items():
        if net.direction == "output" or net.array:
            continue
        bits = sorted(set(range(net.width)) - read[name])
        if len(bits) == net.width:
            out.append(name)
        else:
            out += [f"{name}{index}" for index in ranges(bits)]
    return out


def _reading(statement: str, given: Collection[tuple[str, str]]) -> str:
    """Return a statement without the names it gives values to."""
    instance = _INSTANCE.match(statement)
    if instance:

        def pin(match: re.Match[str]) -> str:
            return "" if (instance[1], match[1]) in given else match[0]

        return _PIN.sub(pin, statement)
    if statement.startswith("  assign "):
        return statement.split(" = ", 1)[1]
    return _WRITTEN.sub(lambda m: m[0].replace(m[1], "", 1), statement)
