"""Tables whose columns are a map."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from nnlogic.core.errors import InputError, UsageError
from nnlogic.data.maps import parse_shape, shape_problem
from nnlogic.data.own import Choices, load_own


def table(path, columns, rows=60):
    rng = np.random.default_rng(0)
    x = rng.integers(0, 4, (rows, len(columns)))
    x[:, 0] = 0  # a corner that is always empty
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow([*columns, "y"])
        out.writerows([*row, "ab"[i % 2]] for i, row in enumerate(x.tolist()))
    return x


@pytest.mark.parametrize(
    ("text", "shape"),
    [("28x28", (28, 28)), ("64x1", (1, 64)), ("1x64", (1, 64)), ("3x32x32", (3, 32, 32)),
     ("1x8x8", (8, 8)), (" 2X5x1 ", (2, 1, 5))],
)  # fmt: skip
def test_shapes_as_users_write_them(text, shape):
    assert parse_shape(text) == shape


@pytest.mark.parametrize("text", ["28", "0x4", "4x-1", "2x2x2x2", "28by28", "x", "1e3x2"])
def test_what_is_no_shape_is_refused(text):
    with pytest.raises(UsageError, match="no shape of a map"):
        parse_shape(text)


def test_a_shape_that_disagrees_is_told_with_numbers_and_what_fits(tmp_path):
    table(tmp_path / "t.csv", [f"p{i}" for i in range(12)])
    with pytest.raises(InputError) as caught:
        load_own(tmp_path / "t.csv", Choices("y", shape=(4, 4)))
    text = caught.value.text()
    assert "4x4 = 16 places, but there are 12 columns beside the label, 4 fewer" in text
    assert "3x4, 2x6, 1x12" in text
    assert shape_problem(12, (2, 2, 3)) == ""


def test_columns_of_one_value_stay_in_a_map(tmp_path):
    x = table(tmp_path / "t.csv", [f"p{i}" for i in range(12)])
    data = load_own(tmp_path / "t.csv", Choices("y", shape=(3, 4)))
    assert len(data.feature_names) == 12
    assert len(load_own(tmp_path / "t.csv", Choices("y")).feature_names) == 11
    assert {tuple(row) for row in data.x_train.astype(int)} <= {tuple(row) for row in x}


def test_channels_of_a_place_stand_together_and_keep_their_names(tmp_path):
    columns = [f"{c}{i}" for c in "rg" for i in range(6)]
    x = table(tmp_path / "t.csv", columns)
    data = load_own(tmp_path / "t.csv", Choices("y", shape=(2, 2, 3)))
    assert data.feature_names[:4] == ("r0", "g0", "r1", "g1")
    order = [columns.index(name) for name in data.feature_names]
    assert {tuple(row) for row in data.x_train.astype(int)} <= {tuple(row) for row in x[:, order]}


def test_channels_without_names_cannot_be_put_together(tmp_path):
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "t.npz", X=rng.integers(0, 4, (60, 12)), y=np.arange(60) % 2)
    with pytest.raises(InputError, match="without names"):
        load_own(tmp_path / "t.npz", Choices(shape=(2, 2, 3)))
    assert len(load_own(tmp_path / "t.npz", Choices(shape=(3, 4))).feature_names) == 12
