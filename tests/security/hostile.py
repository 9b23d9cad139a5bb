"""Names and texts that try to leave the place they are written to, and what must not happen."""

from __future__ import annotations

import re
from pathlib import Path

MARK = "planted_mark"
CANARY = "canary"


def payloads(canary: Path) -> tuple[str, ...]:
    """Texts that would make `canary` where some sink does not encode them."""
    touch = f"touch {canary}"
    verilog = f'module {MARK}; initial $system("{touch}"); endmodule bind {MARK} {MARK} {MARK}();'
    return (
        f"a\n{verilog}\n",
        f"b\r{verilog}\r",
        f"c\x0b{verilog}\x0c{verilog}",
        f"d\x85{verilog}\u2028{verilog}\u2029",
        f"e*/ {verilog} /*",
        f"f\\\n{verilog}",
        f'g\n`include "{canary}"\n`define {MARK}',
        f"h [exec {touch}] $(exec {touch}) ; exec {touch}",
        f"$({touch}) `{touch}` ${{x}}",
        f'"; {touch}; \' {touch}; "',
        f"k\n!{touch}\n",
        f"l\u202e{MARK}\u2066\u200b",
        f"</script><img src=x onerror={MARK}>",
        "n\x00\x1b[2J\x07",
        "o\ud800",
        f"p\n.end\n.model {MARK}\n.gate",
        f'q\' """ + __import__(\'os\').system(\'{touch}\') + """',
        "verilator public_flat",
        "r\\",
    )


def unprintable(text: str) -> set[str]:
    """Characters of a written file that no name may bring into it."""
    return {c for c in text if not c.isprintable() and c not in "\n\t"}


def without_comments(text: str) -> str:
    """Verilog without its comments, as a tool reads it."""
    return re.sub(r"//[^\n]*|/\*.*?\*/", " ", text, flags=re.DOTALL)
