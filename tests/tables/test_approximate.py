"""Observed don't-cares, sampled functions, and the search under a budget."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnlogic.core import bits
from nnlogic.core.errors import IRError
from nnlogic.core.formats import IntFormat, LayerInfo, Port
from nnlogic.tables.approximate.learned import shorter_options
from nnlogic.tables.approximate.loss import Yardstick
from nnlogic.tables.approximate.observe import block_groups, entry_counts, without_rare
from nnlogic.tables.approximate.patch import Patch, substituted
from nnlogic.tables.approximate.sampled import Sampled, cover, grow
from nnlogic.tables.approximate.search import Option, Site, State, choose
from nnlogic.tables.approximate.small_tables import SmallTables, add_cover, add_forest
from nnlogic.tables.approximate.wide import sampled_options
from nnlogic.tables.approximate.wires import wired
from nnlogic.tables.evaluate import output_values
from nnlogic.tables.ir import Function, Instance, TableNet, Threshold, Word


def table(n, text_or_bits):
    return Function(n, bits.pack(np.array([text_or_bits], dtype=bool)))


def and_or_net():
    """``class`` is the AND of inputs 0 and 1; ``other`` the OR of 1 and 2 and the AND."""
    both = table(2, [0, 0, 0, 1])
    either = table(3, [0, 1, 1, 1, 1, 1, 1, 1])
    blocks = (
        Instance(0, (0, 1), (3,), "a/neuron0", 0),
        Instance(1, (1, 2, 3), (4,), "b/neuron0", 1),
    )
    bit = IntFormat(1)
    return TableNet(
        "small",
        tuple(Port(f"x{i}", bit) for i in range(3)),
        (Port("class", bit), Port("other", bit)),
        (both, either),
        blocks,
        (3, 4),
        (LayerInfo("a"), LayerInfo("b")),
    )


def test_outputs_give_way_to_what_agrees_on_most_rows():
    majority = table(3, [0, 0, 0, 1, 0, 1, 1, 1])
    counts = np.array([9, 0, 0, 2, 0, 3, 0, 9])
    (wire,) = wired(majority, counts)
    assert wire.table().tolist() == table(3, [0, 1] * 4).table().tolist()
    two = Function(3, bits.pack(np.array([[0, 0, 0, 1, 0, 1, 1, 1], [0, 1] * 4], bool)))
    # The second output is a wire already; alone it gives nothing new.
    assert [f.table()[0].tolist() for f in wired(two, counts)] == [wire.table()[0].tolist()] * 2
    constant = [0, 0, 0, 1]
    assert wired(table(2, constant), np.array([5, 2, 2, 1]))[0].table().tolist() == [[0] * 4]
    assert wired(table(2, [0, 1, 0, 1]), np.ones(4, int)) == []


def test_rare_entries_become_dont_cares_that_name_their_reason():
    f = table(2, [0, 1, 1, 0])
    counts = np.array([5, 0, 2, 1])
    assert without_rare(f, counts, 0) is f
    never = without_rare(f, counts, 1)
    assert never.care_bools().tolist() == [True, False, True, True]
    assert never.justification == "observed data"
    assert never.problems() == []
    assert without_rare(f, counts, 3).care_bools().tolist() == [True, False, False, False]
    assert without_rare(f, counts, 99).care_bools().sum() == 1


def test_exact_dont_cares_stay_free():
    exact = Function(2, bits.pack(np.array([[0, 1, 0, 0]], bool)), bits.pack(
        np.array([1, 1, 0, 1], bool)), "exact SDC")  # fmt: skip
    got = without_rare(exact, np.array([9, 9, 9, 0]), 1)
    assert got.care_bools().tolist() == [True, True, False, False]
    assert without_rare(exact, np.array([9, 9, 0, 9]), 1).justification == "exact SDC"


def test_counts_are_summed_over_all_uses():
    net = and_or_net()
    values = net.trace(np.array([[1, 1, 0], [1, 1, 0], [0, 1, 1]]))
    uses = [net.blocks[0], Instance(0, (1, 2), (9,), "", 0)]
    assert entry_counts(net.functions[0], uses, values).tolist() == [0, 2, 1, 3]
    assert block_groups(net) == [range(0, 1), range(1, 2)]


def test_the_loss_counts_pairs_and_their_error():
    exact = np.array([[0], [1], [1], [0]])
    labels = np.array([0, 1, 0, 1])
    yardstick = Yardstick.of(0, exact, labels)
    assert yardstick.measure == "accuracy"
    same = yardstick.right(exact)
    assert yardstick.loss(same) == 0
    # Row 0 becomes wrong, row 2 becomes right: no drop, but two rows of uncertainty.
    moved = yardstick.right(np.array([[1], [1], [0], [0]]))
    assert yardstick.loss(moved) == pytest.approx(100 * 1.645 * 2**0.5 / 4)
    worse = yardstick.right(np.array([[1], [1], [1], [0]]))
    assert yardstick.loss(worse) > 25
    free = Yardstick.of(0, exact, None)
    assert free.measure == "agreement"
    assert free.right(np.array([[1], [1], [0], [0]])).sum() == 2
    assert Yardstick.of(None, np.zeros((2, 2)), labels[:2]).measure == "agreement"


def state_of(net, codes, labels=None):
    column = [p.name for p in net.outputs].index("class")
    yardstick = Yardstick.of(column, net.evaluate(codes), labels)
    return State(net, yardstick, net.trace(codes))


CODES = np.tile([[0, 0, 0], [0, 1, 0], [0, 1, 1], [1, 1, 0], [1, 1, 1]], (200, 1))
ODD = np.array([[1, 0, 0]] * 10)


@pytest.mark.parametrize(("allowance", "taken"), [(0.0, 0), (1.2, 0), (2.0, 1), (120.0, 2)])
def test_the_search_stops_where_the_budget_is_spent(allowance, taken):
    net = and_or_net()
    codes = np.concatenate([CODES, ODD])
    observed, validation = state_of(net, CODES), state_of(net, codes)
    options = [
        Option("exact", 3.0, net.functions[0]),
        Option("loses 1 percent", 1.0, table(2, [0, 1, 0, 1])),
        Option("loses almost all", 0.0, table(2, [1, 0, 1, 0])),
    ]
    # The observed rows have no a=1, b=0; their only loss is in the last option.
    site = Site((0,), options)
    choose(observed, validation, [site], 1, allowance)
    assert site.choice == taken
    assert validation.loss <= allowance
    for state, rows in ((observed, CODES), (validation, codes)):
        final = substituted(net, {0: site.chosen.function}, {})
        assert np.array_equal(output_values(net, state.values), final.evaluate(rows))


def test_substitution_keeps_the_network_around_a_patch():
    net = and_or_net()
    nand = table(2, [1, 1, 1, 0])
    inverted = table(1, [1, 0])
    patch = Patch(
        (nand, inverted),
        (Instance(0, (0, 1), (2,), "", 0), Instance(1, (2,), (3,), "", 0)),
        (3,),
    )
    codes = bits.random_codes(net.inputs, 64)
    got = substituted(net, {}, {0: patch})
    assert np.array_equal(got.evaluate(codes), net.evaluate(codes))
    assert [b.origin for b in got.blocks] == ["a/neuron0/part0", "a/neuron0/part1", "b/neuron0"]
    assert substituted(net, {}, {}).text() == net.text()


@st.composite
def observed(draw):
    n = draw(st.integers(1, 9))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    patterns = rng.random((n, draw(st.integers(1, 120)))) < 0.5
    weights = rng.integers(-5, 6, n)
    return patterns, weights @ patterns >= weights.sum() / 2


@settings(max_examples=40, deadline=None)
@given(observed())
def test_a_cover_honours_every_pattern(data):
    patterns, outcome = data
    function = Sampled.of(patterns, outcome)
    tables = SmallTables(len(patterns), 4)
    cubes = cover(function)
    patch = tables.patch([add_cover(tables, cubes)])
    assert np.array_equal(patch.evaluate(patterns)[0], outcome)
    assert all(f.n_inputs <= 4 for f in patch.functions)
    for gone in range(len(cubes)):
        rest = SmallTables(len(patterns), 4)
        without = rest.patch([add_cover(rest, cubes[:gone] + cubes[gone + 1 :])])
        assert not np.array_equal(without.evaluate(patterns)[0], outcome), "a cube is redundant"


@settings(max_examples=40, deadline=None)
@given(observed(), st.integers(3, 6), st.sampled_from([1, 3, 5, 7]))
def test_forests_answer_as_their_trees_vote(data, k, trees):
    patterns, outcome = data
    function = Sampled.of(patterns, outcome)
    grown = [grow(function, 8, share=0.7, seed=i) for i in range(trees)]
    tables = SmallTables(len(patterns), k)
    patch = tables.patch([add_forest(tables, grown)])
    assert all(f.n_inputs <= k for f in patch.functions)

    def walk(tree, column):
        node = 0
        while tree.inputs[node] >= 0:
            node = tree.children[node][int(column[tree.inputs[node]])]
        return tree.values[node]

    votes = [sum(walk(t, c) for t in grown) > len(grown) // 2 for c in patterns.T]
    assert patch.evaluate(patterns)[0].tolist() == votes


def test_a_tree_grown_to_the_end_honours_every_pattern():
    rng = np.random.default_rng(4)
    patterns = rng.random((40, 500)) < 0.5
    outcome = patterns[3] ^ (patterns[7] & patterns[9])
    tree = grow(Sampled.of(patterns, outcome), 10**6)
    tables = SmallTables(40, 6)
    patch = tables.patch([add_forest(tables, [tree])])
    assert np.array_equal(patch.evaluate(patterns)[0], outcome)


def test_a_tree_cut_back_is_the_tree_grown_less_far():
    rng = np.random.default_rng(2)
    patterns = rng.random((12, 400)) < 0.5
    function = Sampled.of(patterns, rng.integers(-5, 6, 12) @ patterns > 1)
    large = grow(function, 40)
    for leaves in (1, 2, 7, 40):
        assert large.first(leaves) == grow(function, leaves)


def test_patterns_that_contradict_each_other_are_refused():
    same = np.zeros((3, 2), dtype=bool)
    with pytest.raises(IRError, match="contradict"):
        Sampled.of(same, np.array([True, False]))


def wide_block(n=24, levels=4):
    rng = np.random.default_rng(7)
    weights = tuple(int(w) for w in rng.integers(-40, 41, n))
    words = tuple(Word((i,)) for i in range(n))
    limits = tuple(int(t) for t in np.linspace(-50, 60, levels - 1))
    width = (levels - 1).bit_length()
    result = Word(tuple(range(n, n + width)))
    return Threshold(words, weights, 3, limits, result, "fc/neuron0", 0)


def test_stand_ins_for_wide_neurons_get_better_with_size():
    block = wide_block()
    rng = np.random.default_rng(1)
    values = np.zeros((26, 3000), dtype=bool)
    values[:24] = rng.random((24, 3000)) < 0.5
    total = np.array(block.weights) @ values[:24] + 3
    code = np.searchsorted(block.thresholds, total, side="right")
    truth = np.array([code & 1, code >> 1], dtype=bool)

    def share(patch):
        return float((patch.evaluate(values[:24]) == truth).all(axis=0).mean())

    short = [share(p) for _, p in shorter_options(block, values)]
    assert short[-1] > 0.9 > 0.7 > short[0]
    sampled = [share(p) for _, p in sampled_options(block, values, 6)]
    assert sampled[0] < sampled[-1]
    assert [w for w, _ in sampled_options(block, values, 6)] == [
        w for w, _ in sampled_options(replace(block, origin="x"), values, 6)
    ]


def test_inputs_that_say_the_same_on_the_rows_are_made_up_for_by_the_others():
    block = wide_block(levels=2)
    rng = np.random.default_rng(3)
    values = np.zeros((25, 2000), dtype=bool)
    values[:12] = rng.random((12, 2000)) < 0.5
    values[12:24] = values[:12]
    answers = np.array(block.weights) @ values[:24] + 3 >= block.thresholds[0]
    options = dict(shorter_options(block, values))
    half = [o for what, o in options.items() if int(what.split()[0]) <= 12]
    right = [float((o.evaluate(values[:24])[0] == answers).mean()) for o in half]
    # Cut by the size of their weights, the twelve would be another sum: about 80 % right.
    assert max(right) > 0.98
    # With every input its own, twelve cannot say what all do.
    values[12:24] = rng.random((12, 2000)) < 0.5
    answers = np.array(block.weights) @ values[:24] + 3 >= block.thresholds[0]
    assert max(float((o.evaluate(values[:24])[0] == answers).mean()) for o in half) < 0.95
    half = [o for what, o in shorter_options(block, values) if int(what.split()[0]) <= 12]
    assert max(float((o.evaluate(values[:24])[0] == answers).mean()) for o in half) < 0.97
