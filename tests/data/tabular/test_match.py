"""Columns are matched by name, and what is a label is never a feature."""

import numpy as np
import pytest

from nnlogic.core.errors import InputError
from nnlogic.data import read_rows

FEATURES = ("a", "b", "c")


def read(tmp_path, text, features=FEATURES, **options):
    path = tmp_path / "rows.csv"
    path.write_text(text)
    return read_rows(path, features, **options)


def problems(tmp_path, text, features=FEATURES, **options):
    with pytest.raises(InputError) as caught:
        read(tmp_path, text, features, **options)
    assert caught.value.where == str(tmp_path / "rows.csv")
    return {p.where: p for p in caught.value.problems}


def test_a_mismatch_shows_both_lists(tmp_path):
    found = problems(tmp_path, "a,B,d,y\n1,2,3,0\n")
    assert found["missing"].why == "2 of 3: b, c"
    assert found["missing"].fix == "rename B to b"
    assert found["the model"].why == "3 features: a, b, c"
    assert found["the file"].why == "4 columns: a, B, d, y"
    assert "names of the model" in found["the file"].fix


def test_a_feature_given_twice(tmp_path):
    found = problems(tmp_path, "a,b,c,b\n1,2,3,4\n")
    assert found["given twice"].why == "b"
    assert read(tmp_path, "a,b,c,z,z\n1,2,3,4,5\n").x.tolist() == [[1, 2, 3]]
    assert "missing" in problems(tmp_path, "a,a\n1,2\n")
    found = problems(tmp_path, "a,b,c,y,y\n1,2,3,4,5\n")
    assert "y, y could each be the label" in found["labels"].why


def test_many_names_are_shortened(tmp_path):
    features = tuple(f"f{i}" for i in range(1000))
    found = problems(tmp_path, "a,b\n1,2\n", features)
    assert len(found["the model"].why) < 300
    assert "(1000 in all)" in found["the model"].why


def test_a_model_whose_names_are_not_unique(tmp_path):
    assert read(tmp_path, "a,a,b\n1,2,3\n", ("a", "a", "b")).x.tolist() == [[1, 2, 3]]
    found = problems(tmp_path, "b,a,a\n1,2,3\n", ("a", "a", "b"))
    assert "several features" in found["unclear"].why


def test_a_feature_is_never_the_label(tmp_path):
    found = read(tmp_path, "x,y,label\n1,2,0\n", ("x", "y"))
    assert found.x.tolist() == [[1, 2]]
    assert found.labels.tolist() == [0]
    assert read(tmp_path, "x,y\n1,2\n", ("y", "x")).labels is None
    found = problems(tmp_path, "x,y\n1,2\n", ("x", "y"), label="y")
    assert "never the label" in found["--label y"].why


def test_the_label_that_is_named(tmp_path):
    text = "a,b,c,kind,y\n1,2,3,1,0.5\n"
    assert read(tmp_path, text, label="kind").labels.tolist() == [1]
    assert "no such column; the file has a, b, c, kind, y" in (
        problems(tmp_path, text, label="sort")["--label sort"].why
    )
    assert "0.5" in problems(tmp_path, text)["line 2"].why


@pytest.mark.parametrize("name", ["y", "label", "class", "target", "Label", "CLASS", "cls"])
def test_labels_that_are_found(tmp_path, name):
    found = read(tmp_path, f"a,{name},b,c\n1,2,3,4\n", port="cls")
    assert found.labels.tolist() == [2]
    assert found.x.tolist() == [[1, 3, 4]]


def test_several_labels_are_not_guessed(tmp_path):
    found = problems(tmp_path, "a,b,c,y,class\n1,2,3,0,0\n")
    assert found["labels"].why == "y, class could each be the label"
    assert "--label" in found["labels"].fix


CLASSES = ("setosa", "versicolor", "virginica")


def labelled(tmp_path, cells, classes=CLASSES, **options):
    rows = "".join(f"1,2,3,{cell}\n" for cell in cells)
    return read(tmp_path, "a,b,c,y\n" + rows, classes=classes, **options)


def test_text_labels_are_class_names(tmp_path):
    found = labelled(tmp_path, ["virginica", " setosa ", '"versicolor"'])
    assert found.labels.tolist() == [2, 0, 1]
    assert found.labelled == "y, by 3 class names"
    numbered = labelled(tmp_path, ["2", "0", "1.0"])
    assert numbered.labels.tolist() == [2, 0, 1]
    assert numbered.labelled == "y, numbers of classes"


def test_class_names_that_are_numbers(tmp_path):
    found = labelled(tmp_path, ["7", "3"], ("3", "5", "7"))
    assert (found.labels.tolist(), found.labelled) == ([2, 0], "y, by 3 class names")
    found = labelled(tmp_path, ["2", "0"], ("0", "1", "2"))
    assert (found.labels.tolist(), found.labelled) == ([2, 0], "y, numbers of classes")
    found = labelled(tmp_path, ["2", "1"], ("1", "2", "3"))
    assert (found.labels.tolist(), found.labelled) == ([1, 0], "y, by 3 class names")


@pytest.mark.parametrize(
    ("cells", "classes", "words"),
    [
        (["setosa", "rose", "rose", ""], CLASSES, "y holds rose, an empty cell, first at line 3"),
        (["0", "3", "-1"], CLASSES, r"y is 3, outside 0..2 \(2 rows in all\); classes are setosa"),
        (["rose"], (), "no class names that text could stand for"),
        (["0.5"], CLASSES, "labels must be integers or class names"),
        (["1e30"], (), "labels must be integers"),
        (["nan"], (), "labels must be integers"),
        (["0", ""], (), "y is empty"),
        (["-1"], (), "outside 0..0"),
    ],
)
def test_labels_that_are_none(tmp_path, cells, classes, words):
    with pytest.raises(InputError, match=words):
        labelled(tmp_path, cells, classes)


def test_labels_of_a_network_without_class_names(tmp_path):
    assert labelled(tmp_path, ["4", "0"], ()).labels.tolist() == [4, 0]
    assert labelled(tmp_path, ["3", "0"], (), most=4).labels.tolist() == [3, 0]
    with pytest.raises(InputError, match=r"outside 0\.\.3"):
        labelled(tmp_path, ["4"], (), most=4)


def test_integers_stay_exact(tmp_path):
    big = 2**61 + 1
    np.save(tmp_path / "x.npy", np.array([[big]]))
    assert read_rows(tmp_path / "x.npy", ("a",)).x[0, 0] == big
