"""BLIF and AIGER in, BLIF, Verilog and AIGER out."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from logic_nets import cones, naive

from nnlogic.core.errors import FormatError, UsageError
from nnlogic.logic.cone import Cone, input_patterns
from nnlogic.logic.formats import READERS, encode, parse
from nnlogic.logic.formats.aiger import read_aiger
from nnlogic.logic.formats.blif import read_blif
from nnlogic.logic.formats.sop import irredundant
from nnlogic.logic.formats.spec import clean_names
from nnlogic.logic.truth import full

NETWORKS = (".blif", ".aag", ".aig")


def whys(data, reader):
    with pytest.raises(FormatError) as caught:
        reader(data, "bad")
    return [(p.where, p.why) for p in caught.value.problems]


def named(cone):
    return tuple(f"in[{i}]" for i in range(cone.n_inputs)), tuple(
        f"n{i}" for i in range(len(cone.outputs))
    )


@settings(deadline=None)
@given(cones(), st.sampled_from(NETWORKS))
def test_what_is_written_is_read_again(cone, suffix):
    inputs, outputs = named(cone)
    spec = parse(encode(suffix, "net", inputs, outputs, cone), "net", suffix)
    assert (spec.inputs, spec.outputs) == (inputs, outputs)
    assert np.array_equal(naive(spec.content), naive(cone))


@given(st.integers(0, 5).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, full(n)))))
def test_sums_of_products_cover_exactly_the_table(case):
    n, table = case
    cubes = irredundant(table, n)

    def inside(cube, index):
        return all(c in ("-", str(index >> b & 1)) for b, c in enumerate(cube))

    covered = [[inside(cube, i) for cube in cubes] for i in range(1 << n)]
    assert sum(any(row) << i for i, row in enumerate(covered)) == table
    for j in range(len(cubes)):
        rest = sum(any(row[:j] + row[j + 1 :]) << i for i, row in enumerate(covered))
        assert rest != table


def test_verilog_has_the_names_of_the_ports():
    cone = Cone(2, ((0, 1), (0, 1), ()), (0b0110, 0b0111, 1), (2, 3, 4, 0))
    text = encode(".v", "my net", ("a", "b[0]"), ("wire", "n7", "c", "d"), cone).decode()
    assert text == (
        "module my_net(\n  input wire a,\n  input wire \\b[0] ,\n  output wire \\wire ,\n"
        "  output wire n7,\n  output wire c,\n  output wire d\n);\n"
        "  wire n_0 = (a ^ \\b[0] );\n  wire n_1 = ~(a & \\b[0] );\n  wire n_2 = 1'b1;\n"
        "  assign \\wire  = n_0;\n  assign n7 = n_1;\n  assign c = n_2;\n  assign d = a;\n"
        "endmodule\n"
    )


def test_names_become_legal_and_different():
    assert clean_names(["a b", "a_b", ""], ["a_b", "x[0]", "=#"]) == (
        ("a_b", "a_b_2", "_"),
        ("a_b_3", "x[0]", "__"),
    )


def test_unknown_suffix():
    with pytest.raises(UsageError, match=r"\.sop, nnlogic reads \.truth"):
        parse(b"", "x.sop", ".sop")
    assert ".v" not in READERS


def test_blif_with_wide_covers_and_both_phases():
    names = [f"i{b}" for b in range(30)]
    text = ".inputs " + " ".join(names) + "\n.outputs f g\n"
    text += ".names " + " ".join(names) + " f\n" + "1" * 30 + " 1\n" + "0" * 30 + " 1\n"
    text += ".names " + " ".join(names) + " g \\\n\n" + "1-" * 15 + " 0\n.end\n"
    cone = read_blif(text.encode(), "wide.blif").content
    rows = np.random.default_rng(0).random((30, 500)) < 0.9
    rows[:, 0], rows[:, 1] = True, False
    expected = [rows.all(0) | ~rows.any(0), ~rows[::2].all(0)]
    assert np.array_equal(cone.evaluate(rows), expected)
    assert cone.widest <= 6


def test_every_problem_of_a_blif_file():
    text = """.model m
.inputs a b a
.outputs y z
.latch a q 0
.names a b y
11 1
00 0
1 1
2- 1
.names c y
1 1
.names u v
1 1
.names v u
1 1
.names b
.subckt other x=a
.model second
.bogus
1 1
"""
    assert whys(text.encode(), read_blif) == [
        ("line 2", "a is declared twice"),
        ("line 4", ".latch: only combinational logic"),
        ("line 7", "cubes of both values in one node"),
        ("line 8", "input part of 1 characters for 2 inputs"),
        ("line 9", "input part has '2', allowed are 0, 1 and -"),
        ("line 10", "y is driven on line 5 too"),
        ("line 16", "b is an input, nothing may drive it"),
        ("line 17", ".subckt: only .names nodes"),
        ("line 18", "a second model"),
        ("line 19", ".bogus is not supported"),
        ("line 20", "'1' outside any node"),
        ("line 12", "a combinational cycle: v <- u <- v"),
    ]


def test_signals_that_nothing_drives():
    text = ".inputs a\n.outputs y z\n.names a q y\n11 1\n.names q r\n1 1\n"
    assert whys(text.encode(), read_blif) == [
        ("line 3", "nothing drives q"),
        ("line 2", "nothing drives the output z"),
    ]


def test_an_empty_blif_file():
    assert whys(b"", read_blif) == [("file", "no outputs")]


AND2 = "aag 3 2 0 1 1\n2\n4\n6\n6 2 4\n"


def test_aiger_with_symbols_comments_and_any_order():
    text = "aag 5 2 0 3 2\n2\n4\n10\n7\n1\n10 7 3\n6 2 4\ni1 right side\no0 f\nc\nanything\n"
    spec = read_aiger(text.encode(), "t.aag")
    assert (spec.inputs, spec.outputs) == (("i0", "right_side"), ("f", "o1", "o2"))
    a, b = input_patterns(2)
    assert np.array_equal(spec.content.evaluate(input_patterns(2)), [~a, ~(a & b), a | True])


def test_binary_aiger_with_long_deltas():
    n = 200
    cone = Cone(n, ((0, n - 1),), (0b1000,), (n,))
    data = encode(".aig", "t", *named(cone), cone)
    got = read_aiger(data, "t.aig").content
    assert (got.fanins, got.tables, got.outputs) == (((n - 1, 0),), (0b1000,), (n,))


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("", "line 1", "not an AIGER header, need aag or aig and M I L O A"),
        ("aag 1 1\n", "line 1", "the header needs five numbers M I L O A, got '1 1'"),
        ("aag 3 1 1 1 1\n", "line 1", "1 latches: only combinational logic"),
        ("aag 1 1 0 1 0 1\n", "line 1", "1 bad states: only combinational logic"),
        ("aag 2 2 0 1 1\n", "line 1", "M is 2, but I + L + A is 3"),
        ("aag 1 1 0 0 0\n2\n", "line 1", "no outputs"),
        (AND2.replace("6 2 4", "6 2 8"), "line 5", "nothing defines literal 8"),
        (AND2.replace("6 2 4", "6 7 4"), "line 5", "a cycle through literal 6"),
        (AND2.replace("6 2 4", "4 2 4"), "line 5", "literal 4 is defined on line 3 too"),
        (AND2.replace("6 2 4", "6 2"), "line 5", "need 3 numbers (an AND and what it reads), got"),
        (AND2.replace("\n6\n", "\n9\n"), "file", "nothing defines literal 9 of output 0"),
        (AND2.replace("2\n4", "3\n4"), "line 2", "literal 3 cannot be defined"),
        (AND2[:-6], "line 5", "the file ends, need an AND and what it reads"),
        (AND2 + "i7 x\n", "line 6", "a name for i7, there are 2"),
        (AND2 + "what\n", "line 6", "not a symbol: 'what'"),
        ("aig 3 2 0 1 1\n6\n\x02", "file", "the file ends within its ANDs, at byte 17"),
        ("aig 3 2 0 1 1\n6\n\x00\x00", "file", "AND 0 (literal 6) does not read smaller literals"),
        ("aig 9 2 0 1 1\n6\n", "line 1", "M is 9, but I + L + A is 3"),
    ],
)
def test_aiger_files_that_are_wrong(text, line, why):
    found = whys(text.encode(), read_aiger)
    assert any(w == line and y.startswith(why) for w, y in found), found
