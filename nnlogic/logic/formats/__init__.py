"""Files of logic that other tools read and write, one module per format."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from nnlogic.core.errors import IRError, UsageError
from nnlogic.core.inert import visible
from nnlogic.logic.cone import Cone
from nnlogic.logic.formats.aiger import read_aiger
from nnlogic.logic.formats.aiger_write import write_aiger
from nnlogic.logic.formats.blif import read_blif, write_blif
from nnlogic.logic.formats.cover import Cover
from nnlogic.logic.formats.patterns import read_patterns
from nnlogic.logic.formats.pla import read_pla
from nnlogic.logic.formats.spec import MARK, Relaxed, Specification, legal_name
from nnlogic.logic.formats.truth import read_truth
from nnlogic.logic.formats.verilog import write_verilog

__all__ = [
    "READERS",
    "WRITERS",
    "Cover",
    "Relaxed",
    "Specification",
    "encode",
    "parse",
    "plain",
    "read_patterns",
]

Names = tuple[str, ...]

READERS: Mapping[str, Callable[[bytes, str], Specification]] = {
    ".truth": read_truth,
    ".pla": read_pla,
    ".blif": read_blif,
    ".aag": read_aiger,
    ".aig": read_aiger,
}
WRITERS: Mapping[str, Callable[[str, Names, Names, Cone], bytes]] = {
    ".blif": write_blif,
    ".v": write_verilog,
    ".aag": partial(write_aiger, binary=False),
    ".aig": partial(write_aiger, binary=True),
}


def parse(data: bytes, where: str, suffix: str) -> Specification:
    """Read a file's content by its suffix.

    Raises
    ------
    UsageError
        No reader for the suffix.
    FormatError
        The file is malformed.
    """
    if suffix not in READERS:
        known = ", ".join(READERS)
        why = f"{suffix or 'no suffix'}, nnlogic reads {known}"
        raise UsageError("a file of an unknown kind", where=where, why=why)
    return READERS[suffix](data, where)


def plain(data: bytes, suffix: str) -> bytes:
    """Return a file as other tools read it: no byte order mark, lines ended by line feeds."""
    data = data.removeprefix(MARK)
    return data if suffix == ".aig" else data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def encode(suffix: str, name: str, inputs: Names, outputs: Names, cone: Cone) -> bytes:
    """Return a network as the content of a file, by the suffix of `WRITERS`.

    Raises
    ------
    IRError
        A name is not as `nnlogic.logic.formats.spec.clean_names` makes it.
    """
    for port in (*inputs, *outputs):
        if legal_name(port) != port:
            raise IRError("not a name for a file of logic", where=visible(port))
    return WRITERS[suffix](name, inputs, outputs, cone)
