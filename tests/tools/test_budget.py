"""Budgets of searches: seconds, and interrupts that keep the best so far."""

from __future__ import annotations

import math
import pickle

import pytest

from nnlogic.tools.budget import ENDLESS, LEAST_SECONDS, Budget, budget, spending


def interrupted():
    raise KeyboardInterrupt


def test_a_part_ends_with_the_whole():
    whole = Budget(0.0)
    assert whole.spent
    assert Budget(60.0, within=whole).spent
    assert not Budget(60.0, within=Budget()).spent
    assert ENDLESS.left == math.inf


def test_a_step_that_has_begun_gets_something():
    assert Budget(0.0).within_timeout(60.0) == LEAST_SECONDS
    assert Budget(0.0).within_timeout(0.5) == 0.5
    assert Budget().within_timeout(60.0) == 60.0


def test_an_interrupt_ends_the_search_and_the_second_the_command():
    whole = Budget(keeps=True)
    part = Budget(60.0, within=whole)
    with spending(part):
        with budget().searching():
            interrupted()
        assert budget().spent
        assert whole.interrupted
        with pytest.raises(KeyboardInterrupt), budget().searching():
            interrupted()
    assert budget() is ENDLESS


def test_where_nothing_keeps_results_an_interrupt_is_one():
    with pytest.raises(KeyboardInterrupt), Budget(60.0).searching():
        interrupted()


def test_another_process_has_what_is_left():
    assert pickle.loads(pickle.dumps(Budget(60.0))).left == pytest.approx(60.0, abs=5.0)
    assert pickle.loads(pickle.dumps(Budget())).left == math.inf
    other = Budget(keeps=True)
    other.interrupted = True
    assert pickle.loads(pickle.dumps(other)).spent
