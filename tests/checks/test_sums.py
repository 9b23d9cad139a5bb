"""Certificates of sums and argmaxes: what is right is proved, every planted fault is caught."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnlogic.checks import check, wide
from nnlogic.checks.cones import prove_cones
from nnlogic.checks.ranges import constant_bits
from nnlogic.checks.sums import certify
from nnlogic.core.formats import IntFormat, LayerInfo, Port
from nnlogic.logic.build import minimize
from nnlogic.logic.certificate import Group
from nnlogic.logic.structures import structures
from nnlogic.logic.truth import full
from nnlogic.quant.ir import Argmax, Linear, QuantNet
from nnlogic.tables.build import tabulate
from nnlogic.tables.evaluate import block_values
from nnlogic.tables.ir import ArgmaxBlock, Sum, TableNet, Threshold, Word


def words(widths, signed=False):
    out, at = [], 0
    for width in widths:
        out.append(Word(tuple(range(at, at + width)), signed))
        at += width
    return tuple(out), at


def total(widths, weights=None, bias=0, signed=False):
    chosen, at = words(widths, signed)
    weights = weights or (1,) * len(chosen)
    ends = [(w * f.lo, w * f.hi) for w, f in zip(weights, (c.format for c in chosen), strict=True)]
    fmt = IntFormat.holding(bias + sum(map(min, ends)), bias + sum(map(max, ends)))
    result = Word(tuple(range(at, at + fmt.bits)), fmt.signed)
    return Sum(chosen, tuple(weights), bias, result, "sum", 0)


def threshold():
    inner = total([3, 4, 2, 3, 5], (3, -2, 7, 1, -1), -9, signed=True)
    at = inner.result.signals[0]
    levels = (-30, -3, 0, 1, 12)
    result = Word((at, at + 1, at + 2))
    return Threshold(inner.words, inner.weights, inner.bias, levels, result, "level", 0)


def argmax(n, width, signed=False):
    chosen, at = words([width] * n, signed)
    bits = max(1, (n - 1).bit_length())
    return ArgmaxBlock(chosen, Word(tuple(range(at, at + bits))), "argmax", 0)


def mixed():
    """Words of several widths, signed and not."""
    chosen, at = words([9, 4, 12], signed=True)
    rest = tuple(Word(tuple(s + at for s in w.signals)) for w in words([3, 11])[0])
    at += 14
    return ArgmaxBlock((*chosen, *rest), Word((at, at + 1, at + 2)), "argmax", 0)


def wide_threshold():
    """A sum of more bits than are enumerated."""
    inner = total([18, 16, 17], (5, -9, 2), 77, signed=True)
    at = inner.result.signals[0]
    levels = (-190_001, -3, 0, 1, 65_536, 65_537, 400_000)
    return Threshold(
        inner.words, inner.weights, inner.bias, levels, Word((at, at + 1, at + 2)), "level", 0
    )


def network(block):
    ports = tuple(Port(f"p{i}", w.format) for i, w in enumerate(block.words))
    out = (Port("y", block.result.format),)
    layers = (LayerInfo("a", "output"),)
    net = TableNet("one", ports, out, (), (block,), block.result.signals, layers)
    net.verify()
    return net


BLOCKS = {
    "popcount": total([1] * 45),
    "words": total([4] * 16, bias=-17),
    "signed": total([5, 3, 6, 2, 4], signed=True),
    "weights": total([3, 2, 4, 3, 3], (5, -7, 11, 3, -23), 13),
    "threshold": threshold(),
    "argmax": argmax(10, 7),
    "argmax of signed": argmax(5, 8, True),
    "argmax of wide words": argmax(10, 17, True),
    "argmax of mixed words": mixed(),
    "threshold of a wide sum": wide_threshold(),
}
SMALL = {k: BLOCKS[k] for k in ("signed", "weights", "threshold", "threshold of a wide sum")} | {
    "argmax": argmax(4, 4),
    "argmax of wide words": argmax(3, 11),
}


@pytest.mark.parametrize("k", [2, 4, 6])
@pytest.mark.parametrize("name", BLOCKS)
def test_structures_of_wide_blocks_are_proved(name, k):
    assert [certify(BLOCKS[name], s) for _, s in structures(BLOCKS[name], k)].count("") >= 2


@pytest.mark.parametrize("name", SMALL)
def test_every_wrong_lut_is_caught_or_harmless(name):
    block = SMALL[name]
    _, good = next(structures(block, 6))
    cone = good.cone
    patterns = np.random.default_rng(0).random((cone.n_inputs, 4096)) < 0.5
    expected = cone.evaluate(patterns)
    for node, fanin in enumerate(cone.fanins):
        tables = list(cone.tables)
        tables[node] ^= full(len(fanin))
        bad = replace(cone, tables=tuple(tables))
        if (bad.evaluate(patterns) != expected).any():
            assert certify(block, replace(good, cone=bad))
        tables[node] = cone.tables[node] ^ 1 << (full(len(fanin)).bit_length() - 1)
        bad = replace(cone, tables=tuple(tables))
        if (bad.evaluate(patterns) != expected).any():
            assert certify(block, replace(good, cone=bad))


def test_a_structure_of_another_block_is_not_a_proof():
    _, made = next(structures(BLOCKS["weights"], 6))
    block = BLOCKS["weights"]
    assert certify(block, made) == ""
    assert certify(replace(block, bias=block.bias + 1), made)
    assert certify(replace(block, weights=(5, -7, 11, 3, -22)), made)
    block = BLOCKS["threshold"]
    _, made = next(structures(block, 6))
    assert certify(replace(block, thresholds=(-30, -3, 0, 2, 12)), made)
    assert "fit" in certify(block, replace(made, offset=made.offset + (1 << len(made.total))))


def test_wrong_certificates_are_refused():
    block = BLOCKS["words"]
    _, made = next(structures(block, 6))
    first, *rest = made.groups
    (carry, weight), *others = reversed(first.outputs)
    dropped = replace(first, outputs=tuple(others))
    moved = replace(first, outputs=((carry, weight * 2), *others))
    for wrong in (dropped, moved, replace(first, constant=first.constant + 1)):
        assert "group 0" in certify(block, replace(made, groups=(wrong, *rest)))
    nothing = Group((), (), 1)
    assert "group 0" in certify(
        replace(block, bias=-18), replace(made, groups=(nothing, *made.groups))
    )
    assert "leave" in certify(block, replace(made, groups=tuple(rest)))
    assert "leave" in certify(block, replace(made, total=made.total[::-1]))
    outputs = made.cone.outputs[::-1]
    assert "outputs" in certify(block, replace(made, cone=replace(made.cone, outputs=outputs)))


def test_wrong_certificates_of_an_argmax_are_refused():
    block = argmax(5, 4)
    _, made = next(structures(block, 6))
    first, *rest = made.matches

    def refused(**changes):
        return certify(block, replace(made, **changes))

    swapped = replace(first, entries=first.entries[::-1])
    blind = replace(first, beaten=())
    bare = replace(first, winner=replace(first.winner, word=()))
    assert "order" in refused(matches=(swapped, *rest))
    assert "all pairs" in refused(matches=(blind, *rest))
    assert "nowhere" in refused(matches=(bare, *rest))
    assert refused(matches=tuple(rest))
    assert refused(matches=made.matches[:-1])
    assert refused(leaves=made.leaves[::-1])
    assert "entries" in refused(leaves=made.leaves[:-1])


@pytest.mark.parametrize("name", ["words", "threshold", "argmax"])
def test_minimized_blocks_are_proved_and_faults_are_found(name, tmp_path):
    net = network(BLOCKS[name])
    logic = minimize(net, jobs=1, cache_dir=False, effort="fast")
    proof = prove_cones(net, logic)
    assert (proof.by_certificate, proof.unproved, proof.difference) == (1, "", None)
    verdict = check(net, logic)
    assert (verdict.equal, verdict.how) == (True, "proved")
    assert "certificate" in verdict.detail
    tables = np.array(logic.tables)
    tables[logic.n_nodes // 2] ^= np.uint64(full(int(logic.fan_in_counts[logic.n_nodes // 2])))
    proof = prove_cones(net, replace(logic, tables=tables))
    assert proof.difference is not None


def test_a_fault_that_samples_miss_is_found():
    """One entry of a LUT near the result, seen in few rows out of 2**64."""
    net = network(BLOCKS["words"])
    logic = minimize(net, jobs=1, cache_dir=False, effort="fast")
    top = logic.output_signals[-1] - logic.n_inputs
    found = set()
    for index in range(1 << int(logic.fan_in_counts[top])):
        tables = np.array(logic.tables)
        tables[top] ^= np.uint64(1 << index)
        found.add(prove_cones(net, replace(logic, tables=tables)).difference is not None)
    assert True in found


def test_limits_reached_are_stated_not_passed_over(monkeypatch):
    monkeypatch.setattr(wide, "certify", lambda block, structure: "not today")
    monkeypatch.setattr(wide, "SWEEP_SECONDS", 1)
    net = network(BLOCKS["words"])
    logic = minimize(net, jobs=1, cache_dir=False, effort="fast")
    verdict = check(net, logic)
    assert verdict.how == "sampled n=4096"
    assert "not proved" in verdict.detail


def test_without_a_certificate_a_block_is_enumerated(monkeypatch):
    monkeypatch.setattr(wide, "certify", lambda block, structure: "not today")
    net = network(total([5, 3, 6, 4], signed=True))
    logic = minimize(net, jobs=1, cache_dir=False, effort="fast")
    assert check(net, logic).how == "proved"
    tables = np.array(logic.tables)
    tables[-1] ^= np.uint64(1)
    proof = prove_cones(net, replace(logic, tables=tables))
    assert proof.unproved == ""


def convolution(seed=0, kernels=2, size=6, window=3, classes=10):
    """Convolution of one bit a pixel, written out, and a dense layer of plain sums of 10 bits.

    Some sums cannot be negative, some are even, one is zero: bits of their words are constant.
    """
    rng = np.random.default_rng(seed)
    bit = IntFormat(1)
    places = size - window + 1
    kernel = rng.integers(-2, 3, (kernels, window, window))
    maps = np.zeros((places, places, kernels, size, size), np.int64)
    for y, x in np.ndindex(places, places):
        maps[y, x, :, y : y + window, x : x + window] = kernel
    maps = maps.reshape(-1, size * size)
    n = len(maps)
    conv = Linear(
        "conv", ("input",), maps, np.zeros(n, np.int64), np.ones((n, 1), np.int64), (bit,) * n
    )
    weights = rng.integers(-16, 17, (classes, n))
    weights[0] = abs(weights[0])
    weights[1] *= 2
    weights[2] = 0
    low, high = np.minimum(weights, 0).sum(axis=1), np.maximum(weights, 0).sum(axis=1)
    wide = IntFormat.holding(int(low.min()), int(high.max()))
    dense = Linear(
        "dense", ("conv",), weights, np.zeros(classes, np.int64), None, (wide,) * classes
    )
    index = IntFormat.holding(0, classes - 1)
    last = Argmax("class", ("dense",), (index,))
    ports = tuple(Port(f"p{i}", bit) for i in range(size * size))
    return QuantNet("conv", ports, (conv, dense, last), ((Port("class", index), "class", 0),))


def test_argmax_over_plain_sums_is_proved_block_by_block(monkeypatch):
    monkeypatch.setattr("nnlogic.checks.whole.prove_whole", None)
    tables = tabulate(convolution())
    logic = minimize(tables, jobs=1, cache_dir=False, effort="fast")
    proof = prove_cones(tables, logic)
    assert (proof.gap, proof.unproved, proof.difference) == ("", "", None)
    assert proof.by_sat == 0
    assert "certificate" in check(tables, logic).detail
    for signal in logic.output_signals[:2]:
        nodes = np.array(logic.tables)
        nodes[signal - logic.n_inputs] ^= np.uint64(1)
        wrong = prove_cones(tables, replace(logic, tables=nodes))
        assert wrong.difference is not None
        assert wrong.difference[0].startswith("class")


@pytest.mark.parametrize("outputs", ["scores", "class"])
def test_sums_of_sums_are_proved(outputs):
    rng = np.random.default_rng(3)
    fmt = IntFormat(4)
    first = total([4] * 8)
    ports = tuple(Port(f"p{i}", fmt) for i in range(8))
    one = Linear(
        "one", ("input",), rng.integers(-7, 8, (4, 8)), np.zeros(4, np.int64), None,
        (IntFormat(11, True),) * 4,
    )  # fmt: skip
    two = Linear(
        "two", ("one",), 4 * rng.integers(-3, 4, (3, 4)), np.array([4, -8, 0]), None,
        (IntFormat(17, True),) * 3,
    )  # fmt: skip
    last = Argmax("class", ("two",), (IntFormat(2),))
    wires = tuple((Port(f"y{i}", two.formats[i]), "two", i) for i in range(3))
    if outputs == "class":
        wires = ((Port("class", IntFormat(2)), "class", 0),)
    layers = (one, two, last) if outputs == "class" else (one, two)
    tables = tabulate(QuantNet("sums", ports, layers, wires))
    logic = minimize(tables, jobs=1, cache_dir=False, effort="fast")
    proof = prove_cones(tables, logic)
    assert (proof.gap, proof.unproved, proof.difference, proof.by_sat) == ("", "", None, 0)
    assert first.result.format.bits < 17


def test_a_bit_that_nothing_carries_may_be_missing_only_where_it_does_not_matter():
    """Two words whose sum is truncated: the top bit of one has a weight beyond the result."""
    block = Sum(
        (Word(tuple(range(12))), Word(tuple(range(12, 24)))),
        (1, 256),
        0,
        Word(tuple(range(24, 24 + 21))),
        "sum",
        0,
    )
    net = network(block)
    logic = minimize(net, jobs=1, cache_dir=False, effort="fast")
    cuts = np.array(logic.cuts)
    assert prove_cones(net, logic).gap == ""
    cuts[23] = -1
    assert prove_cones(net, replace(logic, cuts=cuts)).gap


def test_constant_bits_follow_from_range_and_divisibility():
    block = total([3, 2], (4, 8), 2)
    fixed = constant_bits(block, {})
    assert {s - block.result.signals[0]: v for s, v in fixed.items()} == {0: 0, 1: 1}
    assert constant_bits(block, dict.fromkeys(range(5), 1)) == {
        s: 4 * 7 + 8 * 3 + 2 >> b & 1 for b, s in enumerate(block.outputs)
    }
    level = threshold()
    assert constant_bits(level, {}) == {}
    never = replace(level, thresholds=(10_000, 10_001))
    assert set(constant_bits(never, {}).values()) == {0}


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_constant_bits_are_constant(data):
    widths = data.draw(st.lists(st.integers(1, 3), min_size=1, max_size=4))
    weights = data.draw(st.lists(st.integers(-6, 6), min_size=len(widths), max_size=len(widths)))
    block = total(widths, weights, data.draw(st.integers(-20, 20)), data.draw(st.booleans()))
    n = sum(widths)
    known = data.draw(st.dictionaries(st.integers(0, n - 1), st.integers(0, 1)))
    rows = (np.arange(1 << n)[None, :] >> np.arange(n)[:, None] & 1).astype(bool)
    for signal, value in known.items():
        rows = rows[:, rows[signal] == value]
    raw = block_values(block, rows)
    first = block.result.signals[0]
    for signal, value in constant_bits(block, known).items():
        assert (raw >> signal - first & 1 == value).all()
