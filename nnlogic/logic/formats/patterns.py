"""Observed input rows: text of 0 and 1, or an array."""

from __future__ import annotations

import io
import zipfile

import numpy as np

from nnlogic.core.bits import Bools
from nnlogic.core.errors import FormatError
from nnlogic.logic.formats.spec import Complaints, decoded


def read_patterns(data: bytes, where: str, n_inputs: int) -> Bools:
    """Read input rows; first character or column is the first input.

    Parameters
    ----------
    data : bytes
        Text with `n_inputs` characters ``0`` or ``1`` per line (blanks and ``#`` comments are
        skipped), or an ``.npz`` file with an array ``X`` of zeros and ones.
    where : str
    n_inputs : int

    Returns
    -------
    bool array, shape (rows, n_inputs)

    Raises
    ------
    FormatError
        Every bad line; no rows; an array of another shape or with other values.
    """
    complaints = Complaints(where)
    if data[:2] == b"PK":
        rows = _array(data, where)
        if rows.ndim != 2 or rows.shape[1] != n_inputs:
            complaints.add(0, f"X has shape {rows.shape}, need (rows, {n_inputs})")
        elif rows.size and not np.isin(rows, (0, 1)).all():
            bad = int(np.flatnonzero(~np.isin(rows, (0, 1)).all(axis=1))[0])
            complaints.add(0, f"row {bad} of X holds something other than 0 and 1")
        elif not len(rows):
            complaints.add(0, "no rows")
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


def _array(data: bytes, where: str) -> np.ndarray:
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            if "X" not in file:
                found = ", ".join(file.files) or "none"
                raise FormatError("no array X in the file", where=where, why=f"found {found}")
            rows: np.ndarray = file["X"]
            return rows
    except (OSError, EOFError, ValueError, zipfile.BadZipFile) as error:
        raise FormatError("cannot read the array", where=where, why=str(error)) from error
