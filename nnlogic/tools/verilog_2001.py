"""Verilog-2001 for tools that read SystemVerilog: names that are keywords there get another one.

``bit``, ``do`` or ``final`` are names like any other in Verilog-2001. Whether a set of files is
Verilog-2001 is told by what only SystemVerilog has; then no name can be one of its keywords.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from nnlogic.core.names import SYSTEM_VERILOG

WORDS = SYSTEM_VERILOG | {"bit", "byte", "do", "int", "logic"}
"""Keywords of SystemVerilog that are none of Verilog-2001."""
_TYPES = "logic|bit|byte|int|shortint|longint"
_NOT_A_NAME = r"(?!(?:or|and|begin|end|else|posedge|negedge|if|case|module|assign)\b)"
# What may hold words that are not names, and words.
_PARTS = re.compile(
    rb"(//[^\n]*|/\*.*?(?:\*/|\Z)|\"[^\"\n]*\"|\\[^\s]*|\$\w+|\(\*(?!\s*\)).*?(?:\*\)|\Z)"
    rb"|'[sS]?[dDbBoO]\s*[\dxXzZ?_]+|'[sS]?[hH]\s*[\da-fA-FxXzZ?_]+|\d[\d_]*)|([A-Za-z_]\w*)",
    re.DOTALL,
)
_SYSTEM = re.compile(
    rf"\balways_(?:comb|ff|latch)\b|\b(?:unique0?|priority)\s+(?:case[xz]?|if)\b|\breturn\b"
    rf"|\b(?:{_TYPES})\b\s*(?:\bsigned\b\s*|\bunsigned\b\s*|\[[^\]\n]*\]\s*){{0,4}}{_NOT_A_NAME}[A-Za-z_]"
    rf"|'[01]\b(?!\w)|'\{{|\btypedef\b|\bautomatic\s+(?:{_TYPES})\b|\bendpackage\b"
)
_DEFINED = re.compile(rf"\bmodule\s+(?:{'|'.join(sorted(WORDS))})\b")
SUFFIX = b"_verilog2001"


def names_to_change(contents: Iterable[bytes], system: bool = False) -> tuple[str, ...]:
    """Return the keywords of SystemVerilog that are names in files of Verilog-2001.

    Parameters
    ----------
    contents : iterable of bytes
        All files of a design.
    system : bool
        They say that they are SystemVerilog; then no name is one of its keywords.

    Returns
    -------
    tuple of str
        Sorted; empty for SystemVerilog.
    """
    found: set[str] = set()
    for data in contents:
        text = _PARTS.sub(lambda m: m[0] if m[2] or m[0][:1] == b"'" else b" ", data)
        code = text.decode("latin-1")
        if system or (_SYSTEM.search(code) and not _DEFINED.search(code)):
            return ()
        found |= WORDS & set(re.findall(r"[A-Za-z_]\w*", code))
    return tuple(sorted(found))


def changed(data: bytes, names: Iterable[str]) -> bytes:
    """Return a file in which some names are other ones, outside of comments and strings."""
    wanted = {name.encode() for name in names}
    if not wanted:
        return data
    return _PARTS.sub(lambda m: m[0] + SUFFIX if m[2] in wanted else m[0], data)


def changed_name(name: str, names: Iterable[str]) -> str:
    """Return what `changed` makes of one name."""
    return name + SUFFIX.decode() if name in names else name
