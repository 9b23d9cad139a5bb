"""CSV and its kin: text in UTF-8 or UTF-16, separated by commas, semicolons or tabs."""

from __future__ import annotations

import codecs
import csv
import io
import re
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from nnlogic.core.errors import InputError, Problem
from nnlogic.data.tabular.format import LABELS, TableFormat, Wanted
from nnlogic.data.tabular.table import Table, is_number, listed, shortened, unreadable

SEPARATORS = (",", ";", "\t")
_WORDS = {",": "commas", ";": "semicolons", "\t": "tabs"}
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_CONTROL = bytes(set(range(32)) - set(b"\t\n\r\f"))
_COMMA = re.compile(r"\s*[+-]?\d*,\d+([eE][+-]?\d+)?\s*")
_POINT = re.compile(r"\d\.\d")


class _Delimited(TableFormat):
    name = "CSV"
    order = 9  # takes any text

    def sniff(self, head: bytes, path: Path) -> bool:
        text = head.startswith(_UTF16) or not set(head) & set(_CONTROL)
        return text and not head.startswith(b"%PDF")

    def read(self, source: Path, wanted: Wanted) -> Table:
        text = _decoded(source)
        separator = _separator(text, wanted)
        try:
            return _table(source, text, separator, wanted)
        except csv.Error as error:
            raise unreadable(source, f"quotes or line ends do not fit: {error}") from error


def _decoded(source: Path) -> str:
    data = source.read_bytes()
    if data.startswith(_UTF16):
        encoding, name = "utf-16", "UTF-16"
    else:
        encoding, name = "utf-8-sig", "UTF-8"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise unreadable(
            source, f"not text in {name}, from byte {error.start} on",
            "iconv -f latin1 -t utf-8 FILE, if it comes from an older program",
        ) from error  # fmt: skip
    if "\0" in text:
        raise unreadable(source, "binary: it holds null characters")
    return text


def _separator(text: str, wanted: Wanted) -> str:
    """Return what splits the first line into most names that are wanted, then into most parts."""
    first = next((line for line in text.splitlines() if line.strip()), "")

    def score(separator: str) -> tuple[int, int]:
        names = [cell.strip().strip('"') for cell in first.split(separator)]
        return sum(n in (wanted.features or ()) for n in names), len(names)

    return max(SEPARATORS, key=score)


def _table(source: Path, text: str, separator: str, wanted: Wanted) -> Table:
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True, strict=True
    )
    lines = (line for line in reader if any(cell.strip() for cell in line))
    header = next(lines, None)
    if header is None:
        raise unreadable(source, "no names and no rows: every line is blank")
    names = _names(header, wanted)
    cells = _Cells(len(names), "," if separator != "," and not _POINT.search(text) else "")
    # Nothing but digits, points and the like is left to `float`, which takes more than numbers.
    plain = text.isascii() and "_" not in text[reader.line_num :]
    for line in lines:
        cells.add(line, reader.line_num, plain)
    lost = list(_header_problems(header, names, wanted))
    if lost or (cells.problems and not cells.lines):
        problems = shortened([*lost, *cells.problems])
        raise InputError("cannot read the rows", where=str(source), problems=problems)
    if not cells.lines:
        raise unreadable(source, "a line of names and no rows")
    return _trimmed(Table(
        str(source), names, cells.values(), cells.texts,
        lines=np.array(cells.lines, dtype=np.int64), problems=tuple(cells.problems),
        notices=cells.notices(_WORDS[separator]),
    ))  # fmt: skip


class _Cells:
    """Cells of the lines so far: numbers, and the text of those that are none."""

    def __init__(self, width: int, comma: str) -> None:
        self.width, self.comma = width, comma
        self.numbers = array("d")
        self.texts: dict[int, dict[int, str]] = {}
        self.lines: list[int] = []
        self.problems: list[Problem] = []
        self.commas = 0

    def add(self, line: Sequence[str], number: int, plain: bool) -> None:
        """Add a line; one of another length is a problem."""
        if len(line) != self.width:
            why = f"{len(line)} columns, the header has {self.width}"
            self.problems.append(Problem(f"line {number}", why))
            return
        row = len(self.lines)
        self.lines.append(number)
        if plain:
            try:
                self.numbers.extend(array("d", map(float, line)))
            except ValueError:
                pass
            else:
                return
        self.numbers.extend(array("d", self._slowly(row, line)))

    def _slowly(self, row: int, line: Sequence[str]) -> Iterator[float]:
        for column, cell in enumerate(line):
            if is_number(cell):
                yield float(cell)
            elif self.comma and _COMMA.fullmatch(cell):
                self.commas += 1
                yield float(cell.replace(",", "."))
            else:
                self.texts.setdefault(column, {})[row] = cell.strip()
                yield float("nan")

    def values(self) -> np.ndarray:
        """Return the numbers, shape (rows, columns)."""
        return np.frombuffer(self.numbers, np.float64).reshape(-1, self.width)

    def notices(self, separated: str) -> tuple[str, ...]:
        """Return what was taken for something else than usual."""
        if not self.commas:
            return ()
        return (f"numbers are read with decimal commas, columns are separated by {separated}",)


def _names(header: Sequence[str], wanted: Wanted) -> tuple[str, ...]:
    """Return the names in the first line; numpy.savetxt puts ``#`` before them."""
    names = [name.strip() for name in header]
    bare = names[0].lstrip("# ")
    known = bare in (wanted.features or ()) or wanted.is_label(bare)
    if names[0].startswith("#") and names[0] not in (wanted.features or ()) and known:
        names[0] = bare
    return tuple(names)


def _header_problems(
    header: Sequence[str], names: Sequence[str], wanted: Wanted
) -> Iterator[Problem]:
    features = wanted.features or ()
    strange = [n for n in names if is_number(n) and n not in features]
    if strange and 2 * len(strange) >= len(names) and not set(features) <= set(names):
        line = listed(features or [f"f{i}" for i in range(len(header) - 1)])
        yield Problem(
            "line 1",
            f"holds numbers where names are needed ({listed(header)}): "
            "as a header, the first sample would be lost",
            f"put a line of names before it: {line}, {LABELS[0]}",
        )


def _trimmed(table: Table) -> Table:
    """Return the table without a last column that has neither name nor cells."""
    names = table.names or ()
    last = len(names) - 1
    empty = table.texts.get(last, {})
    if last < 1 or names[last] or len(empty) < len(table.values) or any(empty.values()):
        return table
    texts = {column: found for column, found in table.texts.items() if column != last}
    return Table(
        table.source, names[:-1], table.values[:, :-1], texts, lines=table.lines,
        problems=table.problems, notices=table.notices,
    )  # fmt: skip


FORMAT = _Delimited()
