"""Frames of pandas and files of Parquet."""

import sys

import numpy as np
import pandas
import pyarrow
import pytest
from pyarrow import parquet

from nnlogic.core.errors import InputError, ToolNotFound
from nnlogic.data import read_rows

FEATURES = ("a", "b")
FRAME = pandas.DataFrame({"b": [1, 2], "a": [0.5, -1.5], "kind": ["yes", "no"]}, index=[7, 9])


@pytest.fixture(params=["frame", "parquet"])
def source(request, tmp_path):
    def make(frame):
        if request.param == "frame":
            return frame
        parquet.write_table(pyarrow.Table.from_pandas(frame), tmp_path / "rows.parquet")
        return tmp_path / "rows.parquet"

    return make


def test_columns_go_by_name(source):
    found = read_rows(source(FRAME), FEATURES, label="kind", classes=("no", "yes"))
    assert found.x.tolist() == [[0.5, 1], [-1.5, 2]]
    assert found.labels.tolist() == [1, 0]
    assert found.matched.startswith("by name, reordered")


def test_types_of_pandas(source):
    frame = pandas.DataFrame(
        {
            "a": pandas.array([1, 2], dtype="Int64"),
            "b": [True, False],
            "y": pandas.Categorical(["p", "q"]),
            "when": pandas.to_datetime(["2020-01-01", None]),
        }
    )
    found = read_rows(source(frame), FEATURES, classes=("q", "p"))
    assert found.x.tolist() == [[1, 1], [2, 0]]
    assert found.labels.tolist() == [1, 0]
    assert "when" in found.notices[0]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"a": [0.5, np.nan]}, "a is NaN"),
        ({"a": pandas.array([1, None], dtype="Int64")}, "a is (NaN|empty)"),
        ({"a": ["1", "x"]}, "row 1 +a is 'x', not a number"),
        ({"a": pandas.to_datetime(["2020-01-01", "2020-01-02"])}, "not a number"),
        ({"kind": ["yes", None]}, "kind holds an empty cell"),
        ({"kind": ["yes", "perhaps"]}, "kind holds perhaps"),
    ],
)
def test_cells_that_are_wrong(source, change, words):
    with pytest.raises(InputError, match=words):
        read_rows(source(FRAME.assign(**change)), FEATURES, label="kind", classes=("no", "yes"))


def test_names_that_are_wrong(source):
    with pytest.raises(InputError, match="2 of 3: c, d"):
        read_rows(source(FRAME), ("a", "c", "d"))
    twice = pandas.DataFrame([[1, 2, 3]], columns=["a", "b", "b"])
    with pytest.raises(InputError, match="given twice"):
        read_rows(twice, FEATURES)
    others = pandas.DataFrame([[1, 2, 3, 4]], columns=["a", "z", "z", "b"])
    assert read_rows(others, FEATURES).x.tolist() == [[1, 4]]
    with pytest.raises(InputError, match="rows of"):
        read_rows(FRAME[:0], FEATURES)


def test_damaged_parquet(tmp_path):
    path = tmp_path / "rows.parquet"
    FRAME.to_parquet(path)
    data = path.read_bytes()
    for cut in (5, len(data) // 2, len(data) - 2):
        path.write_bytes(data[:cut])
        with pytest.raises(InputError, match="damaged Parquet") as caught:
            read_rows(path, FEATURES)
        assert caught.value.where == str(path)


def test_a_library_that_is_not_installed_is_named(tmp_path, monkeypatch):
    path = tmp_path / "rows.parquet"
    FRAME.to_parquet(path)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ToolNotFound, match="pip install 'nnlogic\\[tabular\\]'"):
        read_rows(path, FEATURES)
