"""Write the modules of a stream, each in a file that says at its top what it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from nnlogic.core.archive import write_bytes
from nnlogic.core.inert import CommentText
from nnlogic.core.names import Identifier
from nnlogic.hw.header import Origin, header


def write_modules(
    texts: Mapping[Identifier, tuple[str, Sequence[str]]], folder: Path, origin: Origin | None
) -> tuple[Path, ...]:
    """Write ``<module>.v`` for each module, and return the files in the same order.

    Parameters
    ----------
    texts : mapping of Identifier to (str, sequence of str)
        By module: its Verilog, and the lines of its head.
    folder : Path
        Made when it does not exist.
    origin : Origin or None
        Told at the top of the files.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for name, (text, lines) in texts.items():
        files.append(folder / f"{name}.v")
        about = header(name, [CommentText(line) for line in lines], origin)
        write_bytes(files[-1], (about + text).encode())
    return tuple(files)
