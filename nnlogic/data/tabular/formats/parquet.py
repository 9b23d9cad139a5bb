"""Parquet files, where pyarrow is installed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nnlogic.core.arrays import ENTRIES_PER_BYTE, LEAST_ENTRIES
from nnlogic.core.errors import ToolNotFound
from nnlogic.data.tabular.format import TableFormat, Wanted
from nnlogic.data.tabular.table import Column, Table, column_of_array, table_of_columns, unreadable


class _Parquet(TableFormat):
    name = "Parquet"

    def sniff(self, head: bytes, path: Path) -> bool:
        return head.startswith(b"PAR1")

    def read(self, source: Path, wanted: Wanted) -> Table:
        try:
            import pyarrow
            from pyarrow import parquet
        except ImportError as error:
            raise ToolNotFound(
                "pyarrow is needed to read Parquet, and not installed", where=str(source),
                fix="pip install 'nnlogic[tabular]', or save the rows as CSV",
            ) from error  # fmt: skip
        try:
            with parquet.ParquetFile(source) as file:
                rows, names = file.metadata.num_rows, file.schema_arrow.names
                most = max(LEAST_ENTRIES, ENTRIES_PER_BYTE * source.stat().st_size)
                if not rows or not names or rows * len(names) > most:
                    raise unreadable(
                        source, f"it claims {rows:,} rows of {len(names):,} columns; a file of "
                        f"{source.stat().st_size:,} bytes may hold {most:,} entries",
                    )  # fmt: skip
                found = file.read(use_threads=False)
        except (pyarrow.ArrowException, OSError, ValueError) as error:
            raise unreadable(source, f"damaged Parquet: {error}"[:300]) from error
        columns = zip(names, found.columns, strict=True)
        return table_of_columns(str(source), [(n, _column(c, pyarrow)) for n, c in columns])


def _column(column: object, pyarrow: object) -> Column:
    kind = column.type  # type: ignore[attr-defined]
    types = pyarrow.types  # type: ignore[attr-defined]
    if types.is_integer(kind) and not column.null_count:  # type: ignore[attr-defined]
        return column_of_array(np.asarray(column.to_numpy()))  # type: ignore[attr-defined]
    if types.is_integer(kind) or types.is_floating(kind):
        numbers = column.cast(pyarrow.float64())  # type: ignore[attr-defined]
        return Column(np.asarray(numbers.to_numpy(), dtype=np.float64))
    if types.is_boolean(kind) and not column.null_count:  # type: ignore[attr-defined]
        return column_of_array(np.asarray(column.to_numpy()).astype(np.uint8))  # type: ignore[attr-defined]
    return column_of_array(np.array(column.to_pylist(), dtype=object))  # type: ignore[attr-defined]


FORMAT = _Parquet()
