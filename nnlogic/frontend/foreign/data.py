"""Data sets."""

import re

from nnlogic.frontend.foreign.kind import Kind
from nnlogic.frontend.look import Look

ROWS = (
    "rows of a data set go to --rows: nnlogic compile MODEL -o RUN --rows FILE; to train on them: "
    "nnlogic train FILE --label NAME -o OUT"
)
CONVERT = "as rows of a data set, save it as CSV or .npz and give it to --rows"
_SPARSE = re.compile(r"[-+]?\d+(\.\d+)?( \d+:[-+.\deE]+)+\s")
_CELL = re.compile(r'\s*("[^"]*"|[-+.\w]*)\s*')


def _table(file: Look) -> bool:
    whole = file.text[: file.text.rfind("\n") + 1]
    lines = [line for line in whole.splitlines() if line.strip()][:20]
    for separator in (",", ";", "\t"):
        cells = [line.split(separator) for line in lines]
        widths = {len(row) for row in cells}
        if len(lines) > 1 and len(widths) == 1 and widths != {1}:
            return all(_CELL.fullmatch(cell) for row in cells for cell in row)
    return False


KINDS = (
    Kind("NumPy arrays", f"{ROWS}; arrays of weights say nothing of the network",
         (b"\x93NUMPY",), (".npy", ".npz"),
         look=lambda file: bool(file.members) and all(n.endswith(".npy") for n in file.members)),
    Kind("a table of rows", ROWS, suffixes=(".csv", ".tsv"), look=_table, general=1),
    Kind("an ARFF data set", CONVERT, suffixes=(".arff",),
         look=lambda file: re.search(r"^@relation\b", file.text, re.I | re.M) is not None),
    Kind("a Parquet table", CONVERT, (b"PAR1",), (".parquet",)),
    Kind("an Arrow or Feather table", CONVERT, (b"ARROW1", b"FEA1"), (".feather", ".arrow")),
    Kind("a spreadsheet", CONVERT, suffixes=(".xlsx", ".xls", ".ods"),
         look=lambda file: any(n.startswith("xl/") for n in file.members)),
    Kind("a MATLAB file", CONVERT, (b"MATLAB 5.0 MAT-file",), (".mat",)),
    Kind("an SQLite database", CONVERT, (b"SQLite format 3\0",), (".sqlite", ".db")),
    Kind("an IDX file, as MNIST has", CONVERT,
         look=lambda file: re.match(rb"\0\0[\x08\x0b-\x0e][\1-\4]\0\0", file.head) is not None),
    Kind("a LIBSVM data set", CONVERT, suffixes=(".libsvm", ".svm"),
         look=lambda file: _SPARSE.match(file.text) is not None),
)  # fmt: skip
