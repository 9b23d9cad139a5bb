"""PLA files: the meaning of every type against a slow reading of its definition."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnlogic.core.errors import FormatError
from nnlogic.logic.cone import input_patterns
from nnlogic.logic.formats.pla import TYPES, read_pla


def whys(text):
    with pytest.raises(FormatError) as caught:
        read_pla(text.encode(), "bad.pla")
    return [(p.where, p.why) for p in caught.value.problems]


def meaning(kind, n, m, cubes):
    """Apply the definition of the types, one input combination and output at a time."""
    on, off = np.zeros((m, 1 << n), bool), np.zeros((m, 1 << n), bool)
    for index, o in itertools.product(range(1 << n), range(m)):
        bits = [str(index >> b & 1) for b in range(n)]
        said = {
            out[o]
            for cube, out in cubes
            if all(c in ("-", b) for c, b in zip(cube, bits, strict=True))
        } & set(TYPES[kind])
        on[o, index] = "1" in said and "-" not in said
        zero = "0" in said if "0" in TYPES[kind] else "1" not in said
        off[o, index] = zero and "-" not in said
    return on, off


cube_lists = st.tuples(st.integers(1, 4), st.integers(1, 3)).flatmap(
    lambda size: st.tuples(
        st.just(size),
        st.lists(
            st.tuples(
                st.text("01-", min_size=size[0], max_size=size[0]),
                st.text("01-~", min_size=size[1], max_size=size[1]),
            ),
            max_size=8,
        ),
    )
)


@settings(deadline=None)
@given(st.sampled_from(sorted(TYPES)), cube_lists)
def test_types_mean_what_espresso_says(kind, case):
    (n, m), cubes = case
    on, off = meaning(kind, n, m, cubes)
    text = f".i {n}\n.o {m}\n.type {kind}\n" + "".join(f"{a} {b}\n" for a, b in cubes) + ".e\n"
    overlap = meaning("fr", n, m, cubes)
    if "0" in TYPES[kind] and (overlap[0] & overlap[1]).any():
        assert "for the same inputs" in whys(text)[0][1]
        return
    content = read_pla(text.encode(), "t.pla").content
    assert np.array_equal(content.on, on)
    assert np.array_equal(content.off, off)


@settings(deadline=None)
@given(cube_lists, st.randoms(use_true_random=False))
def test_many_inputs_stay_cubes_of_the_same_meaning(case, random):
    (n, m), cubes = case
    places = random.sample(range(20), n)
    lines = []
    for cube, out in cubes:
        wide = ["-"] * 20
        for place, c in zip(places, cube, strict=True):
            wide[place] = c
        lines.append("".join(wide) + " " + out)
    text = f".i 20\n.o {m}\n.type fd\n" + "\n".join(lines) + "\n"
    cover = read_pla(text.encode(), "t.pla").content
    on, off = meaning("fd", n, m, cubes)
    rows = np.zeros((20, 1 << n), bool)
    rows[places] = input_patterns(n)
    got_on, free = (cover.network(w).evaluate(rows) for w in (cover.on, cover.free))
    assert np.array_equal(got_on & ~free, on)
    assert np.array_equal(~(got_on | free), off)


def test_names_synonyms_separators_and_comments():
    text = """# espresso
.i 3
.o 2
.ilb a b[1] c#not part of the name
.ob f a
.p 2
12|0 | 4 2   # 1-0 1-
0-1 3~
.end
"""
    spec = read_pla(text.encode(), "my file.pla")
    assert (spec.name, spec.inputs, spec.outputs) == ("my_file", ("a", "b[1]", "c"), ("f", "a_2"))
    a, _, c = input_patterns(3)
    assert np.array_equal(spec.content.on, [a & ~c, a & False])
    assert np.array_equal(spec.content.off, [~(a & ~c), ~(a & ~c)])


def test_all_problems_come_with_their_lines():
    text = ".i 3\n.o 1\n.type x\n01 1\n0a1 1\n001 7\n.mv 3 2\n.ilb a b a\n.i 4\n.p many\n"
    assert whys(text) == [
        ("line 3", "type x, known are f, fd, fr, fdr"),
        ("line 4", "3 characters, need 3 inputs and 1 outputs"),
        ("line 5", "input part has 'a', allowed are 0, 1, - and 2"),
        ("line 6", "output part has '7', allowed are 0 1 - ~ 2 3 4"),
        ("line 7", ".mv (variables of more than two values) is not supported"),
        ("line 9", ".i was 3 before"),
        ("line 10", ".p needs one number, got many"),
        ("line 8", "a name stands twice: a"),
    ]


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("", "file", "no .i and no .o"),
        ("01 1\n", "line 1", "a cube before .i and .o"),
        (".i 2\n.o 0\n", "line 2", "no outputs"),
        (".i 2\n.o 1\n01 1\n.type fr\n", "line 4", ".type must stand before the cubes"),
        (".i 2\n.o 1\n.p 3\n01 1\n", "line 3", ".p says 3 cubes, the file has 1"),
        (".i 2\n.o 1\n01 1\n.e\n11 1\n", "line 5", "text after .e"),
        (
            ".i 2\n.o 1\n.ob y\n.type fr\n0- 1\n-1 0\n",
            "line 5",
            "output y is 1 here and 0 on line 6 for the same inputs",
        ),
        (
            ".i 40\n.o 1\n.type fdr\n" + "-" * 40 + " 1\n" + "1" * 40 + " 0\n",
            "line 4",
            "output y0 is 1 here and 0 on line 5 for the same inputs",
        ),
    ],
)
def test_files_that_are_wrong(text, line, why):
    assert whys(text) == [(line, why)]


def test_a_thousand_problems_are_counted_not_printed():
    found = whys(".i 2\n.o 1\n" + "0 1\n" * 1000)
    assert len(found) == 21
    assert found[-1] == ("...", "980 more problems")
