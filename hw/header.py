"""The comment at the top of every Verilog file."""

from __future__ import annotations

from collections.abc import Sequence

import nnlogic
from nnlogic.core.inert import CommentText
from nnlogic.core.names import Identifier


def comment_block(lines: Sequence[CommentText]) -> str:
    """Return lines as a comment with an empty line behind it.

    Raises
    ------
    TypeError
        A line is plain text: only `CommentText` cannot leave a comment.
    """
    if not all(isinstance(line, CommentText) for line in lines):
        raise TypeError("a line of a comment must be CommentText")
    return "".join(f"// {line}".rstrip() + "\n" for line in lines) + "\n"


def header(module: Identifier, about: Sequence[CommentText] = ()) -> str:
    """Return the top of a file: its module, who wrote it, and what it is about.

    Parameters
    ----------
    module : Identifier
    about : sequence of CommentText
        Further lines, after an empty one.
    """
    first = CommentText(f"{Identifier(module)}: written by nnlogic {nnlogic.__version__}")
    return comment_block([first, *([CommentText(""), *about] if about else [])])
