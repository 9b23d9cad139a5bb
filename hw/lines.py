"""Verilog lines of a width that people read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

WIDTH = 116
_SEVERAL = """// The file is named after the first of its modules.
// verilator lint_off DECLFILENAME
"""


def wrapped(line: str) -> str:
    """Return a line of Verilog, continued on deeper lines where it is too long.

    It is broken at spaces only, where Verilog allows a line end; a word of more than `WIDTH`
    characters stays whole.

    Parameters
    ----------
    line : str
        Without a line end, comment or string.
    """
    if len(line) <= WIDTH:
        return line
    margin = " " * (len(line) - len(line.lstrip()) + 4)
    out, current = [], line[: len(line) - len(line.lstrip())]
    for word in line.split():
        joined = f"{current} {word}" if current.strip() else current + word
        if len(joined) > WIDTH and current.strip():
            out.append(current)
            joined = margin + word
        current = joined
    return "\n".join([*out, current])


def concatenation(bits: Iterable[str]) -> str:
    """Return bits, the lowest first, as Verilog puts them together."""
    listed = list(bits)
    return listed[0] if len(listed) == 1 else f"{{{', '.join(reversed(listed))}}}"


def vector(width: int) -> str:
    """Return the range of a vector, nothing for a single bit."""
    return "" if width == 1 else f"[{width - 1}:0]"


def several(modules: Sequence[str]) -> str:
    """Return the modules of one file, which is named after the first of them."""
    if len(modules) == 1:
        return modules[0]
    told = (
        "// The file is named after the first of its modules.\n// verilator lint_off DECLFILENAME\n"
    )
    return "\n".join([told, *modules])


def ranges(bits: list[int]) -> list[str]:
    """Return bits as Verilog ranges, the highest first."""
    out: list[str] = []
    for bit in reversed(bits):
        if out and out[-1].endswith(f"{bit + 1}]"):
            high = out[-1][1:-1].split(":")[0]
            out[-1] = f"[{high}:{bit}]"
        else:
            out.append(f"[{bit}]")
    return out
