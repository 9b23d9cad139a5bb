"""Minimizing specifications: sound with different don't-cares per output."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnlogic.checks.specification import check_result
from nnlogic.core.errors import ToolFailed, UsageError
from nnlogic.logic.cache import ResultCache
from nnlogic.logic.cone import Cone, input_patterns
from nnlogic.logic.formats import Specification, parse
from nnlogic.logic.portfolio import SolveOptions
from nnlogic.logic.specified import minimize_specification, starts, with_care
from nnlogic.logic.specified.sampled import expanded_network, small_support
from nnlogic.logic.specified.tabular import solve_table
from nnlogic.logic.support import Partial

FAST = SolveOptions(effort="fast")


def truth(text):
    return parse(text.encode(), "t", ".truth")


def wide_pla(rows, values, kind="fr"):
    lines = ["".join("01"[b] for b in row) for row in rows.astype(int)]
    outs = ["".join("01"[v] for v in value) for value in values.astype(int)]
    body = "".join(f"{a} {b}\n" for a, b in zip(lines, outs, strict=True))
    text = f".i {rows.shape[1]}\n.o {values.shape[1]}\n.type {kind}\n{body}"
    return parse(text.encode(), "t", ".pla")


@settings(deadline=None, max_examples=3)
@given(st.integers(3, 4), st.integers(2, 3), st.integers(2, 3), st.integers(0, 999))
def test_outputs_with_their_own_dont_cares(n, m, k, seed):
    rng = np.random.default_rng(seed)
    symbols = rng.choice(list("01-"), (m, 1 << n), p=[0.4, 0.4, 0.2])
    spec = truth("\n".join("".join(row) for row in symbols))
    found = minimize_specification(spec, SolveOptions(k, "fast"))
    assert found.cone.widest <= k
    verdict = check_result(spec, found.cone)
    assert verdict.equal, verdict.text()


def test_outputs_solved_together_after_their_dont_cares_are_filled():
    spec = truth("-110100110010110\n".replace("\n", "") * 4 + "\n" + "0110100110010110" * 4)
    found = minimize_specification(spec, FAST)
    assert check_result(spec, found.cone).equal
    assert found.cone.luts == 1


def test_results_come_from_the_cache_and_are_checked(tmp_path):
    spec = truth("0110100110010110" * 8 + "\n" + "0111" * 32)
    cache = ResultCache(tmp_path)
    options = SolveOptions(3, "fast")
    first = solve_table(spec.content, options, 1, cache)
    again = solve_table(spec.content, options, 2, cache)
    assert (first.cached, again.cached) == (False, True)
    assert first.cone == again.cone
    for entry in tmp_path.rglob("*.json"):
        entry.write_text(entry.read_text().replace('"outputs": [', '"outputs": [0, '))
    assert not solve_table(spec.content, options, 1, cache).cached


def test_wide_minterms_over_few_inputs_become_a_table():
    rng = np.random.default_rng(0)
    rows = rng.random((300, 60)) < 0.5
    values = np.stack([rows[:, 7] & rows[:, 40], rows[:, 3] ^ rows[:, 40]], axis=1)
    spec = wide_pla(rows, values)
    part = small_support(spec.content)
    assert set(part.inputs) == {3, 7, 40}
    found = minimize_specification(spec, FAST)
    assert found.cone.luts <= 2
    assert check_result(spec, found.cone).equal


def test_wide_minterms_that_need_many_inputs():
    rng = np.random.default_rng(1)
    rows = rng.random((400, 40)) < 0.5
    values = (rows @ rng.normal(size=(40, 2))) > 0
    values[::17] ^= True  # noise, so that no small rule fits
    spec = wide_pla(rows, values)
    cone = expanded_network(spec.content)
    assert check_result(spec, cone).equal
    found = minimize_specification(spec, FAST)
    assert check_result(spec, found.cone).equal
    assert found.cone.luts <= cone.luts


@pytest.mark.parametrize("kind", ["f", "fd"])
def test_wide_complete_covers_become_networks(kind):
    rows = np.random.default_rng(2).random((20, 25)) < 0.5
    spec = wide_pla(rows, np.ones((20, 1), bool), kind)
    found = minimize_specification(spec, FAST)
    assert check_result(spec, found.cone).equal


def test_a_network_is_not_made_worse():
    # A 17-input OR of ANDs: too wide for one table, half of its outputs are not.
    fanins = ((0, 1, 2, 3, 4, 5), (6, 7, 8, 9, 10, 11), (12, 13, 14, 15, 16, 17), (18, 19, 20))
    cone = Cone(18, fanins, (1 << 63, 1 << 63, 1 << 63, 254), (21, 18, 19))
    spec = Specification("t", tuple(f"x{i}" for i in range(18)), ("a", "b", "c"), cone)
    found = minimize_specification(spec, FAST)
    assert found.cone.luts == 4
    assert check_result(spec, found.cone).equal


def test_a_script_that_fails_leaves_the_network_as_it_was(monkeypatch):
    cone = Cone(2, ((0, 1),), (0b0110,), (2,))

    def fail(*_, **__):
        raise ToolFailed("abc failed")

    monkeypatch.setattr(starts, "transform_blif", fail)
    assert starts.best_start(cone, FAST).cone == cone
    wide = Cone(7, (tuple(range(7)),), (1 << 127,), (7,))
    with pytest.raises(ToolFailed):
        starts.best_start(wide, FAST)


def test_a_cover_begins_from_what_factoring_makes_of_it():
    # An AND of six ORs of three inputs, multiplied out: 729 cubes, 4 LUTs.
    cubes = product(("1--", "-1-", "--1"), repeat=6)
    lines = [f"{''.join(cube)} 1" for cube in cubes]
    spec = parse("\n".join([".i 18", ".o 1", *lines, ".e", ""]).encode(), "cover", ".pla")
    found = minimize_specification(spec, FAST)
    assert found.cone.luts == 4
    assert check_result(spec, found.cone).equal


def test_tables_also_begin_as_simple_scripts_do():
    rows = input_patterns(11)
    parity = np.where(rows[10], rows[:5].sum(axis=0) & 1, rows[5:10].sum(axis=0) & 1)
    part = Partial(parity[None] == 1, parity[None] == 0, tuple(range(11)))
    options = SolveOptions(objective="area")
    big = solve_table(part, SolveOptions(effort="fast"), 1, ResultCache(None))
    found = starts.or_from_scripts(part, big, options)
    assert found.cost("area") <= big.cost("area")
    assert found.cone.luts <= 3
    assert np.array_equal(found.cone.evaluate(rows)[0], parity == 1)


@pytest.mark.parametrize("rarity", [1, 2])
def test_care_frees_what_was_seen_too_rarely(rarity):
    spec = truth("01101001")
    rows = np.array([[0, 0, 0], [1, 0, 0], [1, 0, 0], [1, 1, 1]], bool)
    part = with_care(spec, rows, rarity).content
    cared = {1} if rarity == 2 else {0, 1, 7}
    assert set(np.flatnonzero(part.on[0] | part.off[0]).tolist()) == cared
    assert np.array_equal(part.on, spec.content.on & (part.on | part.off))
    with pytest.raises(UsageError, match=r"4 rows, the most frequent one 2 times"):
        with_care(spec, rows, 3)


def test_care_on_wide_networks_and_covers():
    rng = np.random.default_rng(3)
    cone = Cone(20, ((0, 5), (19, 20)), (0b0110, 0b1110), (21,))
    names = tuple(f"x{i}" for i in range(20))
    rows = rng.random((50, 20)) < 0.5
    expected = (rows[:, 0] ^ rows[:, 5]) | rows[:, 19]
    for content in (cone, wide_pla(rows, expected[:, None], "f").content):
        cover = with_care(Specification("t", names, ("y",), content), rows).content
        value = (cover.ones[:, 0] ^ cover.ones[:, 5]) | cover.ones[:, 19]
        assert np.array_equal(cover.on[:, 0], value)
        assert np.array_equal(cover.off[:, 0], ~value)
        assert not cover.rest_off
