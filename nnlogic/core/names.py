"""Names that are legal everywhere: in Verilog, BLIF, Tcl and file systems."""

from __future__ import annotations

import re
from collections.abc import Iterable

RESERVED = frozenset(
    "always and assign begin buf case clk default deassign disable edge else end endcase endmodule "
    "endfunction event for force forever fork function if initial inout input integer join module "
    "nand negedge nor not or output parameter pmos posedge real reg release repeat rst scalared "
    "signed small specify strong0 strong1 supply0 supply1 table task time tri tri0 tri1 trireg "
    "vectored wait wand weak0 weak1 while wire wor xnor xor in_valid out_valid logic bit byte int".split()
)


def identifier(text: str) -> str:
    """Return `text` as a plain Verilog identifier, readable and never a keyword."""
    name = re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_") or "n"
    if name[0].isdigit() or name in RESERVED:
        name = f"n_{name}"
    return name


def unique_identifiers(texts: Iterable[str]) -> list[str]:
    """Return identifiers in order, with ``_2``, ``_3`` ... where two would be equal."""
    used: set[str] = set()
    out = []
    for text in texts:
        base = name = identifier(text)
        count = 1
        # Verilog is case sensitive, but file systems and some tools are not.
        while name.lower() in used:
            count += 1
            name = f"{base}_{count}"
        used.add(name.lower())
        out.append(name)
    return out
