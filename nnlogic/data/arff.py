"""ARFF and the tables of OpenML."""

from __future__ import annotations

import io
import json
import re

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.errors import InputError
from nnlogic.data.fetch import fetch, get

RECORD = "https://www.openml.org/api/v1/json/data/{}"


def fetch_openml(number: int) -> tuple[tuple[str, ...], NDArray[np.float32], NDArray]:
    """Return names, rows and labels of a table on OpenML, checked against its checksum there.

    Raises
    ------
    InputError
        The table cannot be fetched, or its record or file is not understood.
    """
    record = RECORD.format(number)
    try:
        found = json.loads(get(record))["data_set_description"]
        url, md5 = str(found["url"]), str(found["md5_checksum"])
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            "the data set's record is not understood",
            where=record,
            why=repr(error),
            fix="pass a folder with a local copy (--data)",
        ) from error
    return parse_arff(fetch(url, md5).read_text(encoding="utf-8"), url)


def parse_arff(text: str, where: str) -> tuple[tuple[str, ...], NDArray[np.float32], NDArray]:
    """Parse a dense ARFF file of numeric columns and one class column.

    Returns
    -------
    names : tuple of str
        Of the numeric columns.
    rows : float32 array, shape (rows, len(names))
    labels : str array, shape (rows,)

    Raises
    ------
    InputError
        Another kind of ARFF, a damaged one, or one with missing values.
    """
    from scipy.io.arff import ArffError, loadarff

    try:
        table, meta = loadarff(io.StringIO(text))
    except (ArffError, NotImplementedError) as error:
        raise InputError(
            "the data set's file is not understood", where=where, why=str(error)
        ) from error
    except (ValueError, IndexError, StopIteration) as error:
        raise InputError(
            "the data set's file is damaged",
            where=where,
            why=str(error) or "it ends before its data",
        ) from error
    kinds = dict(zip(meta.names(), meta.types(), strict=True))
    numeric = [name for name, kind in kinds.items() if kind == "numeric"]
    nominal = [name for name, kind in kinds.items() if kind == "nominal"]
    if not numeric or len(nominal) != 1 or len(kinds) > len(numeric) + 1:
        raise InputError(
            "the data set's file is not understood",
            where=where,
            why=f"ARFF with {len(numeric)} numeric and {len(kinds) - len(numeric)} other columns, "
            f"{len(nominal)} of them nominal",
        )
    _require_whole(text, len(kinds), where)
    rows = np.stack([table[name].astype(np.float32) for name in numeric], axis=1)
    if np.isnan(rows).any():
        raise InputError(
            "the data set's file is damaged",
            where=where,
            why=f"{int(np.isnan(rows).sum())} of {rows.size} values are missing",
        )
    return tuple(name.strip("'\"") for name in numeric), rows, table[nominal[0]].astype(str)


def _require_whole(text: str, columns: int, where: str) -> None:
    # The library reads as many cells of a line as there are columns, and passes over the others.
    _, body = re.split(r"^\s*@data", text, maxsplit=1, flags=re.IGNORECASE | re.MULTILINE)
    for line in body.splitlines():
        if line.count(",") >= columns and not set(line) & set("'\"%"):
            raise InputError(
                "the data set's file is damaged", where=where, why=f"rows differ in length: {line}"
            )
