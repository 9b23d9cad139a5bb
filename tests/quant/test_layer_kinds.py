"""The contract of layer kinds, for every kind there is and for one outside the package.

A new kind adds one entry to `FIXTURES`. Layers are small enough to see all their inputs.
"""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nnlogic.backends.chain.checks import check_structure
from nnlogic.backends.chain.model.chain import segments_of
from nnlogic.backends.chain.model.split import split
from nnlogic.checks.compare import compare
from nnlogic.checks.layer import Checker
from nnlogic.checks.layers import checkers
from nnlogic.core import bits, plugins
from nnlogic.core.archive import frozen
from nnlogic.core.errors import IRError, UsageError
from nnlogic.core.formats import IntFormat, Port
from nnlogic.core.windows import Frame, Window
from nnlogic.quant import ir
from nnlogic.quant.ir import INPUT, Argmax, Enumerated, Linear, QuantNet, Windowed
from nnlogic.quant.kernel import Kernel
from nnlogic.quant.layer import Largest, Layer, Sums
from nnlogic.quant.layers import layer_kinds
from nnlogic.tables.build import tabulate

sys.path.insert(0, str(Path(__file__).parents[2] / "examples" / "extending" / "layer_kind"))
from nnlogic_median import Median, MedianChecker

FORMATS = (IntFormat(2, True), IntFormat(2), IntFormat(1), IntFormat(2), IntFormat(2))


def linear(rng, levels=3):
    weights = rng.integers(-3, 4, (3, 5)) * (rng.random((3, 5)) < 0.7)
    bounds = np.sort(rng.integers(-9, 9, (3, levels)), axis=1) if levels else None
    out = IntFormat(2) if levels else IntFormat(8, True)
    return Linear("it", (INPUT,), weights, rng.integers(-4, 4, 3), bounds, (out,) * 3)


def enumerated(rng):
    inputs = ((1, 0), (3,), (), (4, 2, 0), (1, 1))
    sizes = [sum(FORMATS[w].bits for w in wires) for wires in inputs]
    tables = tuple(frozen(rng.integers(-4, 4, 1 << size), np.int64) for size in sizes)
    return Enumerated("it", (INPUT,), inputs, tables, (IntFormat(3, True),) * 5, FORMATS, "encoder")


def argmax(rng):
    return Argmax("it", (INPUT,), (IntFormat(3),))


def median(rng):
    return Median("it", (INPUT,), ((1, 3, 4), (4,), (4, 1, 4)), (IntFormat(2),) * 3)


def windowed(rng):
    """Two positions of a window of two taps, one of them outside the frame."""
    window = Window((1, 2), padding=(0, 0, 1, 1), padding_code=1)
    formats, inner = FORMATS * 2, (IntFormat(2),) * 2
    tables = tuple(frozen(rng.integers(0, 4, size), np.int64) for size in (32, 64))
    hidden = Enumerated("hidden", (INPUT,), ((0, 7, 8), (4, 5, 6)), tables, inner, formats)
    weights = frozen(rng.integers(-3, 4, (3, 12)), np.int64)
    sums = Linear("out", ("hidden", INPUT), weights, np.arange(3), None, (IntFormat(8, True),) * 3)
    kernel = Kernel((hidden, sums))
    return Windowed("it", (INPUT,), Frame(5, 1, 1), window, (kernel,))


FIXTURES = {
    "Windowed": (windowed, {"groups": 2}),
    "Linear": (linear, {"formats": (IntFormat(1),) * 3}),
    "Linear sums": (lambda rng: linear(rng, 0), {"bias": np.full(3, 200)}),
    "Enumerated": (enumerated, {"inputs": ((1, 9), (3,), (), (4, 2, 0), (1, 1))}),
    "Argmax": (argmax, {"formats": (IntFormat(2),)}),
    "Median": (median, {"inputs": ((1, 3), (4,), (0, 1, 2))}),
}
KINDS = {**layer_kinds(), "Median": Median}
CODES = np.stack([g.ravel() for g in np.meshgrid(
    *(np.arange(f.lo, f.hi + 1) for f in FORMATS), indexing="ij")], axis=1)  # fmt: skip


@pytest.fixture(autouse=True)
def _median_is_registered(monkeypatch):
    monkeypatch.setattr(ir, "layer_kinds", lambda: KINDS)
    monkeypatch.setitem(checkers(), "Median", MedianChecker)


@pytest.fixture(params=FIXTURES)
def layer(request):
    return FIXTURES[request.param][0](np.random.default_rng(5))


def net_of(layer, *more):
    last = more[-1] if more else layer
    wires = tuple((Port(f"y{i}", f), last.name, i) for i, f in enumerate(last.formats))
    ports = tuple(Port(f"x{i}", f) for i, f in enumerate(FORMATS))
    return QuantNet("n", ports, (layer, *more), wires)


def checker(layer):
    return checkers().get(layer.kind, Checker)(layer, FORMATS)


def test_every_kind_has_a_fixture():
    made = {make(np.random.default_rng(0)).kind for make, _ in FIXTURES.values()}
    assert made == set(KINDS)
    assert set(layer_kinds()) == {"Linear", "Enumerated", "Argmax", "Windowed"}
    assert all(issubclass(kind, Layer) for kind in KINDS.values())


def test_tables_are_what_the_layer_computes(layer):
    wanted = layer.evaluate(CODES)
    assert wanted.shape == (len(CODES), len(layer.formats))
    for neuron, fmt in enumerate(layer.formats):
        index, shift = np.zeros(len(CODES), np.int64), 0
        for wire in layer.wires(neuron, FORMATS):
            index |= FORMATS[wire].to_raw(CODES[:, wire]) << shift
            shift += FORMATS[wire].bits
        table = layer.table(neuron, FORMATS)
        assert table.shape == (1 << shift,)
        assert layer.fan_in_bits(FORMATS)[neuron] == shift
        assert fmt.contains(table)
        np.testing.assert_array_equal(table[index], wanted[:, neuron])
        np.testing.assert_array_equal(Layer.table(layer, neuron, FORMATS)[index], wanted[:, neuron])


def test_arithmetic_is_what_the_layer_computes(layer):
    how, wanted = layer.arithmetic, layer.evaluate(CODES)
    if isinstance(how, Largest):
        np.testing.assert_array_equal(np.argmax(CODES, axis=1), wanted[:, 0])
    elif isinstance(how, Sums):
        total = CODES @ how.weights.T + how.bias
        if how.thresholds is not None:
            total = (total[:, :, None] >= how.thresholds).sum(axis=2)
        np.testing.assert_array_equal(total, wanted)
    assert layer.tabular == (how is None or getattr(how, "thresholds", None) is not None)


def test_files_and_text_keep_it(layer, tmp_path):
    net = net_of(layer)
    net.verify()
    net.save(tmp_path / "a")
    back = QuantNet.load(tmp_path / "a")
    back.save(tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    np.testing.assert_array_equal(back.evaluate(CODES), net.evaluate(CODES))
    assert type(back.layers[0]) is type(layer)
    assert back.text() == net.text()
    (line,) = (line for line in net.text().splitlines() if " it(input)" in line)
    assert line.startswith(f"  {layer.role} it(input) -> {len(layer.formats)} x ")
    assert layer.label().startswith(layer.kind.lower())


@pytest.mark.parametrize("name", FIXTURES)
def test_broken_rules_are_named(name):
    make, changes = FIXTURES[name]
    good = make(np.random.default_rng(5))
    assert good.problems(FORMATS) == []
    bad = replace(good, **changes)
    assert bad.problems(FORMATS)
    with pytest.raises(IRError, match="it "):
        net_of(bad).verify()


def test_moved_wires_are_followed_or_refused(layer):
    places, count = [3, 5, 0, 1, 2], 6
    wide = np.zeros((len(CODES), count), np.int64)
    wide[:, places] = CODES
    formats = tuple(FORMATS[places.index(i)] if i in places else IntFormat(2) for i in range(count))
    if type(layer).rewired is Layer.rewired:
        with pytest.raises(UsageError, match="cannot be cut off"):
            layer.rewired(("before", INPUT), places, formats)
        moved, wide, formats = layer.rewired(("before",), list(range(5)), FORMATS), CODES, FORMATS
    else:
        moved = layer.rewired(("before", INPUT), places, formats)
    assert moved.problems(formats) == []
    np.testing.assert_array_equal(moved.evaluate(wide), layer.evaluate(CODES))


@pytest.mark.parametrize("direct", [False, True])
def test_checkers_know_the_layer(layer, direct):
    known = Checker(layer, FORMATS) if direct else checker(layer)
    assert known.direct == direct
    wanted = layer.evaluate(CODES)
    for neuron in range(len(layer.formats)):
        fan_in = known.fan_in(neuron)
        assert set(fan_in) == set(layer.wires(neuron, FORMATS))
        got = known.values(neuron, {w: CODES[:, w] for w in fan_in}, len(CODES))
        np.testing.assert_array_equal(got, wanted[:, neuron])
    how, own = known.arithmetic(), layer.arithmetic
    assert type(how) is type(own)
    if isinstance(how, Sums):
        np.testing.assert_array_equal(how.weights, own.weights)


@pytest.mark.parametrize("direct", [False, True])
def test_networks_are_checked_and_faults_seen(layer, direct, monkeypatch):
    if direct:
        monkeypatch.delitem(checkers(), layer.kind)
    net = net_of(layer)
    tables = tabulate(net, limit=16, arith="auto")
    verdict = compare(net, tables)
    copied = direct and layer.copies(FORMATS) is not None
    how = "sampled n=4096" if copied else "exhaustive"
    assert (verdict.equal, verdict.how) == (True, how)
    assert ("for want of a checker" in verdict.detail) == (direct and not copied)
    assert ("has no checker" in verdict.detail) == copied
    if tables.functions:
        f = tables.functions[0]
        flipped = replace(f, bits=frozen(f.bits ^ np.uint64(2 if f.n_inputs else 1), np.uint64))
        wrong = replace(tables, functions=(flipped, *tables.functions[1:]))
    else:
        block = tables.blocks[0]
        wrong = replace(tables, blocks=(replace(block, words=block.words[::-1]),))
    verdict = compare(net, wrong)
    assert (verdict.equal, verdict.how) == (False, how)
    assert copied or verdict.where.startswith("it")


@pytest.mark.parametrize("direct", [False, True])
def test_cut_networks_are_proved(layer, direct, monkeypatch):
    if direct:
        monkeypatch.delitem(checkers(), layer.kind)
    rng = np.random.default_rng(2)
    n = len(layer.formats)
    last = Linear("last", ("it",), np.eye(n, dtype=np.int64), np.zeros(n, np.int64),
                  np.sort(rng.integers(-3, 3, (n, 1))), (IntFormat(1),) * n)  # fmt: skip
    net = net_of(layer, last)
    parts = split(net, segments_of(["lut", "dsp"]), "n")
    assert check_structure(net, parts).equal
    other = FIXTURES["Linear"][0](np.random.default_rng(9))
    wrong = replace(parts[0], layers=(replace(other, name="it"),))
    assert not check_structure(net, (wrong, parts[1])).equal


class Liar(Median):
    """Says it is an argmax, or leaves out a wire."""

    kind = "Liar"

    @property
    def arithmetic(self):
        return Largest()


def test_a_layer_that_contradicts_itself_is_found():
    liar = Liar("it", (INPUT,), ((0, 1, 2, 3, 4),), (IntFormat(3),))
    assert Checker(liar, FORMATS).arithmetic() is None
    net = net_of(liar)
    assert compare(net, tabulate(net)).detail == "block Argmax stands for layer kind Liar"

    class Silent(Median):
        kind = "Silent"

        def wires(self, neuron, x_formats):
            return self.inputs[neuron][:1]

    net = net_of(Silent("it", (INPUT,), ((1, 3, 4),), (IntFormat(2),)))
    assert not compare(net, tabulate(net)).equal


def test_wide_neurons_without_a_checker_are_sampled():
    ports = tuple(Port(f"x{i}", IntFormat(2)) for i in range(12))
    best = Argmax("it", (INPUT,), (IntFormat(4),))
    net = QuantNet("n", ports, (best,), ((Port("y", IntFormat(4)), "it", 0),))
    tables = tabulate(net)
    assert compare(net, tables).how == "exhaustive"
    del checkers()["Argmax"]
    try:
        verdict = compare(net, tables)
    finally:
        checkers.cache_clear()
    assert (verdict.equal, verdict.how) == (True, "sampled n=4096")
    assert "Argmax has no checker" in verdict.detail


def test_two_kinds_of_one_name_are_refused(monkeypatch):
    monkeypatch.setattr(plugins, "discover", lambda *_: [Linear, Linear])
    with pytest.raises(UsageError, match="already"):
        plugins.by_kind("nnlogic.quant.layers", "LAYER", "nnlogic.layers")
    monkeypatch.setattr(plugins, "discover", lambda *_: [object])
    with pytest.raises(UsageError, match="no kind"):
        plugins.by_kind("nnlogic.quant.layers", "LAYER", "nnlogic.layers")


def test_total_bits_of_the_fixture_are_few():
    assert len(CODES) == 1 << bits.total_bits(net_of(argmax(None)).inputs)
