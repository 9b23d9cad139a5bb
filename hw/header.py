"""The comment at the top of every Verilog file."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import nnlogic
from nnlogic.core.inert import CommentText
from nnlogic.core.names import Identifier
from nnlogic.hw.lines import WIDTH


def comment_block(lines: Sequence[CommentText]) -> str:
    """Return lines as a comment with an empty line behind it.

    Raises
    ------
    TypeError
        A line is plain text: only `CommentText` cannot leave a comment.
    """
    if not all(isinstance(line, CommentText) for line in lines):
        raise TypeError("a line of a comment must be CommentText")
    return "".join(f"{part}\n" for line in lines for part in comment_lines(line)) + "\n"


def comment_lines(line: CommentText) -> list[str]:
    """Return a line as a comment, which goes on in further ones where it is too long."""
    if len(line) <= WIDTH:
        return [f"// {line}".rstrip()]
    indent = " " * (len(line) - len(line.lstrip()))
    parts = textwrap.wrap(
        line, WIDTH, subsequent_indent=f"{indent}  ", break_on_hyphens=False, tabsize=1
    )
    return [f"// {CommentText(part)}".rstrip() for part in parts]


LICENCE = "Apache-2.0"


@dataclass(frozen=True)
class Origin:
    """What a file was made from, and how.

    Attributes
    ----------
    command : str
        That makes it again.
    file, digest : str
        Name and SHA-256 of what was compiled.
    notes : mapping of str to str
        By input port, what else there is to say of it.
    left_out : tuple of str
        Inputs of the network that it does not read, and that have no port.
    """

    command: str
    file: str
    digest: str
    notes: Mapping[str, str] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()


def header(
    module: Identifier, about: Sequence[CommentText] = (), origin: Origin | None = None
) -> str:
    """Return the top of a file: licence, module, who wrote it and from what, what it is about.

    Parameters
    ----------
    module : Identifier
    about : sequence of CommentText
        Further lines, after an empty one.
    origin : Origin, optional
    """
    lines = [
        CommentText(f"SPDX-License-Identifier: {LICENCE}"),
        CommentText(f"{Identifier(module)}: written by nnlogic {nnlogic.__version__}"),
    ]
    if origin is not None:
        lines += [
            CommentText(f"  from {origin.file}, SHA-256 {origin.digest}"),
            CommentText(f"  by   {origin.command}"),
        ]
    return comment_block([*lines, *([CommentText(""), *about] if about else [])])
