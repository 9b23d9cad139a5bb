"""Whole-network optimization: every step keeps the function."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnlogic.checks import check
from nnlogic.core.errors import UsageError
from nnlogic.core.formats import IntFormat, LayerInfo, Port
from nnlogic.logic.cone import Cone, ConeBuilder, input_patterns
from nnlogic.logic.ir import LogicNet
from nnlogic.logic.network import optimize, optimize_net
from nnlogic.logic.network.blocks import blocks_of, joined
from nnlogic.logic.network.covers import Expansion
from nnlogic.logic.network.factor import build_tree, factored
from nnlogic.logic.network.scripts import restructured
from nnlogic.logic.network.tidy import tidied
from nnlogic.logic.network.wide import cover_cone
from nnlogic.logic.network.windows import Finder, Window, replaced, tabulated
from nnlogic.logic.rewrite import with_cone


def random_cone(seed: int, n_in: int = 6, nodes: int = 25, k: int = 4, outputs: int = 3) -> Cone:
    rng = np.random.default_rng(seed)
    fanins, tables = [], []
    for i in range(nodes):
        width = int(rng.integers(2, k + 1))
        pool = np.arange(max(0, n_in + i - 12), n_in + i)
        fanins.append(tuple(int(s) for s in rng.choice(pool, min(width, len(pool)), False)))
        tables.append(int(rng.integers(0, 1 << min(62, 1 << len(fanins[-1])))))
    picked = tuple(n_in + nodes - 1 - 2 * i for i in range(outputs))
    return Cone(n_in, tuple(fanins), tuple(tables), picked)


def same(left: Cone, right: Cone) -> bool:
    rows = input_patterns(left.n_inputs)
    return np.array_equal(left.evaluate(rows), right.evaluate(rows))


def net_of(cone: Cone, layers: int = 2) -> LogicNet:
    cone = tidied(cone)
    ports = tuple(Port(f"x{i}", IntFormat(1, False)) for i in range(cone.n_inputs))
    out = (Port("y", IntFormat(len(cone.outputs), False)),)
    infos = tuple(LayerInfo(f"fc{i}") for i in range(layers))
    none = np.zeros(0, np.int32)
    empty = LogicNet(
        "t", 6, ports, out, np.zeros((0, 6), np.int32), np.zeros(0, np.uint64), (), (), none,
        infos, none,
    )  # fmt: skip
    half = cone.n_nodes // layers
    place = [min(i // max(1, half), layers - 1) for i in range(cone.n_nodes)]
    names = [f"fc{at}/neuron{i}" for i, at in enumerate(place)]
    return with_cone(empty, cone, names, place, range(cone.n_inputs + cone.n_nodes))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6))
def test_covers_say_what_the_output_does(seed: int) -> None:
    cone = random_cone(seed, nodes=8)
    rows = input_patterns(6)
    for output, value in zip(cone.outputs, cone.evaluate(rows), strict=True):
        found = Expansion(cone, 64).cover(output)
        assert found is not None
        cover, complement = found
        got = np.zeros(64, bool)
        for cube in cover:
            got |= np.logical_and.reduce([rows[x >> 1] == (x & 1) for x in cube] or [got | True])
        assert np.array_equal(got ^ complement, value)


def test_a_cover_over_the_limit_is_refused() -> None:
    builder = ConeBuilder(12)
    at = 0
    for i in range(1, 12):
        at = builder.lut((at, i), 0b0110)
    assert Expansion(builder.cone((at,)), 64).cover(at) is None


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 6))
def test_factored_trees_keep_the_function(seed: int, k: int) -> None:
    cone = random_cone(seed, nodes=7, outputs=1)
    found = Expansion(cone, 64).cover(cone.outputs[0])
    assert found is not None
    new = cover_cone(6, *found, k, 20, seed)
    assert same(cone, new)
    assert not new.problems(k)


def test_packed_tree_has_the_luts_it_was_chosen_for() -> None:
    rng = np.random.default_rng(1)
    cover = tuple(
        frozenset(int(2 * v + rng.integers(2)) for v in rng.choice(30, 6, False)) for _ in range(15)
    )
    tree = factored(cover, 6, 100, 0)
    builder = ConeBuilder(30)
    luts = builder.cone([build_tree(tree, builder, 6)]).luts
    assert luts == tree.luts + 1
    assert luts <= factored(cover, 6, 0, 0).luts + 1


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(4, 8))
def test_windows_hold_together(seed: int, leaves: int) -> None:
    cone = tidied(random_cone(seed, n_in=10, nodes=40))
    pivots = [cone.n_inputs + i for i, f in enumerate(cone.fanins) if f]
    finder = Finder(cone, leaves, 20)
    for pivot in pivots[::5]:
        window = finder.around(pivot, seed)
        assert len(window.leaves) <= leaves
        assert pivot in window.nodes
        local = window.cone(cone)
        assert tabulated(local).n_outputs == len(window.roots)
        again = replaced(cone, window, local)
        assert again is None or same(cone, again)


def test_a_window_that_would_close_a_loop_is_left_alone() -> None:
    # Node 3 is outside the window {2, 4} but between its nodes.
    cone = Cone(2, ((0, 1), (2, 0), (3, 1)), (0b1000, 0b0110, 0b1110), (4, 2))
    window = Window((0, 1, 3), (2, 4), (2, 4))
    through = Cone(3, ((0, 2), (1, 2)), (0b1000, 0b1110), (3, 4))
    assert replaced(cone, window, through) is None
    assert replaced(cone, window, window.cone(cone)) == cone


@pytest.mark.parametrize("size", [1, 7, 100])
def test_blocks_cut_and_join(size: int) -> None:
    cone = tidied(random_cone(3, n_in=10, nodes=60))
    for offset in (0, size // 2):
        blocks = blocks_of(cone, size, offset)
        assert sum(len(b.nodes) for b in blocks) == cone.n_nodes
        assert same(cone, joined(cone, blocks, [b.cone(cone) for b in blocks]))


def test_abc_result_with_another_function_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    from nnlogic.logic.abc_blif import write_blif
    from nnlogic.logic.network import scripts

    cone = random_cone(5)
    assert same(cone, restructured(cone, "strash; if -K {k} -a", 6, 60) or cone)
    wrong = replace(cone, tables=(*cone.tables[:-1], cone.tables[-1] ^ 1))
    monkeypatch.setattr(scripts, "transform_blif", lambda *_, **__: write_blif(wrong))
    assert restructured(cone, "strash; if -K {k} -a", 6, 60) is None


@pytest.mark.parametrize("seed", [0, 1])
def test_optimize_keeps_the_function_and_costs_less(seed: int) -> None:
    cone = random_cone(seed, n_in=8, nodes=40)
    new = optimize(cone, effort="fast", jobs=1)
    assert same(cone, new)
    assert new.luts < cone.luts
    assert new == optimize(cone, effort="fast", jobs=2)
    assert not optimize(cone, k=4, effort="fast", jobs=1).problems(4)


@pytest.mark.parametrize("layers", ["keep", "merge"])
def test_optimized_network_is_equal_and_every_node_has_an_origin(layers: str) -> None:
    net = net_of(random_cone(2, n_in=8, nodes=40))
    new = optimize_net(net, layers=layers, effort="fast", jobs=1)
    assert check(net, new).equal
    assert set(new.origins) <= set(net.origins)
    assert new.stats()["luts"] <= net.stats()["luts"]
    rows = np.random.default_rng(0).integers(0, 2**64, (8, 4), dtype=np.uint64)
    old_values, new_values = net.trace_words(rows), new.trace_words(rows)
    for signal, cut in enumerate(new.cuts):
        if cut >= 0:
            assert np.array_equal(old_values[net.cuts[signal]], new_values[cut])
    fault = new.tables.copy()
    fault[-1] ^= np.uint64(1)
    assert not check(net, replace(new, tables=fault)).equal


def test_bad_options_are_usage_errors() -> None:
    cone = random_cone(0)
    for options in ({"k": 7}, {"effort": "some"}, {"objective": "speed"}, {"jobs": 0}):
        with pytest.raises(UsageError):
            optimize(cone, **options)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="unknown choice"):
        optimize_net(net_of(cone), layers="some")
