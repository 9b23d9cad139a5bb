"""Names that are legal everywhere: in Verilog, BLIF, Tcl and file systems."""

from __future__ import annotations

import re
from collections.abc import Iterable

_KEYWORDS = """
always and assign automatic begin bit buf bufif0 bufif1 byte case casex casez cell cmos config
deassign default defparam design disable edge else end endcase endconfig endfunction endgenerate
endmodule endprimitive endspecify endtable endtask event for force forever fork function generate
genvar highz0 highz1 if ifnone incdir include initial inout input instance int integer join large
liblist library localparam logic macromodule medium module nand negedge nmos nor noshowcancelled
not notif0 notif1 or output parameter pmos posedge primitive pull0 pull1 pulldown pullup
pulsestyle_ondetect pulsestyle_onevent rcmos real realtime reg release repeat rnmos rpmos rtran
rtranif0 rtranif1 scalared showcancelled signed small specify specparam strong0 strong1 supply0
supply1 table task time tran tranif0 tranif1 tri tri0 tri1 triand trior trireg unsigned use uwire
vectored wait wand weak0 weak1 while wire wor xnor xor
"""
# The ports every core has are reserved too.
RESERVED = frozenset(_KEYWORDS.split()) | {"clk", "rst", "in_valid", "out_valid"}


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
