"""Names that are legal everywhere: in Verilog, BLIF, Tcl and file systems."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Self

from nnlogic.core.errors import IRError
from nnlogic.core.inert import visible

_VERILOG = """
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
VERILOG = frozenset(_VERILOG.split())
# What SystemVerilog adds (IEEE 1800-2017): Verilator takes it in any file.
_SYSTEM_VERILOG = """
accept_on alias always_comb always_ff always_latch assert assume before bind bins binsof break
chandle checker class clocking const constraint context continue cover covergroup coverpoint cross
dist do endchecker endclass endclocking endgroup endinterface endpackage endprogram endproperty
endsequence enum eventually expect export extends extern final first_match foreach forkjoin global
iff ignore_bins illegal_bins implements implies import inside interconnect interface intersect
join_any join_none let local longint matches modport nettype new nexttime null package packed
priority program property protected pure rand randc randcase randsequence ref reject_on restrict
return s_always s_eventually s_nexttime s_until s_until_with sequence shortint shortreal soft
solve static string strong struct super sync_accept_on sync_reject_on tagged this throughout
timeprecision timeunit type typedef union unique unique0 until until_with untyped var virtual void
wait_order weak wildcard with within
"""
SYSTEM_VERILOG = frozenset(_SYSTEM_VERILOG.split())
KEYWORDS = VERILOG | SYSTEM_VERILOG
# The ports every core has are reserved too.
_PORTS = {"clk", "rst", "in_valid", "out_valid"}
RESERVED = KEYWORDS | _PORTS
_PLAIN = re.compile(r"[A-Za-z_]\w*", re.ASCII)


class Identifier(str):
    """A plain Verilog identifier that is no keyword: what may name things in generated files.

    Raises
    ------
    IRError
        It is none; `identifier` makes one of any text.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Check `text`."""
        if not _PLAIN.fullmatch(text) or text in KEYWORDS:
            raise IRError("not a name for a generated file", where=visible(text))
        return super().__new__(cls, text)


def identifier(text: str, prefix: str = "") -> Identifier:
    """Return `text` as a plain Verilog identifier, readable and never a keyword.

    Behind a prefix no word is a keyword; those of Verilog are escaped there all the same, as port
    names of designs always were.
    """
    name = re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_") or "n"
    if name[0].isdigit() or name in (VERILOG | _PORTS if prefix else RESERVED):
        name = f"n_{name}"
    return Identifier(prefix + name)


def unique_identifiers(texts: Iterable[str], prefix: str = "") -> list[Identifier]:
    """Return identifiers in order, with ``_2``, ``_3`` ... where two would be equal."""
    used: set[str] = set()
    counts: dict[str, int] = {}  # by base, up to which all names are taken
    out: list[Identifier] = []
    for text in texts:
        base = name = identifier(text, prefix)
        # Verilog is case sensitive, but file systems and some tools are not.
        count = counts.get(base.lower(), 1)
        while name.lower() in used:
            count += 1
            name = Identifier(f"{base}_{count}")
        counts[base.lower()] = count
        used.add(name.lower())
        out.append(name)
    return out
