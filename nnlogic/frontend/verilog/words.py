"""Files of words that ``$readmemh`` and ``$readmemb`` load into arrays."""

from __future__ import annotations

import re
from pathlib import Path

from nnlogic.core.inert import visible
from nnlogic.frontend.verilog.kinds import Memory
from nnlogic.frontend.verilog.module import Load
from nnlogic.frontend.verilog.text import NotTables

_COMMENT = re.compile(r"//[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)
MOST_DIGITS = 64
_DIGITS = {2: "[01]+", 16: "[0-9a-fA-F]+"}


def read_words(path: Path, load: Load, memory: Memory) -> None:
    """Write the words of a file into an array.

    Raises
    ------
    NotTables
        The file cannot be read, holds anything but digits, or more than the array.
    """
    where = f"{visible(path.name)} for {load.array}"
    try:
        text = _COMMENT.sub(" ", path.read_bytes().decode("ascii"))
    except (OSError, UnicodeDecodeError) as error:
        raise NotTables(load.at, f"cannot read {where}: {error}") from error
    at = 0
    for word in text.split():
        digits = word.removeprefix("@").replace("_", "")
        base = 16 if word.startswith("@") else load.base
        if len(digits) > MOST_DIGITS or not re.fullmatch(_DIGITS[base], digits):
            raise NotTables(load.at, f"{where}: {visible(word[:40])} is not a number")
        value = int(digits, base)
        if word.startswith("@"):
            at = value - memory.first
            continue
        if not 0 <= at < len(memory.words) or value >> memory.kind.width:
            size = f"{len(memory.words)} words of {memory.kind.width} bits"
            raise NotTables(load.at, f"{where}: {visible(word)} for word {at} of {size}")
        memory.words[at] = value
        at += 1
