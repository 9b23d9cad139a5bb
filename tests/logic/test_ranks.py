"""Ranks of wide words: every way of building them is right, and small where it should be."""

from dataclasses import replace

import numpy as np
import pytest

from nnlogic.checks.sums import certify
from nnlogic.logic.cone import input_patterns
from nnlogic.logic.ranks import rank_cones
from nnlogic.logic.structures import structures, tidy
from nnlogic.tables.ir import Threshold, Word

EVEN = tuple(range(40, 440, 9))


def ranked(n, cuts):
    """The rank of every word, as bits (bits of the rank, words)."""
    rank = np.searchsorted(cuts, np.arange(1 << n), side="right")
    return (rank >> np.arange(len(cuts).bit_length())[:, None] & 1) > 0


@pytest.mark.parametrize("k", [2, 3, 4, 6])
@pytest.mark.parametrize("seed", range(3))
def test_every_way_gives_the_rank_of_every_word(k, seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(7, 12))
    low, high = sorted(rng.integers(1, 1 << n, 2))
    count = int(min(high - low + 1, rng.integers(4, 30)))
    far = rng.integers(1, 1 << n, int(rng.integers(0, 3)))
    cuts = sorted({*rng.choice(np.arange(low, high + 1), count, replace=False), *far})
    names = set()
    for name, cone in rank_cones(n, tuple(map(int, cuts)), k):
        names.add(name.split()[0])
        assert cone.problems(k) == []
        assert np.array_equal(cone.evaluate(input_patterns(n)), ranked(n, cuts)), name
    assert "comparators" in names


def block(cuts, bits, signed=False, bias=0):
    width = len(cuts).bit_length()
    word = Word(tuple(range(bits)), signed)
    result = Word(tuple(range(bits, bits + width)))
    shift = -(1 << bits - 1) * signed + bias
    return Threshold((word,), (1,), bias, tuple(c + shift for c in cuts), result, "", 0)


@pytest.mark.parametrize("signed", [False, True])
def test_they_are_proved_and_a_wrong_one_is_not(signed):
    one = block(EVEN, 16, signed, bias=5)
    found = dict(structures(one, 6))
    own = {name: s for name, s in found.items() if "cells" in name}
    assert own
    for structure in own.values():
        assert certify(one, structure) == ""
        cone = structure.cone
        tables = list(cone.tables)
        at = max(i for i, fanin in enumerate(cone.fanins) if len(fanin) == 6)
        tables[at] ^= 1 << 13
        assert certify(one, replace(structure, cone=replace(cone, tables=tuple(tables))))


def test_many_thresholds_of_a_wide_word_cost_less_than_one_lut_each():
    luts = {name: tidy(s.cone).luts for name, s in structures(block(EVEN, 16), 6)}
    assert min(luts.values()) < len(EVEN)
    assert luts["structure"] > 3 * min(luts.values())
