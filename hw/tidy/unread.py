"""Ports, wires and bits of a module that nothing reads."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection

from nnlogic.hw.lines import ranges
from nnlogic.hw.tidy.parse import ModuleText

_USE = re.compile(r"(?<![.\w'])([A-Za-z_]\w*)(\[(?:(\d+)(?::(\d+))?)?[^]]*\])?")
_WRITTEN = re.compile(r"(?:^ +|\n +|\) |else )(\w+)(\[[^]]*\])? <?= ", re.MULTILINE)
_INSTANCE = re.compile(r"  (\w+) (?:#\(.*\n  \) )?\w+ \(\n", re.DOTALL)
_PIN = re.compile(r"\.(\w+)\(([^()]*)\)")


def unread(module: ModuleText, given: Collection[tuple[str, str]] = ()) -> list[str]:
    """Return what is never read, as expressions: whole names, bits, ranges.

    Parameters
    ----------
    module : ModuleText
    given : collection of (str, str)
        Modules and their outputs. Any other pin of an instance reads what it is connected to,
        unless it is the only one there and nothing else gives a value to it.
    """
    read: dict[str, set[int]] = defaultdict(set)
    driven = _driven(module)
    for statement in module.body:
        for name, *index in _USE.findall(_reading(statement, given, driven)):
            read[name] |= _bits(module, name, *index)
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


def _driven(module: ModuleText) -> set[str]:
    """Return what one pin alone is connected to, and no statement gives a value: what it drives."""
    written, pins = defaultdict[str, set[int]](set), Counter[str]()
    for statement in module.body:
        if _INSTANCE.match(statement):
            pins.update(part for _, wires in _PIN.findall(statement) for part in _parts(wires))
            continue
        given = ["".join(parts) for parts in _WRITTEN.findall(statement)]
        if statement.startswith("  assign "):
            given = [statement.removeprefix("  assign ").split(" = ", 1)[0]]
        for name, *index in (use for text in given for use in _USE.findall(text)):
            written[name] |= _bits(module, name, *index)
    out = set()
    for part, count in pins.items():
        match = _USE.fullmatch(part)
        net = module.nets.get(match[1]) if match else None
        if match is None or net is None or net.direction or count > 1:
            continue
        if not written[match[1]] & _bits(module, match[1], *match.groups(default="")[1:]):
            out.add(part)
    return out


def _parts(wires: str) -> list[str]:
    """Return the parts of a concatenation, or the one wire."""
    return [part.strip() for part in wires.strip(" {}").split(",")]


def _bits(module: ModuleText, name: str, index: str, high: str, low: str) -> set[int]:
    """Return the bits of a name; all of them where it cannot be said which."""
    net = module.nets.get(name)
    if net is None:
        return set()
    if net.array or not index or not high:
        return set(range(net.width))
    # A range of Yosys counts from zero.
    return set(range(int(low or high), int(high) + 1))


def _reading(statement: str, given: Collection[tuple[str, str]], driven: Collection[str]) -> str:
    """Return a statement without the names it gives values to."""
    instance = _INSTANCE.match(statement)
    if instance:

        def pin(match: re.Match[str]) -> str:
            known = (instance[1], match[1]) in given
            return "" if known else " ".join(p for p in _parts(match[2]) if p not in driven)

        return _PIN.sub(pin, statement)
    if statement.startswith("  assign "):
        return statement.split(" = ", 1)[1]
    return _WRITTEN.sub(lambda m: m[0].replace(m[1], "", 1), statement)
