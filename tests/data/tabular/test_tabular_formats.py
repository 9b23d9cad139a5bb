"""A format of rows is one file, here or in a package of its own."""

import numpy as np
import pytest

from nnlogic.core import plugins
from nnlogic.core.errors import UsageError
from nnlogic.data import read_rows
from nnlogic.data.tabular import Column, TableFormat
from nnlogic.data.tabular.format import formats
from nnlogic.data.tabular.table import table_of_columns


class Lines(TableFormat):
    """``name: 1 2 3`` on each line."""

    name = "lines"

    def sniff(self, head, path):
        return path.suffix == ".lines"

    def read(self, source, wanted):
        parts = [line.split(":") for line in source.read_text().splitlines()]
        columns = [(n, Column(np.array(cells.split(), dtype=float))) for n, cells in parts]
        return table_of_columns(str(source), columns)


class Point:
    name, dist = "lines", None
    value = "somewhere:FORMAT"

    def __init__(self, load):
        self.load = load


@pytest.fixture
def installed(monkeypatch):
    def install(load):
        formats.cache_clear()
        found = {"nnlogic.tables": [Point(load)]}
        monkeypatch.setattr(plugins, "entry_points", lambda group: found.get(group, []))

    yield install
    formats.cache_clear()


def test_an_outside_format_is_found_and_matched_like_ours(installed, tmp_path):
    installed(lambda: Lines())
    (tmp_path / "rows.lines").write_text("b: 1 2\ny: 0 1\na: 3 4\n")
    found = read_rows(tmp_path / "rows.lines", ("a", "b"))
    assert found.x.tolist() == [[3, 1], [4, 2]]
    assert found.labels.tolist() == [0, 1]


def test_one_that_cannot_be_imported_is_named(installed, tmp_path):
    def broken():
        raise ImportError("no module of that name")

    (tmp_path / "rows.lines").write_text("a: 1\n")
    installed(broken)
    with pytest.raises(UsageError, match="entry point lines"):
        read_rows(tmp_path / "rows.lines", ("a",))


def test_ours():
    assert [f.name for f in formats()] == ["pandas frames", ".npy", ".npz", "Parquet", "CSV"]
    assert formats()[-1].sniff(b"any text", None)
