"""The checker of minimized files: right answers pass, every planted fault is caught."""

from dataclasses import replace

import numpy as np
import pytest

from nnlogic.checks.specification import check_equal, check_file, check_reading, check_result
from nnlogic.core.errors import ToolFailed
from nnlogic.logic.cone import Cone
from nnlogic.logic.formats import Specification, encode, parse
from nnlogic.logic.specified.sampled import expanded_network
from nnlogic.logic.truth import full

SUFFIXES = (".blif", ".v", ".aag", ".aig")


def random_cone(n, nodes=12, seed=0):
    rng = np.random.default_rng(seed)
    fanins, tables = [], []
    for i in range(nodes):
        size = min(int(rng.integers(2, 5)), n + i)
        fanins.append(tuple(int(s) for s in rng.choice(n + i, size, replace=False)))
        tables.append(int(rng.integers(1, (1 << (1 << size)) - 1)))
    return Cone(n, tuple(fanins), tuple(tables), (n + nodes - 1, n + nodes - 2, 0))


def specification(cone):
    inputs = tuple(f"x[{i}]" for i in range(cone.n_inputs))
    return Specification("net", inputs, tuple(f"y{i}" for i in range(len(cone.outputs))), cone)


def with_inverted_node(cone, node):
    tables = list(cone.tables)
    tables[node] ^= full(len(cone.fanins[node]))
    return replace(cone, tables=tuple(tables))


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("n", [5, 20])
def test_a_written_file_passes_and_a_fault_in_it_is_caught(suffix, n):
    cone = random_cone(n)
    spec = specification(cone)
    good = encode(suffix, "net", spec.inputs, spec.outputs, cone)
    verdict = check_file(good, suffix, spec, cone)
    assert verdict.equal, verdict.text()
    assert verdict.how == ("exhaustive" if n == 5 else "proved")
    wrong = with_inverted_node(cone, cone.n_nodes - 1)
    bad = encode(suffix, "net", spec.inputs, spec.outputs, wrong)
    assert not check_file(bad, suffix, spec, cone).equal
    assert not check_result(spec, wrong).equal
    assert check_result(spec, cone).equal


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_swapped_and_renamed_ports_are_caught(suffix):
    cone = Cone(2, ((0, 1),), (0b0100,), (2,))
    spec = specification(cone)
    swapped = encode(suffix, "net", spec.inputs[::-1], spec.outputs, cone)
    assert not check_file(swapped, suffix, spec, cone).equal
    renamed = encode(suffix, "net", ("x[0]", "z"), spec.outputs, cone)
    verdict = check_file(renamed, suffix, spec, cone)
    assert (verdict.equal, verdict.where) == (False, "names")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_half_a_file_is_refused_by_its_reader(suffix):
    cone = random_cone(6)
    spec = specification(cone)
    data = encode(suffix, "net", spec.inputs, spec.outputs, cone)
    half = data[: len(data) // 2]
    try:
        equal = check_file(half, suffix, spec, cone).equal
    except ToolFailed:
        equal = False
    assert not equal


@pytest.mark.parametrize("suffix", [".blif", ".aag", ".aig"])
@pytest.mark.parametrize("n", [4, 18])
def test_a_misread_input_is_caught(suffix, n):
    cone = random_cone(n)
    spec = specification(cone)
    data = encode(suffix, "net", spec.inputs, spec.outputs, cone)
    assert check_reading(data, suffix, parse(data, "net", suffix)).equal
    misread = replace(spec, content=with_inverted_node(cone, cone.n_nodes - 1))
    assert not check_reading(data, suffix, misread).equal


def test_constants_and_inputs_as_outputs_in_every_format():
    cone = Cone(2, ((), ()), (1, 0), (2, 3, 1))
    spec = specification(cone)
    for suffix in SUFFIXES:
        data = encode(suffix, "net", spec.inputs, spec.outputs, cone)
        assert check_file(data, suffix, spec, cone).equal, suffix


def test_tables_are_compared_where_they_are_defined():
    spec = parse(b"1--0\n01-1\n", "t", ".truth")
    nand = Cone(2, ((0, 1),), (0b0111,), (0, 2))
    verdict = check_result(spec, nand)
    assert verdict.equal
    assert verdict.detail == "2 outputs on 3 of 4 input combinations"
    assert check_result(spec, replace(nand, outputs=(1, 2))).equal
    verdict = check_result(spec, replace(nand, outputs=(2, 2)))
    assert (verdict.equal, verdict.where) == (False, "output 0, input combination 0")


def test_an_interface_of_another_size_is_caught():
    spec = parse(b"10\n", "t", ".truth")
    assert check_result(spec, Cone(1, (), (), (0, 0))).where == "interface"
    assert check_result(spec, Cone(2, (), (), (0,))).where == "interface"


WIDE = ".i 30\n.o 2\n.type {}\n{}.e\n"


@pytest.mark.parametrize("kind", ["f", "fd"])
def test_wide_covers_are_proved_outside_what_is_open(kind):
    cubes = "1" * 20 + "-" * 10 + " 1-\n" + "0" * 5 + "-" * 25 + " -1\n"
    spec = parse(WIDE.format(kind, cubes).encode(), "t", ".pla")
    cover = spec.content
    plain = cover.network(cover.on)
    verdict = check_result(spec, plain)
    assert verdict.equal, verdict.text()
    assert verdict.how == "proved"
    # Filling what is open is right for fd, wrong for f.
    filled = cover.network(cover.on | (np.array([[False, True], [True, False]])))
    assert check_result(spec, filled).equal == (kind == "fd")
    inverted = replace(plain, outputs=plain.outputs[::-1])
    assert not check_result(spec, inverted).equal


@pytest.mark.parametrize("dashes", [2, 25])
def test_listed_cubes_are_all_checked(dashes):
    rest = 30 - dashes
    cubes = "1" * rest + "-" * dashes + " 10\n" + "0" + "1" * (rest - 1) + "-" * dashes + " 01\n"
    spec = parse(WIDE.format("fr", cubes).encode(), "t", ".pla")
    cone = expanded_network(spec.content)
    verdict = check_result(spec, cone)
    assert verdict.equal, verdict.text()
    assert verdict.how == ("exhaustive" if dashes == 2 else "proved")
    for outputs in [(0, 1), cone.outputs[::-1]]:
        assert not check_result(spec, replace(cone, outputs=outputs)).equal


def test_equal_networks_of_different_shape():
    a = Cone(2, ((0, 1),), (0b0110,), (2,))
    b = Cone(2, ((0, 1), (0, 1), (2, 3)), (0b0111, 0b1110, 0b1000), (4,))
    assert check_equal("a", "b", a, b, 10).equal
    wrong = replace(b, tables=(0b0111, 0b1010, 0b1000))
    verdict = check_equal("a", "b", a, wrong, 10)
    assert (verdict.equal, verdict.where) == (False, "output 0, input combination 2")
