"""Frames of pandas, and others that have ``columns`` and give each as an array."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnlogic.data.tabular.format import TableFormat, Wanted
from nnlogic.data.tabular.table import (
    Column,
    Table,
    column_of,
    column_of_array,
    table_of_columns,
    unreadable,
)

MISSING = ("None", "nan", "NaN", "NaT", "<NA>")


class _Frame(TableFormat):
    name = "pandas frames"

    def accepts(self, source: Any) -> bool:
        return hasattr(source, "columns") and hasattr(source, "__getitem__")

    def read(self, source: Any, wanted: Wanted) -> Table:
        what = f"a {type(source).__module__.partition('.')[0]} frame"
        names = [str(name) for name in source.columns]
        if not names or not len(source):
            raise unreadable(what, f"{len(source)} rows of {len(names)} columns")
        if hasattr(source, "iloc"):  # a name may be given twice
            series = [source.iloc[:, i] for i in range(len(names))]
        else:
            series = [source[key] for key in source.columns]
        pairs = zip(names, series, strict=True)
        return table_of_columns(what, [(name, _column(one)) for name, one in pairs])


def _column(series: Any) -> Column:
    array = np.asarray(series)
    if array.ndim == 1 and array.dtype.kind in "iufb":
        return column_of_array(array)
    return column_of(["" if str(v) in MISSING else str(v) for v in array.tolist()])


FORMAT = _Frame()
