"""Structural Verilog-2001: one module, one wire and one assignment per LUT."""

from __future__ import annotations

import re

from nnlogic.core.names import identifier
from nnlogic.logic.cone import Cone
from nnlogic.logic.formats.sop import irredundant
from nnlogic.logic.formats.spec import free_prefix
from nnlogic.logic.truth import full


def write_verilog(
    name: str, inputs: tuple[str, ...], outputs: tuple[str, ...], cone: Cone
) -> bytes:
    """Return a network as a Verilog module.

    Ports keep their names, as escaped identifiers where Verilog needs that. Every node is a wire
    with a sum of products, so that synthesis sees the mapping, and simulators need no library.
    """
    ports = [_escaped(s) for s in (*inputs, *outputs)]
    prefix = free_prefix((*inputs, *outputs))
    signals = ports[: len(inputs)] + [f"{prefix}{i}" for i in range(cone.n_nodes)]
    lines = [f"module {identifier(name)}("]
    kinds = ["input"] * len(inputs) + ["output"] * len(outputs)
    declared = [f"  {kind} wire {port}" for kind, port in zip(kinds, ports, strict=True)]
    lines += [f"{line}," for line in declared[:-1]] + declared[-1:] + [");"]
    for i, (fanin, table) in enumerate(zip(cone.fanins, cone.tables, strict=True)):
        value = _expression([signals[s] for s in fanin], table)
        lines.append(f"  wire {prefix}{i} = {value};")
    for port, s in zip(ports[len(inputs) :], cone.outputs, strict=True):
        lines.append(f"  assign {port} = {signals[s]};")
    return "\n".join([*lines, "endmodule", ""]).encode()


def _escaped(name: str) -> str:
    plain = re.fullmatch(r"[A-Za-z_]\w*", name, flags=re.ASCII) and identifier(name) == name
    # An escaped identifier ends with a blank.
    return name if plain else f"\\{name} "


def _expression(names: list[str], table: int) -> str:
    n = len(names)
    if not n:
        return f"1'b{table}"
    parity = _parity(table, n)
    if parity is not None:
        return ("~" if parity else "") + (f"({' ^ '.join(names)})" if n > 1 else names[0])
    on, off = irredundant(table, n), irredundant(table ^ full(n), n)
    inverted = len(off) < len(on)
    terms = []
    for cube in off if inverted else on:
        literals = [
            name if c == "1" else f"~{name}"
            for name, c in zip(names, cube, strict=True)
            if c != "-"
        ]
        terms.append(" & ".join(literals) or "1'b1")
    text = " | ".join(f"({t})" if len(terms) > 1 and " & " in t else t for t in terms) or "1'b0"
    return f"~({text})" if inverted else text


def _parity(table: int, n: int) -> int | None:
    """Return 0 for the XOR of all inputs, 1 for its complement, None for anything else."""
    odd = sum(1 << i for i in range(1 << n) if i.bit_count() & 1)
    return {odd: 0, odd ^ full(n): 1}.get(table)
