"""Numbered wires as wide as what is read of them, operands as wide as what they meet."""

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


_OPERAND = r"(?:\d+'h[0-9a-f]+|\w+(?:\[[\d:]+\])?|\{[^{}]*\})"
_SUM = re.compile(rf"  assign (\w+) = ({_OPERAND}) ([+-]) ({_OPERAND});")
_NUMBER = re.compile(r"(\d+)'h([0-9a-f]+)")
_COMPARED = re.compile(rf"(?<![\w'])({_OPERAND}) (==|!=|<=|>=|<|>) ({_OPERAND})(?![\w\[])")
_NOT = re.compile(rf"! ({_OPERAND})(?![\w\[])")
_PART = re.compile(r"(\w+)(?:\[(\d+)(?::(\d+))?\])?")


def widen(module: ModuleText) -> None:
    """Write out the zeros in front of operands that are narrower than what they meet.

    That is the sum they belong to, or what they are compared with; ``!`` of several bits, which
    compares with zero, says so.
    """

    def zero(match: re.Match[str]) -> str:
        width = _width(module, match[1])
        if width is None or width == 1:
            return match[0]
        return f"({match[1]} == {width}'h{0:0{-(-width // 4)}x})"

    def compared(match: re.Match[str]) -> str:
        widths = [_width(module, match[1]), _width(module, match[3])]
        if None in widths or widths[0] == widths[1]:
            return match[0]
        wide = max(width for width in widths if width is not None)
        left, right = (_padded(module, match[i], wide, one=True) for i in (1, 3))
        return f"{left} {match[2]} {right}"

    for at, statement in enumerate(module.body):
        module.body[at] = statement = _COMPARED.sub(compared, _NOT.sub(zero, statement))
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


def _padded(module: ModuleText, operand: str, wide: int, *, one: bool = False) -> str:
    """Return an operand of `wide` bits; a sum may end in a 1 that is not padded, unless `one`."""
    width = _width(module, operand)
    if width is None or width == wide or (operand == "1'h1" and not one):
        return operand
    number = _NUMBER.fullmatch(operand)
    if number:
        return f"{wide}'h{int(number[2], 16):0{-(-wide // 4)}x}"
    zeros = f"{wide - width}'h{0:0{-(-(wide - width) // 4)}x}"
    inner = operand[1:-1].strip() if operand.startswith("{") else operand
    return f"{{ {zeros}, {inner} }}"
