"""Text from files is data: the one door through which it enters generated files.

Names and remarks come from checkpoints, netlists and file names, and any character can be in them.
Each place they are written to (a *sink*) has a type here whose constructor is its encoder, so that
a value of the type cannot leave its place: a comment cannot end early, a word cannot become two.
Writers take these types and no plain text. What a sink cannot hold is shown as ``<U+000A>``.

Other sinks have their own door: Verilog, BLIF and Tcl identifiers `nnlogic.core.names.Identifier`,
HTML and SVG `nnlogic.core.markup`, JSON and Python benches (which read JSON) `json.dumps`.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import Self

from nnlogic.core.errors import UsageError

# Words that make a comment an instruction, when they stand first in it.
_PRAGMAS = """
verilator synopsys synthesis pragma cadence ambit exemplar xilinx altera synplify lattice vivado
quartus yosys vcs coverage protect rtl_synthesis
"""
PRAGMAS = frozenset(_PRAGMAS.split())
_COMMENT_ENDS = re.compile(r"\*(?=/)|(?<=/)\*")
_FIRST_WORD = re.compile(r"\s*(\w)(\w*)")


def _shown(c: str) -> str:
    return f"<U+{ord(c):04X}>"


def visible(text: object) -> str:
    """Return text on one line, with every character that does not print shown as its number.

    These are control characters, line ends of any kind, and format characters such as those that
    change the direction of writing; printing characters of all scripts stay.
    """
    return "".join(c if c.isprintable() else _shown(c) for c in str(text))


def printed(lines: Iterable[object]) -> str:
    """Return lines as a text, each of which stays one line."""
    return "".join(f"{visible(line)}\n" for line in lines)


class Encoded(str):
    """Text as one sink holds it; what is of the type already stays as it is."""

    __slots__ = ()

    def __new__(cls, text: object) -> Self:
        """Encode `text`."""
        return text if type(text) is cls else super().__new__(cls, cls.encoded(str(text)))

    @classmethod
    def encoded(cls, text: str) -> str:
        """Return `text` as the sink holds it."""
        raise NotImplementedError


class CommentText(Encoded):
    """One line of a comment in Verilog, a shell or Tcl script, BLIF or yosys script.

    No line end, no backslash (a last one continues the line for some tools), no backtick, no
    end or start of a block comment, and no first word that tools obey.
    """

    __slots__ = ()

    @classmethod
    def encoded(cls, text: str) -> str:
        """See the class."""
        text = _COMMENT_ENDS.sub(_shown("*"), visible(text))
        text = text.replace("\\", _shown("\\")).replace("`", _shown("`"))
        first = _FIRST_WORD.match(text)
        if first and (first[1] + first[2]).lower() in PRAGMAS:
            at = first.start(1)
            text = text[:at] + _shown(first[1]) + text[at + 1 :]
        return text


class EdifText(Encoded):
    """A string of EDIF, between its quotes: printing ASCII without quotes and percent signs."""

    __slots__ = ()

    @classmethod
    def encoded(cls, text: str) -> str:
        """See the class."""
        return "".join(c if " " <= c <= "~" and c not in '"%' else _shown(c) for c in text)


class ShellWord(Encoded):
    """One word of a shell; where something in it does not print, quoted as bash and zsh read."""

    __slots__ = ()

    @classmethod
    def encoded(cls, text: str) -> str:
        """See the class."""
        if text.isprintable():
            return shlex.quote(text)
        inner = "".join(
            c if c.isprintable() and c not in "\\'" else "".join(f"\\x{b:02x}" for b in _bytes(c))
            for c in text
        )
        return f"$'{inner}'"

    @classmethod
    def of_file(cls, path: Path) -> Self:
        """Return the name of a file without its folder; never taken for an option."""
        return cls(f"./{path.name}" if path.name.startswith("-") else path.name)


def _bytes(c: str) -> bytes:
    return c.encode("utf-8", "surrogateescape" if "\udc80" <= c <= "\udcff" else "surrogatepass")


class TclWord(Encoded):
    """One word of Tcl: nothing in it is substituted or executed."""

    __slots__ = ()

    @classmethod
    def encoded(cls, text: str) -> str:
        """See the class."""
        text = visible(text)
        if any(c in text for c in "{}\\"):
            return "".join(f"\\{c}" if c in '{}\\ []$";' else c for c in text)
        return "{" + text + "}"


class CsvCell(Encoded):
    """A cell of a CSV file, which ``csv`` quotes; no spreadsheet takes it for a formula."""

    __slots__ = ()

    @classmethod
    def encoded(cls, text: str) -> str:
        """See the class."""
        text = visible(text)
        return f"'{text}" if text.lstrip()[:1] in tuple("=+-@") else text


class YosysWord(Encoded):
    """A file's path as a quoted word of a yosys script, which has no escapes.

    Raises
    ------
    UsageError
        The path holds a character that yosys would not take as part of a word.
    """

    __slots__ = ()

    @classmethod
    def encoded(cls, text: str) -> str:
        """See the class."""
        bad = sorted({c for c in text if not c.isprintable() or c in '"\\;'})
        if bad:
            raise UsageError(
                "a path that cannot be given to yosys",
                where=visible(text),
                why=f"it holds {' '.join(_shown(c) for c in bad)}",
                fix="rename the file or folder",
            )
        return f'"{text}"'
