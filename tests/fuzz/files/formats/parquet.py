"""Rows in Parquet."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from .. import texts
from ..kit import made
from .rows import rows, rows_format


def make(folder: Path) -> None:
    """Write the rows with numbers, whole numbers, a gap, texts and truth values among them."""
    import pyarrow
    from pyarrow import parquet

    names, x, y = rows()
    columns = {name: x[:, i] for i, name in enumerate(names)}
    columns["f1"] = [None, *x[1:, 1].tolist()]
    columns["f2"] = np.arange(len(x), dtype=np.int8)
    columns["f3"] = x[:, 3] > 0
    named = pyarrow.table({**columns, "label": y})
    texts = pyarrow.table({**columns, "label": [f"class {label}" for label in y]})
    parquet.write_table(named, folder / "rows.parquet", compression="none")
    parquet.write_table(texts, folder / "packed.parquet", compression="gzip")


FORMATS = (
    replace(rows_format(".parquet", made("rows.parquet", "packed.parquet"), texts.RAW), make=make),
)
