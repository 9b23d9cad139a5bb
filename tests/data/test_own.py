"""Tables of users: split by class, and everything unfit refused by name."""

import numpy as np
import pytest

from nnlogic.core.errors import InputError
from nnlogic.data.own import Choices, load_own

KIND = Choices("kind")


def table(path, rows=60, header="a,b,kind", line="{i},{j},{k}", extra=()):
    lines = [line.format(i=i, j=(i * 7) % 11, k=("no", "yes")[i % 2]) for i in range(rows)]
    path.write_text("\n".join([header, *lines, *extra]) + "\n")
    return path


def refused(path, choices=KIND):
    with pytest.raises(InputError) as caught:
        load_own(path, choices)
    return str(caught.value)


def test_names_classes_and_provenance_are_the_users(tmp_path):
    data = load_own(table(tmp_path / "mine.csv"), KIND)
    assert (data.name, data.feature_names, data.class_names) == ("mine", ("a", "b"), ("no", "yes"))
    assert "mine.csv (SHA-256 " in data.provenance
    assert str(tmp_path) not in data.provenance
    assert "60 rows used" in data.provenance


def test_parts_share_no_row_and_hold_every_class(tmp_path):
    data = load_own(table(tmp_path / "mine.csv"), KIND)
    parts = [data.x_train[:, 0], data.x_val[:, 0], data.x_test[:, 0]]
    assert sorted(np.concatenate(parts).tolist()) == list(range(60))
    for y in (data.y_train, data.y_val, data.y_test):
        assert np.bincount(y).tolist() == [len(y) // 2] * 2
    again = load_own(tmp_path / "mine.csv", KIND)
    assert again.digest == data.digest
    assert (again.x_test == data.x_test).all()


def test_labels_follow_their_rows(tmp_path):
    data = load_own(table(tmp_path / "mine.csv"), KIND)
    for x, y in (
        (data.x_train, data.y_train),
        (data.x_val, data.y_val),
        (data.x_test, data.y_test),
    ):
        assert (x[:, 0] % 2 == y).all()


def test_numbers_as_classes_are_sorted_by_value(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("a,y\n" + "".join(f"{i},{(10, 9, -1)[i % 3]}\n" for i in range(30)))
    assert load_own(path).class_names == ("-1", "9", "10")


def test_npz_keeps_the_names_it_has(tmp_path):
    x = np.arange(40.0).reshape(20, 2)
    names = {"feature_names": ["u", "v"], "class_names": ["lo", "hi"]}
    np.savez(tmp_path / "mine.npz", X=x, y=np.arange(20) % 2, **names)
    data = load_own(tmp_path / "mine.npz")
    assert (data.feature_names, data.class_names) == (("u", "v"), ("lo", "hi"))


def test_test_rows_from_a_file_of_their_own(tmp_path):
    test = table(tmp_path / "later.csv", rows=8, header="b,a,kind", line="{j},{i},{k}")
    data = load_own(table(tmp_path / "mine.csv"), Choices("kind", test))
    assert data.x_test[:, 0].tolist() == list(range(8))
    assert len(data.y_train) + len(data.y_val) == 60
    assert "8 test rows from later.csv" in data.provenance


def test_what_tells_nothing_is_left_out_and_told_of(tmp_path):
    path = table(tmp_path / "m.csv", header=",a,c,b,kind", line="{i},{j},5,{i},{k}")
    data = load_own(path, KIND)
    assert data.feature_names == ("a", "b")
    assert any("one value" in n and "c" in n for n in data.notices)
    assert any("numbers the rows" in n for n in data.notices)
    assert all(notice in data.provenance for notice in data.notices)
    assert load_own(path, Choices("kind", drop=("b",))).feature_names == ("a",)


def test_a_feature_that_rises_from_row_to_row_is_told_of(tmp_path):
    path = table(tmp_path / "m.csv", header="id,b,kind", line="{i},{j},{k}")
    data = load_own(path, KIND)
    assert data.feature_names == ("id", "b")
    risen = [notice for notice in data.notices if "rises from row to row" in notice]
    assert [notice.split()[0] for notice in risen] == ["id"]
    assert "--drop id" in risen[0]
    left = load_own(path, Choices("kind", drop=("id",)))
    assert not any("rises" in notice for notice in left.notices)


def test_missing_values_are_refused_or_their_rows_left_out(tmp_path):
    path = table(tmp_path / "m.csv", extra=["1,,yes", ",2,no", "3,inf,no"])
    said = refused(path)
    assert "b is missing at line 62 (2 rows in all)" in said
    assert "--missing drop leaves 60 of 63 rows" in said
    data = load_own(path, Choices("kind", missing="drop"))
    assert "3 of 63 rows left out for missing values" in data.provenance
    assert len(data.y_train) + len(data.y_val) + len(data.y_test) == 60


@pytest.mark.parametrize(
    ("make", "choices", "said"),
    [
        ({}, Choices(), "--label NAME"),
        ({}, Choices("sort"), "no such column"),
        ({"line": "red{i},{j},{k}"}, KIND, "a is text with 60 different values"),
        ({"extra": ["1,2,rare"]}, KIND, "rare has 1"),
        ({"extra": ["1,2,"]}, KIND, "kind is empty at line 62"),
        ({"line": "{i},{j},one"}, KIND, "nothing to tell apart"),
        ({"line": "{i},{j},{i}.5"}, KIND, "quantities, not classes"),
        ({"header": "a,a,kind"}, KIND, "given twice: a"),
        ({"header": ",b,kind", "line": "{j},{i},{k}"}, KIND, "column 1 has no name"),
        ({"extra": ["1,2"]}, KIND, "line 62"),
        ({"line": "1,1,{k}"}, KIND, "no column is left"),
        ({}, Choices("kind", drop=("z",)), "no such column: z"),
        ({}, Choices("kind", drop=("kind",)), "kind is the label"),
    ],
)
def test_what_is_unfit_is_refused_by_name(tmp_path, make, choices, said):
    assert said in refused(table(tmp_path / "mine.csv", **make), choices)


NUMBERS = Choices("kind", quantities=True)


def numbers(path, rows=60, **how):
    return table(path, rows, **{"line": "{i},{j},{i}.5", **how})


def test_quantities_follow_their_rows(tmp_path):
    data = load_own(numbers(tmp_path / "mine.csv"), NUMBERS)
    assert (data.targets, data.class_names, data.feature_names) == (("kind",), (), ("a", "b"))
    for x, y in (
        (data.x_train, data.y_train),
        (data.x_val, data.y_val),
        (data.x_test, data.y_test),
    ):
        np.testing.assert_array_equal(y, x[:, :1] + 0.5)
    parts = [data.x_train, data.x_val, data.x_test]
    assert sorted(np.concatenate(parts)[:, 0].tolist()) == list(range(60))


def test_several_quantities_and_test_rows_of_a_file(tmp_path):
    how = {"header": "a,b,u,v", "line": "{i},{j},{i}.5,-{j}"}
    path, test = (numbers(tmp_path / n, **how) for n in ("mine.csv", "test.csv"))
    data = load_own(path, Choices(test=test, quantities=True, targets=("v", "u")))
    assert (data.targets, data.feature_names, len(data.y_test)) == (("v", "u"), ("a", "b"), 60)
    np.testing.assert_array_equal(data.y_test, data.x_test[:, ::-1] * [-1, 1] + [0, 0.5])


@pytest.mark.parametrize(
    ("how", "choices", "words"),
    [
        ({"rows": 5}, NUMBERS, ["5 rows, at least 10"]),
        ({"extra": ["1,2,many"]}, NUMBERS, ["'many', not a number", "line 62"]),
        ({"extra": ["1,2,"]}, NUMBERS, ["kind is empty"]),
        ({"line": "{i},{j},7"}, NUMBERS, ["kind is 7 in every row"]),
        ({}, Choices(quantities=True, targets=("kind", "no")), ["no such column"]),
        ({}, KIND, ["--task regression", 'task = "regression"']),
    ],
)
def test_quantities_that_cannot_be_learned_are_refused(how, choices, words, tmp_path):
    said = refused(numbers(tmp_path / "mine.csv", **how), choices)
    assert [word for word in words if word not in said] == []
