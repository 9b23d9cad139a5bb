"""Pairs of LUTs that fit a cell with two outputs."""

from hypothesis import given, settings
from hypothesis import strategies as st

from nnlogic.logic.cone import Cone
from nnlogic.logic.dual import SHARED, shared_cells


def test_two_functions_of_five_inputs_share_a_cell():
    cone = Cone(9, ((0, 1, 2, 3, 4), (1, 3), (5, 6, 7, 8, 0), (2, 9)), (1, 1, 1, 1), (10, 11, 12))
    assert shared_cells(cone) == [(0, 1)]


def test_nothing_shares_with_six_inputs_or_a_wire():
    cone = Cone(6, ((0, 1, 2, 3, 4, 5), (0, 1), (0,)), (1, 1, 1), (6, 7, 8))
    assert shared_cells(cone) == []


def test_no_cell_reads_itself():
    straight = Cone(3, ((0, 1, 2), (1, 2, 3)), (1, 1), (4,))
    assert shared_cells(straight) == []
    # Either pair alone would do; both together read each other.
    crossed = Cone(8, ((0, 1, 2, 3), (4, 5, 6, 7), (4, 5, 6, 8), (0, 1, 2, 9)), (1,) * 4, (10, 11))
    assert shared_cells(crossed) == [(0, 3)]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sets(st.integers(0, 7), min_size=1, max_size=6), max_size=12))
def test_pairs_fit_and_none_that_fits_is_left(fanins):
    cone = Cone(8, tuple(tuple(sorted(f)) for f in fanins), (1,) * len(fanins), ())
    pairs = shared_cells(cone)
    used = [node for pair in pairs for node in pair]
    assert len(set(used)) == len(used)
    reads = [set(f) for f in cone.fanins]
    for a, b in pairs:
        assert len(reads[a] | reads[b]) <= SHARED
        assert min(len(reads[a]), len(reads[b])) >= 2
    left = [i for i, f in enumerate(reads) if len(f) >= 2 and i not in used]
    for i, a in enumerate(left):
        assert not any(len(reads[a] | reads[b]) <= SHARED for b in left[:i])
