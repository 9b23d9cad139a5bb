"""Numbered wires as wide as what is read of them, operands as wide as their sums."""

from __future__ import annotations

import re

from nnlogic.hw.tidy.parse import ModuleText

_USE = re.compile(r"\b(_\d+_)\b(?:\[(\d+)(?::(\d+))?\])?")
_NOTHING = re.compile(r"  assign (_\d+_)\[[\d:]+\] = \d+'hx+;")


def narrow(module: ModuleText) -> None:
    """Cut bits off numbered wires that carry nothing, so that they are read as a whole."""
    module.body = [s for s in module.body if not _NOTHING.fullmatch(s)]
    uses: dict[str, set[tuple[str, str]]] = {}
    for statement in module.body:
        for name, high, low in _USE.findall(statement):
            uses.setdefault(name, set()).add((high, low))
    cut = {}
    for name, ranges in uses.items():
        if len(ranges) != 1 or name not in module.nets:
            continue
        ((high, low),) = ranges
        if high and (low or high) == "0":
            cut[name] = high
    for name, high in cut.items():
        module.nets[name].range = f"[{high}:0]" if high != "0" else ""

    def whole(match: re.Match[str]) -> str:
        return match[1] if match[1] in cut else match[0]

    module.body = [_USE.sub(whole, s) for s in module.body]


_OPERAND = r"(?:\w+(?:\[[\d:]+\])?|\{[^{}]*\}|\d+'h[0-9a-f]+)"
_SUM = re.compile(rf"  assign (\w+) = ({_OPERAND}) ([+-]) ({_OPERAND});")
_NUMBER = re.compile(r"(\d+)'h([0-9a-f]+)")
_PART = re.compile(r"(\w+)(?:\[(\d+)(?::(\d+))?\])?")


def widen(module: ModuleText) -> None:
    """Write out the zeros in front of operands that are narrower than the sum they belong to."""
    for at, statement in enumerate(module.body):
        match = _SUM.fullmatch(statement)
        if not match or match[1] not in module.nets:
            continue
        widths = [module.nets[match[1]].width, _width(module, match[2]), _width(module, match[4])]
        if None in widths or "signed" in module.nets[match[1]].range:
            continue
        wide = max(width for width in widths if width is not None)
        left, right = (_padded(module, match[i], wide) for i in (2, 4))
        module.body[at] = f"  assign {match[1]} = {left} {match[3]} {right};"


def _width(module: ModuleText, operand: str) -> int | None:
    if operand.startswith("{"):
        parts = [_width(module, part.strip()) for part in operand[1:-1].split(",")]
        return None if None in parts else sum(p for p in parts if p is not None)
    number = _NUMBER.fullmatch(operand)
    if number:
        return int(number[1])
    part = _PART.fullmatch(operand)
    net = module.nets.get(part[1]) if part else None
    if part is None or net is None or net.array or "signed" in net.range:
        return None
    return int(part[2]) - int(part[3] or part[2]) + 1 if part[2] else net.width


def _padded(module: ModuleText, operand: str, wide: int) -> str:
    width = _width(module, operand)
    if width is None or width == wide or operand == "1'h1":
        return operand
    number = _NUMBER.fullmatch(operand)
    if number:
        return f"{wide}'h{int(number[2], 16):0{-(-wide // 4)}x}"
    zeros = f"{wide - width}'h{0:0{-(-(wide - width) // 4)}x}"
    inner = operand[1:-1].strip() if operand.startswith("{") else operand
    return f"{{ {zeros}, {inner} }}"
