"""Files of logic as the world writes them, and as nobody should."""

import resource
import time
from pathlib import Path

import numpy as np
import pytest

from nnlogic.checks.readback import exdc_apart
from nnlogic.checks.specification import check_reading, check_result
from nnlogic.core.errors import FormatError
from nnlogic.logic.cone import Cone, input_patterns
from nnlogic.logic.formats import Relaxed, encode, parse, plain
from nnlogic.logic.formats.cover import Cover
from nnlogic.logic.formats.spec import clean_names
from nnlogic.logic.portfolio import SolveOptions
from nnlogic.logic.specified import minimize_specification
from nnlogic.logic.specified.care import tabulated

FILES = Path(__file__).parents[1] / "cases" / "files"
MARK = b"\xef\xbb\xbf"
SAME = {
    ".truth": b"# a table\n0110\n10-1\n",
    ".pla": b".i 3\n.o 2\n.ilb a b c\n# terms\n1-- 10\n-11 01\n000 11\n.e\n",
    ".blif": b".model m\n.inputs a \\\n b\n.outputs y z\n.names a b y\n11 1\n.names z\n1\n.end\n",
    ".aag": b"aag 3 2 0 1 1\n2\n4\n6\n6 2 4\ni0 left\nc\nx\n",
}


def read(text, suffix):
    return parse(text.encode() if isinstance(text, str) else text, f"t{suffix}", suffix)


def whys(text, suffix):
    with pytest.raises(FormatError) as caught:
        read(text, suffix)
    return [(p.where, p.why) for p in caught.value.problems]


def tables(spec):
    part = tabulated(spec)
    return spec.inputs, spec.outputs, part.on.tolist(), part.off.tolist()


@pytest.mark.parametrize("suffix", SAME)
def test_marks_line_ends_blanks_and_blank_lines_change_nothing(suffix):
    data = SAME[suffix]
    expected = tables(read(data, suffix))
    crlf = data.replace(b"\n", b"\r\n")
    continued = suffix == ".blif"  # a blank line there, or a blank behind the backslash, ends it
    for other in (
        MARK + data,
        crlf,
        MARK + crlf,
        data.replace(b"\n", b"\r"),
        data.replace(b"\n", b" \t\n"),
        data if continued else data.replace(b"\n", b"\n\n"),
        b"\n\n" + data,
        data.rstrip(b"\n"),
    ):
        assert tables(read(other, suffix)) == expected, other
        assert plain(other, suffix).count(b"\r") == 0


def test_binary_aiger_with_a_mark():
    cone = Cone(3, ((0, 2),), (0b1000,), (3,))
    data = encode(".aig", "t", ("a", "b", "c"), ("y",), cone)
    assert plain(MARK + data, ".aig") == data
    assert tables(read(MARK + data, ".aig")) == tables(read(data, ".aig"))


def test_utf16_is_named():
    with pytest.raises(FormatError, match="UTF-16"):
        parse(".i 1\n".encode("utf-16"), "x.pla", ".pla")


def test_terms_may_be_wrapped():
    spec = read((FILES / "pla_wrapped.pla").read_bytes(), ".pla")
    assert tables(spec) == tables(read(".i 3\n.o 2\n1-- 10\n-11 01\n000 11\n", ".pla"))
    a, b, c = input_patterns(3)
    assert np.array_equal(spec.content.on[0], a | ~(a | b | c))
    assert np.array_equal(spec.content.on[1], (b & c) | ~(a | b | c))


@pytest.mark.parametrize(
    "body",
    ["1\n0\n1|\n1\n", "1 0 1\n\n# a remark\n1", "101\t|\t1", "101|1\n.e", "10\n11"],
)
def test_any_number_of_lines_is_one_term(body):
    on = read(f".i 3\n.o 1\n{body}\n", ".pla").content.on
    assert on[0].tolist() == [i == 5 for i in range(8)]


def test_several_terms_on_a_line_and_names_on_several():
    text = ".i 2\n.o 1\n.ilb a\nb\n.ob\ny\n11 1 00 1\n"
    spec = read(text, ".pla")
    assert (spec.inputs, spec.outputs) == (("a", "b"), ("y",))
    assert spec.content.on.tolist() == [[True, False, False, True]]


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        (".i 2\n.o 1\n01\n01 1\n", "line 3", "2 characters, need 2 inputs and 1 outputs"),
        (".i 2\n.o 1\n010 1\n01 1\n", "line 3", "4 characters, need 2 inputs and 1 outputs"),
        (".i 2\n.o 1\n01 1\n01\n.e\n", "line 4", "2 characters, need 2 inputs and 1 outputs"),
        (".ilb a b\n.i 3\n.o 1\n111 1\n", "line 1", "2 names, need 3"),
        (".i 2\n.ob y z\n.o 1\n11 1\n", "line 2", "2 names, need 1"),
        (".i 1\n.o 2\n.phase 10\n1 11\n", "line 3", ".phase (outputs in inverted phase) is not"),
        (".i 2\n.o 1\n.pair 1\n", "line 3", ".pair (paired inputs) is not supported"),
        (".i 2\n.o 1\n.kiss\n", "line 3", ".kiss (a state machine) is not supported"),
        (".i 2\n.o 1\n.type dr\n", "line 3", "type dr, known are f, fd, fr, fdr"),
        (".i 1000000000000\n.o 1\n", "line 1", "1,000,000,000,000 inputs, limit 131,072"),
        (f".i {'9' * 5000}\n", "line 1", ".i needs one number, got 9999"),
        (".i 16\n.o 100000\n", "file", "6,553,600,000 entries of 100,000 tables of 16 inputs"),
    ],
)
def test_pla_that_is_wrong(text, line, why):
    found = whys(text, ".pla")
    assert len([p for p in found if p[0] == line and p[1].startswith(why)]) == 1, found


def test_a_phase_of_ones_means_nothing():
    assert read(".i 1\n.o 2\n.phase 11\n1 11\n", ".pla").content.on.tolist() == [[False, True]] * 2


EXDC = """.model m
.inputs a b c
.outputs y z
.names a b y
11 1
.names b c z
1- 1
-1 1
.exdc
.names a t
0 1
.names t c z
11 1
.end
"""


@pytest.mark.parametrize("name", ["behind", "before"])
def test_external_dont_cares(name):
    text = EXDC
    if name == "before":
        network, free = text[text.index(".names a b y") :].split(".exdc\n")
        text = text[: text.index(".names a b y")] + ".exdc\n" + free + network + ".end\n"
    spec = read(text, ".blif")
    a, b, c = input_patterns(3)
    part = tabulated(spec)
    assert np.array_equal(part.on, [a & b, (b | c) & ~(~a & c)])
    assert np.array_equal(part.off, [~(a & b), ~(b | c) & ~(~a & c)])
    verdict = check_reading(text.encode(), ".blif", spec)
    assert verdict.equal, verdict.text()
    assert "don't-cares" in verdict.detail
    options = SolveOptions(6, "fast", "area")
    cone = minimize_specification(spec, options).cone
    assert check_result(spec, cone).equal


def test_dont_cares_are_used():
    """Parity of four inputs, where only the last one matters outside."""
    rows = "".join(f"{i:04b} 1\n" for i in range(16) if i.bit_count() & 1)
    text = ".inputs a b c d\n.outputs y\n.names a b c d y\n" + rows
    text += ".exdc\n.names a b c y\n1-- 1\n-1- 1\n--1 1\n"
    spec = read(text, ".blif")
    cone = minimize_specification(spec, SolveOptions(2, "fast", "area")).cone
    assert cone.luts == 0
    assert check_result(spec, cone).equal
    faults = (Cone(4, ((3,),), (0b01,), (4,)), Cone(4, (), (), (2,)))
    for wrong in faults:
        verdict = check_result(spec, wrong)
        assert not verdict.equal
        assert "input combination" in verdict.where


def test_dont_cares_of_a_wide_network():
    names = [f"i{b}" for b in range(20)]
    text = ".inputs " + " ".join(names) + "\n.outputs y z\n"
    text += ".names " + " ".join(names[:4]) + " y\n1111 1\n"
    text += ".names " + " ".join(names) + " z\n" + "1" * 20 + " 1\n"
    text += ".exdc\n.names i0 y\n0 1\n.names i5 z\n0 1\n.end\n"
    spec = read(text, ".blif")
    assert isinstance(spec.content, Relaxed)
    cone = minimize_specification(spec, SolveOptions(6, "fast", "area")).cone
    verdict = check_result(spec, cone)
    assert (verdict.equal, verdict.how) == (True, "proved")
    assert check_reading(text.encode(), ".blif", spec).equal
    z = spec.content.network
    assert not check_result(spec, Cone(z.n_inputs, z.fanins, z.tables, z.outputs[::-1])).equal


def test_a_fault_in_the_reading_of_dont_cares_is_found():
    spec = read(EXDC, ".blif")
    wrong = EXDC.replace("11 1\n.end", "10 1\n.end")
    assert not check_reading(wrong.encode(), ".blif", spec).equal
    network, free = exdc_apart(EXDC.encode())
    assert tables(read(network, ".blif"))[2] == tables(read(EXDC.split(".exdc")[0], ".blif"))[2]
    assert b".names y\n" in free


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (EXDC.replace(".names a t", ".names q t"), "nothing drives q in .exdc"),
        (EXDC.replace(".names t c z", ".names y c z"), "nothing drives y in .exdc"),
        (EXDC + "", None),
        (EXDC.replace(".end", ".exdc\n.end"), "a second .exdc"),
        (EXDC.replace(".exdc\n", ".exdc\n.inputs a q\n"), "q in .exdc is not one of the inputs"),
        (".inputs a\n.outputs y\n.latch a y\n.latch y a\n", ".latch: only combinational logic"),
        (".inputs a\n.outputs y\n.gate inv A=a O=y\n" * 3, ".gate: only .names nodes"),
    ],
)
def test_blif_problems_come_once(text, why):
    if why is None:
        read(text, ".blif")
    else:
        assert len([w for _, w in whys(text, ".blif") if w.startswith(why)]) == 1


@pytest.mark.parametrize(
    ("suffix", "text", "why"),
    [
        (
            ".blif",
            f".model m\n.inputs a\n.outputs x\n.names {'a ' * 100_000}x\n{'1' * 100_000} 1\n.end\n",
            "100,000 inputs of a node, limit 16,384",
        ),
        (".aig", "aig 1000000000000 1000000000000 0 1 0\n0\n", "1,000,000,000,000 inputs, limit"),
        (".aag", "aag 1000000000000 1000000000000 0 1 0\n0\n", "1,000,000,000,000 inputs, limit"),
        (".aag", "aag 9 1 0 1000000000000 0\n0\n", "1,000,000,000,000 outputs, limit 131,072"),
        (
            ".aig",
            "aig 1000000000001 1 0 1 1000000000000\n0\n",
            "1,000,000,000,000 ANDs, but 2",
        ),
        (".aag", f"aag {'9' * 5000} 1 0 1 0\n", "the header needs five numbers"),
        (".aag", f"aag 1 1 0 1 0\n2\n{'9' * 5000}\n", "need 1 number (an output literal)"),
        (".aig", b"aig 2 1 0 1 1\n4\n" + b"\xff" * 100_000, "a number of more than 63 bits"),
        (".pla", ".i 1000000000000\n.o 1000000000000\n", "1,000,000,000,000 inputs, limit"),
        (".blif", ".inputs a\n.outputs y\n" + "1 1\n" * 200_000, "'1' outside any node"),
    ],
)
def test_absurd_sizes_are_refused_before_memory_is_taken(suffix, text, why):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.monotonic()
    assert whys(text, suffix)[0][1].startswith(why)
    assert time.monotonic() - start < 10
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # KiB


def test_names_that_become_equal_take_no_time():
    names, _ = clean_names([chr(0x4E00 + i) for i in range(20_000)], [])
    assert names[0] == "_"
    assert names[-1] == "__20000"
    assert len(set(names)) == len(names)


def test_text_of_the_file_is_shown_inertly():
    found = whys(".i 2\n.o 1\n.mv\x1b[2J\n", ".pla")
    assert "\x1b" not in found[0][1]
    assert isinstance(read(".i 20\n.o 1\n" + "-" * 20 + "1\n", ".pla").content, Cover)
