"""``.truth``: one line per output, one character per input combination, the last one first."""

from __future__ import annotations

import numpy as np

from nnlogic.core.bits import Bools
from nnlogic.logic.formats.spec import Complaints, Specification, decoded, model_name
from nnlogic.logic.support import Partial
from nnlogic.tables.ir import MAX_INPUTS

FREE = "-"


def read_truth(data: bytes, where: str) -> Specification:
    """Read truth tables.

    Each line holds ``2**n`` characters ``0``, ``1``, or ``-`` (does not matter), that of input
    combination ``2**n - 1`` first. Input ``i``, named ``x<i>``, is bit ``i`` of the combination;
    outputs are ``y0``, ``y1`` and so on. Empty lines and ``#`` comments are skipped.

    Parameters
    ----------
    data : bytes
    where : str
        Name of the file, for messages.

    Raises
    ------
    FormatError
        Listing every bad line.
    """
    complaints = Complaints(where)
    rows: list[str] = []
    first = 0
    for number, raw in enumerate(decoded(data, where).split("\n"), 1):
        line = "".join(raw.split("#", 1)[0].split())
        if not line:
            continue
        bad = next((i for i, c in enumerate(line) if c not in "01-"), -1)
        if bad >= 0:
            complaints.add(number, f"character {line[bad]!r} at {bad + 1}, allowed are 0, 1 and -")
        elif rows and len(line) != len(rows[0]):
            complaints.add(number, f"{len(line)} characters, line {first} has {len(rows[0])}")
        elif not rows and len(line).bit_count() != 1:
            complaints.add(number, f"{len(line)} characters, need a power of two")
        elif len(line) > 1 << MAX_INPUTS:
            inputs = len(line).bit_length() - 1
            complaints.add(number, f"a table of {inputs} inputs, limit {MAX_INPUTS}")
        else:
            first = first or number
            rows.append(line)
    if not rows and not complaints.found:
        complaints.add(0, "no table in it")
    complaints.check()
    n = len(rows[0]).bit_length() - 1
    complaints.tables(len(rows), n)
    complaints.check()
    content = Partial(_equal(rows, "1"), _equal(rows, "0"), tuple(range(n)))
    names = tuple(f"x{i}" for i in range(n)), tuple(f"y{i}" for i in range(len(rows)))
    return Specification(model_name(where), *names, content)


def _equal(rows: list[str], value: str) -> Bools:
    characters = np.frombuffer("".join(rows).encode(), np.uint8).reshape(len(rows), -1)
    return np.ascontiguousarray(characters[:, ::-1] == ord(value))
