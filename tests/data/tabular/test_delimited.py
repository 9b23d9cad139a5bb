"""Text as spreadsheets, pandas and numpy write it."""

import numpy as np
import pytest

from nnlogic.core.errors import InputError
from nnlogic.data import read_rows

FEATURES = ("a", "b", "c")
PLAIN = "a,b,c,y\n1,2.5,-3e2,0\n4,5,6,1\n"
ROWS = [[1, 2.5, -300], [4, 5, 6]]


def read(tmp_path, content, features=FEATURES, name="rows.csv", **options):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_rows(path, features, **options)


@pytest.mark.parametrize(
    "content",
    [
        PLAIN,
        "\ufeff" + PLAIN,
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("\n", "\r"),
        PLAIN.removesuffix("\n"),
        "\n  \n" + PLAIN.replace("\n", "\n\n,,,\n"),
        PLAIN.replace(",", ";"),
        PLAIN.replace(",", "\t"),
        PLAIN.replace(",", " , "),
        PLAIN.replace("\n", ",\n"),
        PLAIN.encode("utf-16"),
        '"a","b","c","y"\n"1","2.5","-3e2","0"\n"4",5,6,1\n',
        "# " + PLAIN,
        "c;y;a;b\n-300;0;1;2,5\n6,0;1;4;5\n",
        "y,c,b,a\n0,-300,2.5,1\n1,6,5,4\n",
        ",a,b,c,y\n0,1,2.5,-300,0\n1,4,5,6,1\n",
    ],
)
def test_one_table_in_many_guises(tmp_path, content):
    found = read(tmp_path, content)
    np.testing.assert_array_equal(found.x, ROWS)
    assert found.labels.tolist() == [0, 1]
    assert found.labelled == "y, numbers of classes"


def test_what_was_done_is_said(tmp_path):
    assert read(tmp_path, PLAIN).matched == "by name, in order"
    assert read(tmp_path, "c,b,a\n1,2,3\n").matched == "by name, reordered"
    extra = read(tmp_path, "i,a,b,c,d\n0,1,2,3,x\n")
    assert extra.matched == "by name, in order; columns not used: 2"
    assert extra.notices == ("columns that are not used: i, d; --label NAME if one holds labels",)
    index = read(tmp_path, ",a,b,c,y\n0,1,2,3,0\n")
    assert index.notices == ("columns that are not used: (no name)",)
    assert read(tmp_path, ",a,b,c\n0,1,2,3\n").matched.endswith("columns not used: 1")
    comma = read(tmp_path, "a;b;c\n1,5;2;3\n")
    assert comma.x.tolist() == [[1.5, 2, 3]]
    assert "decimal commas" in comma.notices[0]


def test_a_decimal_comma_is_not_guessed_beside_points(tmp_path):
    with pytest.raises(InputError, match="b is '1,234', not a number"):
        read(tmp_path, "a;b;c\n1.5;1,234;3\n")


def test_names_with_separators_and_other_scripts(tmp_path):
    names = ("a, b", "größe", "温度;x")
    found = read(tmp_path, '温度;x,"a, b",gro\u0308ße\n1,2,3\n', names)
    assert found.x.tolist() == [[2, 3, 1]]
    found = read(tmp_path, '"温度;x";a, b;größe\n1;2;3\n', names)
    assert found.x.tolist() == [[2, 3, 1]]


@pytest.mark.parametrize(
    ("content", "features"),
    [
        ("1,2,3,0\n4,5,6,1\n", FEATURES),
        ("5.1,3.5,1.4,setosa\n4.9,3,1.4,setosa\n", FEATURES),
        ("0,1,2,3\n1,2,3,0\n", FEATURES),
        ("1,5,3\n1,2,3\n", ("0", "1", "2")),
        ("7\n8\n", ("a",)),
    ],
)
def test_a_header_of_numbers_is_a_lost_sample(tmp_path, content, features):
    with pytest.raises(InputError, match="the first sample would be lost") as caught:
        read(tmp_path, content, features)
    assert caught.value.problems[0].where == "line 1"
    assert f"a line of names before it: {', '.join(features)}, y" in caught.value.problems[0].fix


def test_features_may_be_called_by_numbers(tmp_path):
    found = read(tmp_path, "1,0,y\n5,6,0\n", ("0", "1"))
    assert found.x.tolist() == [[6, 5]]


def test_all_problems_at_once(tmp_path):
    content = "a,b,c,y\n1,x,3,0\n1,2,3\n1,,nan,2\n1,2,inf,zero\n" + "1,2,3,4,5\n" * 20
    with pytest.raises(InputError) as caught:
        read(tmp_path, content, classes=("no", "yes"))
    text = caught.value.text()
    assert "rows.csv" in text
    assert "line 3" in text
    assert "3 columns, the header has 4" in text
    assert "and 1" in text
    few = "a,b,c,y\n1,x,3,0\n1,,nan,zero\n"
    with pytest.raises(InputError) as caught:
        read(tmp_path, few, classes=("no", "yes"))
    found = {(p.where, p.why) for p in caught.value.problems}
    assert ("line 2", "b is 'x', not a number (2 rows in all)") in found
    assert ("line 3", "c is NaN") in found
    assert any("y holds 0, zero, first at line 2" in why for _, why in found)


@pytest.mark.parametrize(
    "cell", ["1_000", "１", "0x1f", "1,5", "1 2", "True", "--1", "1e", ".", "e5"]
)
def test_what_looks_like_a_number_to_a_program_only(tmp_path, cell):
    with pytest.raises(InputError, match="not a number"):
        read(tmp_path, f'a,b,c\n1,"{cell}",3\n')


def test_lines_are_counted_as_an_editor_does(tmp_path):
    with pytest.raises(InputError) as caught:
        read(tmp_path, '"a",b,"c\n"\n1,2,3\n\n1,x,3\n')
    assert caught.value.problems[0].where == "line 5"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file is empty"),
        (b"\n\n  \n", "every line is blank"),
        (b"\xef\xbb\xbf", "every line is blank"),
        (b"a,b,c\n", "a line of names and no rows"),
        (b"a,b,c\n1,2\n", "2 columns, the header has 3"),
        (b"a,b,c\n1,2,\xff\n", "not text in UTF-8, from byte 10 on"),
        (b"\xff\xfea", "not text in UTF-16"),
        (b"a,b,c\n1,2,3\0\n", "binary"),
        (b'a,b,c\n1,"2,3\n', "quotes or line ends do not fit"),
        (b'a,b,c\n1,"2"2,3\n', "quotes or line ends do not fit"),
        (b"a,b,c\n1,2," + b"3" * 200_000, "quotes or line ends do not fit"),
        (bytes(range(256)) * 20, "binary, and none of"),
        (b"\x1f\x8b\x08", "packed with gzip"),
        (b"\x89HDF\r\n\x1a\n", "HDF5"),
        (b"PK\x03\x04xl/workbook.xml", "Excel workbook"),
        (b"\x80\x04\x95\0", "pickle"),
        (b"%PDF-1.7\n", "a PDF"),
    ],
)
def test_files_that_are_no_rows(tmp_path, content, words):
    with pytest.raises(InputError, match=words) as caught:
        read(tmp_path, content)
    assert caught.value.where.endswith("rows.csv")
    assert caught.value.exit_code == 3


def test_other_things_than_files(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_rows(tmp_path / "absent.csv", FEATURES)
    with pytest.raises(InputError, match="not a regular file"):
        read_rows(tmp_path, FEATURES)
    with pytest.raises(InputError, match="not a regular file"):
        read_rows("/dev/zero", FEATURES)
    with pytest.raises(InputError, match="neither a path"):
        read_rows(3, FEATURES)


def test_a_wide_cell_does_not_widen_its_column(tmp_path):
    rows = "".join(f"1,2,3,{'n' * 100_000 if i == 5 else 'n'}\n" for i in range(20_000))
    found = read(tmp_path, "a,b,c,note\n" + rows)
    assert found.x.shape == (20_000, 3)
