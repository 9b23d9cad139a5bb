"""Matrices by position, named columns by name: .npz, .npy and arrays."""

import numpy as np
import pytest

from nnlogic.core.errors import InputError
from nnlogic.data import read_rows

FEATURES = ("a", "b")
POSITION = "by position: the columns have no names"
X = np.array([[1, 2], [3, 4], [5, 6]], dtype=np.float16)


def read(tmp_path, features=FEATURES, packed=False, options=None, **arrays):
    path = tmp_path / "rows.npz"
    (np.savez_compressed if packed else np.savez)(path, **arrays)
    return read_rows(path, features, **(options or {}))


@pytest.mark.parametrize("key", ["X", "x", "arr_0"])
def test_a_matrix_goes_by_position_and_says_so(tmp_path, key):
    found = read(tmp_path, packed=True, **{key: X, "y": np.array([0, 1, 2], np.uint8)})
    np.testing.assert_array_equal(found.x, X)
    assert found.matched == POSITION
    assert found.labels.tolist() == [0, 1, 2]
    assert read(tmp_path, X=X).labels is None


def test_named_columns_go_by_name(tmp_path):
    found = read(tmp_path, X=X, feature_names=np.array(["b", "a"]))
    assert found.x.tolist() == [[2, 1], [4, 3], [6, 5]]
    assert found.matched == "by name, reordered"
    found = read(tmp_path, b=X[:, 0], a=X[:, 1], label=np.array([0, 1, 1]))
    assert found.x.tolist() == [[2, 1], [4, 3], [6, 5]]
    assert found.labels.tolist() == [0, 1, 1]
    records = np.array([(1, 2.5, 0)], dtype=[("b", "i4"), ("a", "f8"), ("y", "u1")])
    np.save(tmp_path / "rows.npy", records)
    for source in (tmp_path / "rows.npy", records):
        found = read_rows(source, FEATURES)
        assert (found.x.tolist(), found.labels.tolist()) == ([[2.5, 1]], [0])


def test_features_called_x_and_y(tmp_path):
    columns = {name: np.arange(3) + i for i, name in enumerate(("z", "y", "x"))}
    found = read(tmp_path, ("x", "y", "z"), **columns)
    assert found.x[0].tolist() == [2, 1, 0]
    assert found.labels is None
    # What stands beside a matrix is none of its columns.
    found = read(tmp_path, ("x", "y"), X=X, y=np.array([0, 1, 2]))
    assert found.labels.tolist() == [0, 1, 2]


def test_labels_of_many_kinds(tmp_path):
    names = {"classes": ("no", "yes")}
    for y in (np.array([0, 1, 1]), np.array([[0], [1], [1]]), np.array([0.0, 1, 1]),
              np.array([False, True, True]), np.array(["no", "yes", "yes"]),
              np.array([b"no", b"yes", b"yes"])):  # fmt: skip
        assert read(tmp_path, X=X, y=y, options=names).labels.tolist() == [0, 1, 1]
    found = read(tmp_path, X=X, kind=np.array([1, 0, 1]), options={"label": "kind"})
    assert found.labels.tolist() == [1, 0, 1]


def test_classes_that_the_file_names(tmp_path):
    y, own = np.array([0, 1, 1]), np.array(["yes", "no"])
    found = read(tmp_path, X=X, y=y, class_names=own, options={"classes": ("no", "yes")})
    assert found.labels.tolist() == [1, 0, 0]
    assert "class names in the file" in found.labelled
    found = read(tmp_path, X=X, y=y, class_names=own, options={"classes": ("No", "Yes")})
    assert found.labels.tolist() == [0, 1, 1]
    assert "are not those of the model" in found.notices[0]


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"Z": np.ones((3, 2))}, r"need an array X.* found Z"),
        ({"X": np.ones(2)}, "need an array X"),
        ({"X": np.array(2.0)}, r"X has shape \(\)"),
        ({"X": np.ones((2, 2, 2))}, r"X has shape \(2, 2, 2\)"),
        ({"X": np.ones((0, 2))}, "at least one"),
        ({"X": np.ones((2, 0))}, "at least one"),
        ({"X": np.ones((2, 3))}, r"3 columns without names: shape \(2, 3\), need \(rows, 2\)"),
        ({"X": np.ones((2, 2)), "y": np.ones(3, int)}, "y has shape .3,. for 2 rows"),
        ({"X": np.ones((2, 2)), "y": np.eye(2)}, "argmax"),
        ({"X": np.array([["a", "b"]])}, "must be numbers"),
        ({"X": np.ones((1, 2)), "y": np.array([0.5])}, "labels must be integers"),
        ({"X": np.array([[object(), 1]], dtype=object)}, "never unpickled"),
        ({"X": np.ones((1, 2)), "y": np.array(["a"], dtype=object)}, "never unpickled"),
        ({"X": np.ones((1, 2)), "feature_names": np.array(["a", "b"], dtype=object)}, "dtype=str"),
        ({"X": np.ones((1, 2)), "feature_names": np.array(["a"])}, "1 names, X has 2 columns"),
        ({"X": np.ones((1, 2)), "feature_names": np.array([1, 2])}, "must be a list of names"),
        ({"X": np.array([[1, np.nan]])}, "b is NaN"),
        ({"X": np.array([[np.inf, 1]])}, "a is infinite"),
        ({"X": np.ones((1, 2), complex)}, "complex numbers"),
        ({"X": np.zeros((1, 2), "M8[s]")}, "of type '<M8"),
        ({"a": np.ones(2), "b": np.ones(3)}, "columns of 2, 3 rows"),
        ({"a": np.ones(0), "b": np.ones(0)}, "columns of 0 rows"),
        ({"a": np.ones(2)}, "missing"),
    ],
)
def test_arrays_that_are_no_rows(tmp_path, arrays, words):
    with pytest.raises(InputError, match=words) as caught:
        read(tmp_path, **arrays)
    assert caught.value.where == str(tmp_path / "rows.npz")


def test_archives_that_hold_no_arrays(tmp_path):
    path = tmp_path / "rows.npz"
    np.savez(path)
    with pytest.raises(InputError, match="no arrays in it"):
        read_rows(path, FEATURES)
    path.write_bytes(b"PK\x03\x04 broken")
    with pytest.raises(InputError, match="cut short or damaged"):
        read_rows(path, FEATURES)


def test_an_array_needs_no_file():
    found = read_rows(X, FEATURES)
    np.testing.assert_array_equal(found.x, X)
    assert found.matched == POSITION
    with pytest.raises(InputError, match="must be numbers"):
        read_rows(np.array([["a"]], dtype=object), ("a",))
