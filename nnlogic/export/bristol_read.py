"""Reads Bristol Fashion circuits of XOR, AND and INV gates."""

from __future__ import annotations

from nnlogic.core.errors import FormatError
from nnlogic.logic.cone import Cone, ConeBuilder

TABLES = {("AND", 2): 0b1000, ("XOR", 2): 0b0110, ("INV", 1): 0b01}
Widths = tuple[tuple[int, ...], tuple[int, ...]]


def read_bristol(text: str) -> tuple[Cone, Widths]:
    """Return a circuit as a network, and the bits of its input and output values.

    Raises
    ------
    FormatError
        Not a circuit: another count of gates or wires than it says, a wire that is driven twice or
        read before it is driven, a kind of gate that is not known.
    """
    lines = [line.split() for line in text.split("\n") if line.strip()]
    try:
        numbers = [[int(word) for word in line] for line in lines[:3]]
        (gates, wires), (n_in, *ins), (n_out, *outs) = numbers
    except ValueError as error:
        raise _broken("header", str(error)) from error
    if n_in != len(ins) or n_out != len(outs):
        raise _broken("header", f"{n_in} and {n_out} values, {len(ins)} and {len(outs)} widths")
    if len(lines) - 3 != gates:
        raise _broken("header", f"{gates} gates are said, {len(lines) - 3} are there")
    builder = ConeBuilder(sum(ins))
    driven = {i: i for i in range(sum(ins))}
    for number, words in enumerate(lines[3:]):
        where = f"gate {number}"
        if not all(word.isdecimal() for word in words[:-1]) or len(words) < 5:
            raise _broken(where, " ".join(words)[:80])
        n, m, *rest = (int(word) for word in words[:-1])
        table = TABLES.get((words[-1], n))
        if table is None or m != 1 or len(rest) != n + 1:
            raise _broken(where, " ".join(words)[:80])
        *reads, wire = rest
        if wire in driven or any(s not in driven for s in reads) or wire >= wires:
            raise _broken(where, "it drives a wire again, or reads one that nothing drives")
        driven[wire] = builder.lut([driven[s] for s in reads], table)
    last = range(wires - sum(outs), wires)
    if len(driven) != wires or any(w not in driven for w in last):
        raise _broken("header", f"{wires} wires are said, {len(driven)} are driven")
    return builder.cone([driven[w] for w in last]), (tuple(ins), tuple(outs))


def _broken(where: str, why: str) -> FormatError:
    return FormatError("cannot read the Bristol circuit", where=where, why=why)
