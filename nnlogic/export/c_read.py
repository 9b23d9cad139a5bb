"""Reads the straight-line code of a C header, as a compiler would, for a proof."""

from __future__ import annotations

import re
from dataclasses import dataclass

from nnlogic.core.errors import FormatError
from nnlogic.logic.cone import Cone, ConeBuilder

FULL = 0xFF
VALUES = {"a": 0xAA, "b": 0xCC, "c": 0xF0}
TOKEN = re.compile(r"[()&|^~]|\w+(?:\(\d+\)|\[\d+\])?")


def read_c(text: str, name: str) -> Cone:
    """Return the network of a header.

    Both forms of each operation are read, its table and its expression, and must agree.

    Raises
    ------
    FormatError
        A line that is none of the kinds there are, a value that is read before it is written, or
        a table and an expression that differ.
    """
    inputs, outputs = (_constant(text, f"{name}_{side}_bits") for side in ("input", "output"))
    builder = ConeBuilder(inputs)
    slots: dict[str, int] = {}
    results: dict[int, int] = {}
    order = re.findall(rf"last; w\+\+\) {name}_part(\d+)\(", text)
    bodies = dict(
        re.findall(rf"static void {name}_part(\d+)\([^)]*\) {{\n(.*?)\n}}\n", text, re.DOTALL)
    )
    if order != sorted(bodies, key=int):
        raise _broken("parts", f"{len(order)} are called, there are {len(bodies)}")
    ports = {f"{name}_in({i})": i for i in range(inputs)}
    for number in order:
        values = _Values(ports, {}, slots, results)
        for line in bodies[number].split("\n")[1:]:
            _statement(line.strip(), name, builder, values)
    copies = r"memcpy\(out \+ (\d+) \* os.*?\n\s*in \+ (\d+) \* is"
    results |= {int(place): int(bit) for place, bit in re.findall(copies, text)}
    if sorted(results) != list(range(outputs)):
        raise _broken("outputs", f"{len(results)} of {outputs} are written")
    return builder.cone([results[i] for i in range(outputs)])


@dataclass(frozen=True)
class _Values:
    """Signals by what the code calls them: inputs, of this function, in slots; and results."""

    ports: dict[str, int]
    local: dict[str, int]
    slots: dict[str, int]
    results: dict[int, int]

    def __getitem__(self, word: str) -> int:
        for known in (self.local, self.slots, self.ports):
            if word in known:
                return known[word]
        raise _broken(word, "it is read before it is written")


def _statement(line: str, name: str, builder: ConeBuilder, values: _Values) -> None:
    local = values.local
    if found := re.fullmatch(rf"const {name}_word (n\d+) = {name}_op\((.*)\);", line):
        table, *rest = found[2].split(", ", 4)
        operands, expression = rest[:-1], rest[-1]
        _agree(line, int(table, 16), operands, expression)
        local[found[1]] = builder.lut([values[word] for word in operands], int(table, 16))
    elif re.fullmatch(rf"{name}_word n\d+;", line):
        return
    elif found := re.fullmatch(r"memset\(&(n\d+), (0|255), sizeof \1\);", line):
        local[found[1]] = builder.constant(found[2] != "0")
    elif found := re.fullmatch(r"(s\[\d+\]) = (n\d+);", line):
        values.slots[found[1]] = values[found[2]]
    elif found := re.fullmatch(rf"{name}_out\((\d+)\) = (n\d+);", line):
        values.results[int(found[1])] = values[found[2]]
    else:
        raise _broken(line, "not a statement that was written")


def _agree(line: str, table: int, operands: list[str], expression: str) -> None:
    """Raise FormatError where an expression is not its table, for any values of its operands."""
    values: dict[str, int] = {}
    wanted = table
    for operand, letter in zip(operands, "abc", strict=True):
        values.setdefault(operand, VALUES[letter])
    # Operands that are equal: only rows of the table in which they agree can be met.
    rows = FULL
    for operand, letter in zip(operands, "abc", strict=True):
        rows &= ~(values[operand] ^ VALUES[letter])
    tokens = TOKEN.findall(expression)
    got, rest = _parsed(tokens, values, line)
    if rest or (got ^ wanted) & rows & FULL:
        raise _broken(line, "its expression is not its table")


def _parsed(tokens: list[str], values: dict[str, int], line: str) -> tuple[int, list[str]]:
    if not tokens:
        raise _broken(line, "its expression ends early")
    head, rest = tokens[0], tokens[1:]
    if head == "~":
        inner, rest = _parsed(rest, values, line)
        return inner ^ FULL, rest
    if head == "(":
        left, rest = _parsed(rest, values, line)
        sign = rest[0] if rest else ""
        right, rest = _parsed(rest[1:], values, line)
        if sign not in "&|^" or rest[:1] != [")"]:
            raise _broken(line, "not an expression")
        result = {"&": left & right, "|": left | right, "^": left ^ right}[sign]
        return result, rest[1:]
    if head not in values:
        raise _broken(line, f"{head} is not one of its operands")
    return values[head], rest


def _constant(text: str, name: str) -> int:
    found = re.search(rf"^  {name} = (\d+),$", text, re.MULTILINE)
    if found is None:
        raise _broken(name, "it is not there")
    return int(found[1])


def _broken(where: str, why: str) -> FormatError:
    return FormatError("cannot read the C code back", where=where[:120], why=why)
