"""Fold the one-bit temporaries of Yosys' Verilog into the expressions that read them."""

from __future__ import annotations

import re
from collections import Counter

_SCALAR = re.compile(r"  (?:wire|reg) (\w+);")
_TEMPORARY = re.compile(r"\b_\d+_\b")
# Bitwise operators on names only, so that no operand's width depends on its context.
_BITWISE = re.compile(r"  assign (\w+) = ((?:(?<!\d)1'h[01]|[\w$~&|^?: ])+);")


def fold_temporaries(text: str) -> str:
    """Return Verilog with single-use one-bit temporaries replaced by their expressions.

    Yosys writes one line per gate, with numbered wires between; folded, each named signal is one
    expression. A temporary is folded when both it and the signal that reads it are scalars given
    by bitwise expressions; everything else stays.

    Parameters
    ----------
    text : str
        Verilog as Yosys writes it, one declaration or assignment per line.
    """
    return "".join(_fold_module(part) for part in re.split(r"(?<=\nendmodule\n)", text))


def _fold_module(text: str) -> str:
    lines = text.splitlines()
    scalars = {match.group(1) for line in lines if (match := _SCALAR.fullmatch(line))}
    bitwise: dict[str, str] = {}
    reads: Counter[str] = Counter()
    foldable: Counter[str] = Counter()
    for line in lines:
        names = _TEMPORARY.findall(line)
        reads.update(names)
        match = _BITWISE.fullmatch(line)
        if match and match.group(1) in scalars:
            bitwise[match.group(1)] = match.group(2)
            foldable.update(_TEMPORARY.findall(match.group(2)))
    # Besides its one read, a temporary is named where it is declared and where it is assigned.
    inner = {
        name: value
        for name, value in bitwise.items()
        if _TEMPORARY.fullmatch(name) and reads[name] == 3 and foldable[name] == 1
    }

    def expand(expression: str) -> str:
        return _TEMPORARY.sub(lambda m: operand(m.group()), expression)

    def operand(name: str) -> str:
        if name not in inner:
            return name
        value = expand(inner[name])
        return value.replace("~ ", "~") if re.fullmatch(r"~? ?\w+", value) else f"({value})"

    out = []
    for line in lines:
        declared, assigned = _SCALAR.fullmatch(line), _BITWISE.fullmatch(line)
        name = (declared or assigned or [None, None])[1]
        if name in inner:
            continue
        if assigned and name in bitwise:
            line = f"  assign {name} = {expand(bitwise[name])};"
        out.append(f"{line}\n")
    return "".join(out)
