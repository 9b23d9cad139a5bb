"""Raw rows from the user's files."""

import numpy as np
import pytest

from nnlogic.core.errors import InputError
from nnlogic.data import read_rows


def test_npz(tmp_path):
    path = tmp_path / "rows.npz"
    np.savez(path, X=np.arange(6, dtype=np.float16).reshape(3, 2), y=np.array([0, 1, 2], np.uint8))
    x, y = read_rows(path)
    assert x.dtype == np.float32
    assert x.tolist() == [[0, 1], [2, 3], [4, 5]]
    assert y.dtype == np.int64
    assert y.tolist() == [0, 1, 2]
    np.savez(path, X=np.ones((3, 2)))
    assert read_rows(path)[1] is None


@pytest.mark.parametrize("label", ["y", "label", "class"])
def test_csv(tmp_path, label):
    path = tmp_path / "rows.csv"
    path.write_text(f"a,{label},b\n1.5,0,2\n\n-1e3,4,nan\n")
    x, y = read_rows(path)
    np.testing.assert_array_equal(x, np.array([[1.5, 2], [-1000, np.nan]], np.float32))
    assert y.tolist() == [0, 4]


def test_csv_without_labels(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("a,b\n1,2\n")
    x, y = read_rows(path)
    assert x.tolist() == [[1, 2]]
    assert y is None


def test_csv_lists_its_problems(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("a,b\n1,x\n1,2,3\n" + "?,1\n" * 20)
    with pytest.raises(InputError) as caught:
        read_rows(path)
    problems = caught.value.problems
    assert problems[0].where == "line 2"
    assert problems[0].why == "b is 'x', not a number"
    assert problems[1].why == "3 columns, the header has 2"
    assert problems[-1].why == "and 12 more"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("rows.txt", b"1", "unknown kind"),
        ("rows.csv", b"a,b\n", "need a header and rows"),
        ("rows.csv", b"a,y\n1,0.5\n", "labels must be integers"),
        ("rows.csv", b"\xff\xfe\x00", "cannot read"),
        ("rows.npz", b"PK\x03\x04 broken", "cannot read"),
        ("rows.npz", b"", "cannot read"),
    ],
)
def test_bad_files(tmp_path, name, content, words):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match=words):
        read_rows(path)


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"Z": np.ones(2)}, "need an array X, found Z"),
        ({"X": np.ones(2)}, r"X has shape \(2,\)"),
        ({"X": np.ones((0, 2))}, "at least one row"),
        ({"X": np.ones((2, 2)), "y": np.ones(3, int)}, "for 2 rows"),
        ({"X": np.array([["a"]])}, "must be numbers"),
        ({"X": np.ones((1, 1)), "y": np.array([0.5])}, "labels integers"),
    ],
)
def test_bad_arrays(tmp_path, arrays, words):
    path = tmp_path / "rows.npz"
    np.savez(path, **arrays)
    with pytest.raises(InputError, match=words):
        read_rows(path)


def test_missing_file(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_rows(tmp_path / "rows.npz")


def test_objects_are_not_unpickled(tmp_path):
    path = tmp_path / "rows.npz"
    np.savez(path, X=np.array([[object()]], dtype=object))
    with pytest.raises(InputError, match="cannot read"):
        read_rows(path)
