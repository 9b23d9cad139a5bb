"""Observed input rows: text of 0 and 1, or a table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nnlogic.core.bits import Bools
from nnlogic.data import read_rows
from nnlogic.logic.formats.spec import Complaints, decoded

_TABLES = (b"PK", b"\x93NUMPY", b"PAR1")


def read_patterns(path: Path, inputs: Sequence[str]) -> Bools:
    """Read input rows.

    Parameters
    ----------
    path : Path
        Text with one character ``0`` or ``1`` for each input per line, the first for the first
        input (blanks and ``#`` comments are skipped); or what `nnlogic.data.read_rows` reads, as
        an ``.npz`` or ``.csv`` file, with columns of zeros and ones.
    inputs : sequence of str
        Names of the inputs.

    Returns
    -------
    bool array, shape (rows, inputs)

    Raises
    ------
    FormatError, InputError
        Every bad line; no rows; an array of another shape or with other values.
    """
    data, where, n_inputs = path.read_bytes(), str(path), len(inputs)
    complaints = Complaints(where)
    if data.startswith(_TABLES) or path.suffix.lower() in (".csv", ".tsv"):
        rows = read_rows(path, inputs).x
        odd = np.flatnonzero(~np.isin(rows, (0, 1)).all(axis=1))
        if odd.size:
            complaints.add(0, f"row {odd[0]} holds something other than 0 and 1")
        complaints.check()
        return rows.astype(bool)
    lines = []
    for number, raw in enumerate(decoded(data, where).split("\n"), 1):
        line = "".join(raw.split("#", 1)[0].split())
        if line.strip("01"):
            complaints.add(number, f"character {line.strip('01')[0]!r}, allowed are 0 and 1")
        elif line and len(line) != n_inputs:
            complaints.add(number, f"{len(line)} characters for {n_inputs} inputs")
        elif line:
            lines.append(line)
    if not lines and not complaints.found:
        complaints.add(0, "no rows")
    complaints.check()
    raw_bytes = np.frombuffer("".join(lines).encode(), np.uint8)
    return raw_bytes.reshape(len(lines), n_inputs) == ord("1")
