"""ARFF and the tables of OpenML."""

from __future__ import annotations

import json

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
    """Parse a dense ARFF file whose numeric columns end in, or begin with, the class column.

    Returns
    -------
    names : tuple of str
        Of the numeric columns.
    rows : float32 array, shape (rows, len(names))
    labels : str array, shape (rows,)

    Raises
    ------
    InputError
        Another kind of ARFF.
    """
    head, _, body = text.partition("\n@DATA")
    if not body:
        head, _, body = text.partition("\n@data")
    numeric, nominal = [], []
    columns = 0
    for line in head.splitlines():
        words = line.replace("{", " {").split()
        if len(words) < 3 or words[0].lower() != "@attribute":
            continue
        if words[2].lower() in ("numeric", "real", "integer"):
            numeric.append((columns, words[1].strip("'\"")))
        else:
            nominal.append(columns)
        columns += 1
    if not body or len(nominal) != 1:
        raise InputError(
            "the data set's file is not understood",
            where=where,
            why=f"ARFF with {len(numeric)} numeric and {len(nominal)} other columns",
        )
    lines = [line for line in body.splitlines() if line.strip() and line[0] != "%"]
    cells = [line.split(",") for line in lines]
    if any(len(row) != columns for row in cells):
        raise InputError("the data set's file is damaged", where=where, why="rows differ in length")
    try:
        rows = np.array([[row[i] for i, _ in numeric] for row in cells], dtype=np.float32)
    except ValueError as error:
        raise InputError("the data set's file is damaged", where=where, why=str(error)) from error
    labels = np.array([row[nominal[0]].strip().strip("'\"") for row in cells])
    return tuple(name for _, name in numeric), rows, labels
