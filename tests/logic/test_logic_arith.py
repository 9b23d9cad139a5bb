"""Sum, Threshold and ArgmaxBlock as LUTs, against integer arithmetic."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnlogic.checks.sums import certify
from nnlogic.core.errors import IRError
from nnlogic.core.formats import IntFormat
from nnlogic.logic import arith
from nnlogic.logic.arith import check_block, solve_block
from nnlogic.logic.certificate import Structure
from nnlogic.logic.cone import Cone
from nnlogic.logic.portfolio import SolveOptions
from nnlogic.logic.structures import n_inputs_of, structure, structures, tidy
from nnlogic.logic.truth import full
from nnlogic.tables.ir import ArgmaxBlock, Sum, Threshold, Word


@st.composite
def words(draw, max_words, max_bits, total):
    out, at = [], 0
    for _ in range(draw(st.integers(1, max_words))):
        width = draw(st.integers(1, max_bits))
        if at + width > total:
            break
        out.append(Word(tuple(range(at, at + width)), draw(st.booleans())))
        at += width
    return tuple(out) or (Word((0,)),)


def result(first, lo, hi):
    fmt = IntFormat.holding(lo, hi)
    return Word(tuple(range(first, first + fmt.bits)), fmt.signed)


def span(block_words, weights, bias):
    ends = [
        sorted((w * word.format.lo, w * word.format.hi))
        for w, word in zip(weights, block_words, strict=True)
    ]
    return bias + sum(e[0] for e in ends), bias + sum(e[1] for e in ends)


def bits_of(block_words):
    return sum(len(w.signals) for w in block_words)


@st.composite
def sums(draw, max_words=5, max_bits=4, total=12):
    chosen = draw(words(max_words, max_bits, total))
    weights = tuple(draw(st.integers(-9, 9)) for _ in chosen)
    bias = draw(st.integers(-20, 20))
    return Sum(chosen, weights, bias, result(bits_of(chosen), *span(chosen, weights, bias)), "", 0)


@st.composite
def thresholds(draw):
    block = draw(sums())
    lo, hi = span(block.words, block.weights, block.bias)
    levels = tuple(sorted(draw(st.lists(st.integers(lo - 2, hi + 2), min_size=1, max_size=7))))
    out = result(bits_of(block.words), 0, len(levels))
    return Threshold(block.words, block.weights, block.bias, levels, out, "", 0)


@st.composite
def argmaxes(draw):
    chosen = draw(words(6, 4, 12))
    return ArgmaxBlock(chosen, result(bits_of(chosen), 0, len(chosen) - 1), "", 0)


@pytest.mark.parametrize("k", [2, 3, 4, 5, 6])
@settings(max_examples=30, deadline=None)
@given(block=st.one_of(sums(), thresholds(), argmaxes()))
def test_every_structure_is_exact_and_certified(k, block):
    for _, made in structures(block, k):
        cone = tidy(made.cone)
        assert cone.problems(k) == []
        assert check_block(block, cone) == ""
        assert certify(block, made) == ""


@settings(max_examples=5, deadline=None, derandomize=True)
@given(block=st.one_of(sums(), thresholds(), argmaxes()))
def test_best_realization_is_exact(block):
    solution = solve_block(block, SolveOptions())
    assert check_block(block, solution.cone) == ""
    assert solution.cone.luts == min(a.luts for a in solution.attempts if not a.error)


def popcount(n):
    return Sum(tuple(Word((i,)) for i in range(n)), (1,) * n, 0, result(n, 0, n), "", 0)


def test_wide_popcount_is_proved_against_its_structure():
    block = popcount(30)
    solution = solve_block(block, SolveOptions())
    assert [a.error for a in solution.attempts] == [""] * len(solution.attempts)
    assert solution.cone.luts <= 26


@pytest.mark.parametrize(
    ("widths", "luts", "depth"),
    [([1] * 10, 9, 2), ([1] * 20, 17, 4), ([4] * 16, 57, 7), ([5] * 8, 34, 7)],
    ids=["popcount 10", "popcount 20", "16 x 4 bits", "8 x 5 bits"],
)
def test_a_counter_costs_about_a_lut_per_bit_it_removes(widths, luts, depth):
    chosen, at = [], 0
    for width in widths:
        chosen.append(Word(tuple(range(at, at + width))))
        at += width
    weights = (1,) * len(chosen)
    block = Sum(tuple(chosen), weights, 0, result(at, *span(chosen, weights, 0)), "", 0)
    best = min((tidy(made.cone) for _, made in structures(block, 6)), key=lambda c: c.depth)
    assert best.luts <= luts
    assert best.depth <= depth


def test_what_is_not_proved_in_time_is_dropped(monkeypatch):
    monkeypatch.setattr(arith, "sweep_equal", lambda *a, **k: (None, ""))
    solution = solve_block(argmax(4, 5), SolveOptions())
    assert all("not proved" in a.error for a in solution.attempts if "+" in a.engine)
    assert "+" not in solution.engine


def argmax(n, width):
    chosen = tuple(Word(tuple(range(i * width, (i + 1) * width))) for i in range(n))
    return ArgmaxBlock(chosen, result(n * width, 0, n - 1), "", 0)


def test_argmax_of_equal_words_is_the_lowest_index():
    chosen = tuple(Word((3 * i, 3 * i + 1, 3 * i + 2), True) for i in range(3))
    block = ArgmaxBlock(chosen, Word((9, 10)), "", 0)
    for _, made in structures(block, 6):
        cone = tidy(made.cone)
        equal = np.tile(np.array([[0], [1], [1]], bool), (3, 1))
        assert not cone.evaluate(equal).any()


def test_signals_may_be_shared_between_words():
    word = Word((0, 1, 2), True)
    block = Sum((word, word), (3, -3), 5, Word((3, 4, 5)), "", 0)
    assert check_block(block, structure(block, 6)) == ""


@pytest.mark.parametrize("block", [popcount(6), popcount(20)], ids=["exhaustive", "sampled"])
def test_planted_fault_in_a_block_is_found(block):
    good = structure(block, 6)
    assert check_block(block, good) == ""
    for i in range(good.n_nodes):
        tables = list(good.tables)
        tables[i] ^= full(len(good.fanins[i]))
        bad = Cone(good.n_inputs, good.fanins, tuple(tables), good.outputs)
        assert "wrong on" in check_block(block, bad)


def test_wrong_mapping_of_a_block_loses(monkeypatch):
    wrong = Cone(15, (), (), (0, 0, 0))
    monkeypatch.setattr(arith, "_mapped", lambda plain, script, options: wrong)
    monkeypatch.setattr(arith, "_polished", lambda cone, objective, options: wrong)
    block = argmax(5, 3)
    solution = solve_block(block, SolveOptions())
    assert n_inputs_of(block) == 15
    bad = [a.error for a in solution.attempts if "+" in a.engine]
    assert len(bad) > 1
    assert all("wrong on" in error for error in bad)
    assert check_block(block, solution.cone) == ""


def test_block_without_any_right_realization_is_an_error(monkeypatch):
    wrong = Structure(Cone(20, (), (), (0,) * 5))
    monkeypatch.setattr(arith, "structures", lambda block, k: iter([("wrong", wrong)]))
    with pytest.raises(IRError, match="could not be built"):
        solve_block(popcount(20), SolveOptions(effort="fast"))
