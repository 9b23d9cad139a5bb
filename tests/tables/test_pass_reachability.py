"""Joint reachability: exact where it may enumerate, a superset wherever it may not."""

from dataclasses import replace

import numpy as np
import pytest
from helpers_tables import cared, outputs_on_every_input, random_net, reachable
from hypothesis import given, settings
from hypothesis import strategies as st

from nnlogic.core.errors import ToolFailed, UsageError
from nnlogic.tables.passes import search_codes
from nnlogic.tables.passes.cone_sources import plan_cone
from nnlogic.tables.passes.effort import EFFORTS, Effort
from nnlogic.tables.passes.graph import Graph
from nnlogic.tables.passes.joint_codes import joint_indices
from nnlogic.tables.passes.mark_unreachable_inputs import mark_unreachable_inputs
from nnlogic.tables.passes.reach import groups_of

ONLY_SAT = replace(EFFORTS["high"], combinations=1, work=0, samples=4)
NOTHING = replace(ONLY_SAT, questions=0)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 5), st.integers(2, 4))
def test_enumeration_is_exact(seed, ports, layers):
    net = random_net(seed, ports, layers)
    marked, reach = mark_unreachable_inputs(net, EFFORTS["normal"])
    marked.verify()
    assert cared(marked) == reachable(net)
    assert reach.skipped == reach.asked == 0
    assert np.array_equal(outputs_on_every_input(marked), outputs_on_every_input(net))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_without_effort_the_care_sets_are_supersets(seed):
    net = random_net(seed)
    marked, _ = mark_unreachable_inputs(net, NOTHING)
    found, exact = cared(marked), reachable(net)
    assert all(found[origin] >= exact[origin] for origin in exact)


@pytest.mark.parametrize("seed", range(4))
def test_sat_alone_is_exact_behind_tables(seed):
    net = random_net(seed)
    marked, reach = mark_unreachable_inputs(net, ONLY_SAT)
    found, exact = cared(marked), reachable(net)
    assert reach.asked
    assert all(found[o] == exact[o] for o in exact if o.startswith(("enc", "fc")))
    assert all(found[o] >= exact[o] for o in exact)


def test_what_sat_does_not_answer_stays(monkeypatch):
    def fails(*_args, **_options):
        raise ToolFailed("no answer")

    monkeypatch.setattr(search_codes, "transform_blif", fails)
    net = random_net(1)
    marked, reach = mark_unreachable_inputs(net, ONLY_SAT)
    found, exact = cared(marked), reachable(net)
    assert reach.kept
    assert all(found[o] >= exact[o] for o in exact)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_groups_split_into_chunks_give_the_same(seed):
    from nnlogic.tables.passes import joint_codes

    graph = Graph(random_net(seed, ports=5, layers=4))
    unit = len(graph.fan_in) - 4
    for pins in groups_of(graph, unit):
        plan = plan_cone(graph, pins, lambda _: None)
        whole = joint_indices(graph, pins, plan, 16)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(joint_codes, "CHUNK", 8)
            patch.setattr(joint_codes, "AXIS", 4)
            assert np.array_equal(joint_indices(graph, pins, plan, 16), whole)


def test_declared_care_sets_are_kept():
    net = random_net(2)
    first, _ = mark_unreachable_inputs(net, EFFORTS["normal"])
    again, _ = mark_unreachable_inputs(first, NOTHING)
    assert cared(again) == cared(first)


def test_the_same_every_time():
    net = random_net(5)
    one, _ = mark_unreachable_inputs(net, ONLY_SAT)
    two, _ = mark_unreachable_inputs(net, ONLY_SAT)
    assert one.text() == two.text()


def test_unknown_effort():
    with pytest.raises(UsageError, match="effort"):
        Effort.named("hihg")


def test_what_could_not_be_proved_again_is_not_looked_for():
    net = random_net(1)
    _, reach = mark_unreachable_inputs(net, replace(ONLY_SAT, proofs=40))
    assert reach.skipped
    assert "too large for this effort" in reach.text()
