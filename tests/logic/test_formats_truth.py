"""Truth table files: bit order, don't-cares, and every bad line named."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnlogic.core.errors import FormatError
from nnlogic.logic.formats.truth import read_truth


def whys(data, reader=read_truth):
    with pytest.raises(FormatError) as caught:
        reader(data, "bad")
    return [(p.where, p.why) for p in caught.value.problems]


@given(st.integers(0, 6), st.integers(1, 3), st.randoms(use_true_random=False))
def test_character_i_from_the_right_is_input_combination_i(n, m, random):
    rows = [[random.choice("01-") for _ in range(1 << n)] for _ in range(m)]
    text = "\n".join("".join(reversed(row)) for row in rows)
    spec = read_truth(text.encode(), "folder/some.truth")
    assert spec.name == "some"
    assert (len(spec.inputs), spec.outputs) == (n, tuple(f"y{i}" for i in range(m)))
    assert np.array_equal(spec.content.on, np.array(rows) == "1")
    assert np.array_equal(spec.content.off, np.array(rows) == "0")


def test_every_bad_line_is_named():
    found = whys(b"# a comment\n0110\n01x0\n\n01101001\n1 1 0 0 # fine\n")
    assert found == [
        ("line 3", "character 'x' at 3, allowed are 0, 1 and -"),
        ("line 5", "8 characters, line 2 has 4"),
    ]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "no table in it"),
        (b"011\n", "3 characters, need a power of two"),
        (b"0" * (1 << 17), "a table of 17 inputs, limit 16"),
        (b"01\n\xff\xfe\n", "byte 3 is not text"),
        (b"01\n" * 140_000, "140,000 outputs, limit 131,072"),
        (
            (b"01" * (1 << 15) + b"\n") * 1025,
            "67,174,400 entries of 1,025 tables of 16 inputs, limit 67,108,864",
        ),
    ],
)
def test_files_that_are_no_tables(data, why):
    assert [w for _, w in whys(data)] == [why]
