from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnlogic.core import bits
from nnlogic.core.archive import frozen
from nnlogic.core.errors import CheckpointError, IRError, TooWide, UsageError
from nnlogic.core.formats import IntFormat, Port
from nnlogic.quant.ir import INPUT, Linear, QuantNet
from nnlogic.tables.build import tabulate
from nnlogic.tables.ir import Function, Instance, Sum, TableNet, Threshold


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 3), st.integers(2, 4))
def test_tables_equal_the_quantized_network(make_net, seed, width, levels):
    net = make_net(seed, levels=min(levels, 1 << width), bits=width)
    tables = tabulate(net)
    codes = bits.random_codes(net.inputs, 300, seed)
    assert (tables.evaluate(codes) == net.evaluate(codes)).all()


@pytest.mark.parametrize("seed", range(3))
def test_wide_neurons_become_exact_arithmetic(make_net, seed):
    net = make_net(seed)
    tables = tabulate(net, limit=5, arith="auto")
    assert any(isinstance(b, Threshold) for b in tables.blocks)
    codes = bits.random_codes(net.inputs, 300, seed)
    assert (tables.evaluate(codes) == net.evaluate(codes)).all()


def test_unreachable_codes_become_dont_cares(make_net):
    net = make_net(3, levels=3)
    tables = tabulate(net)
    restricted = [f for f in tables.functions if f.care is not None]
    assert restricted
    assert all(f.justification == "exact SDC" for f in restricted)
    seen = {}
    trace = tables.trace(bits.random_codes(net.inputs, 5000))
    for instance in tables.instances:
        index = sum(trace[s].astype(int) << b for b, s in enumerate(instance.inputs))
        care = tables.functions[instance.function].care_bools()
        assert care[index].all(), "an input outside the care set occurred"
        seen[instance.origin] = len(np.unique(index))
    assert seen


def test_identical_tables_are_shared(make_net):
    net = make_net(0, widths=(4,))
    row = net.layers[0]
    same = replace(
        row,
        weights=frozen(np.tile(row.weights[:1], (4, 1)), np.int64),
        bias=frozen(np.tile(row.bias[:1], 4), np.int64),
        thresholds=frozen(np.tile(row.thresholds[:1], (4, 1)), np.int64),
    )
    tables = tabulate(replace(net, layers=(same, net.layers[1])))
    assert tables.stats()["tables"] == 4
    assert tables.stats()["distinct"] == 1


def test_too_wide_neurons_are_all_named(toy_net):
    with pytest.raises(TooWide) as caught:
        tabulate(toy_net, limit=4)
    problems = caught.value.problems
    assert {p.where for p in problems} <= {"fc1", "fc2", "fc3"}
    assert len(problems) >= 2
    assert all("2^6 rows (limit 2^4)" in p.why and "--arith auto" in p.fix for p in problems)


@pytest.mark.parametrize("options", [{"limit": 0}, {"limit": 17}, {"arith": "maybe"}])
def test_bad_options(toy_net, options):
    with pytest.raises(UsageError):
        tabulate(toy_net, **options)


def test_wide_sums_are_sum_blocks():
    ports = tuple(Port(f"x{i}", IntFormat(1)) for i in range(20))
    ones = frozen(np.ones((1, 20)), np.int64)
    layer = Linear("count", (INPUT,), ones, frozen([0], np.int64), None, (IntFormat(5),), "output")
    net = QuantNet("pop", ports, (layer,), ((Port("y", IntFormat(5)), "count", 0),))
    net.verify()
    tables = tabulate(net)
    assert isinstance(tables.blocks[0], Sum)
    codes = bits.random_codes(ports, 100)
    assert (tables.evaluate(codes)[:, 0] == codes.sum(axis=1)).all()


def test_save_and_load_keep_everything(make_net, tmp_path):
    net = tabulate(make_net(3, levels=3), limit=5, arith="auto")
    net.save(tmp_path / "t")
    back = TableNet.load(tmp_path / "t")
    assert back.text() == net.text()
    codes = bits.random_codes(net.inputs, 100)
    assert (back.evaluate(codes) == net.evaluate(codes)).all()
    (tmp_path / "t").write_bytes(b"nonsense")
    with pytest.raises(CheckpointError):
        TableNet.load(tmp_path / "t")


def words(*values):
    return frozen([values], np.uint64)


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (Function(1, words(0b111)), "beyond the end"),
        (Function(1, frozen([1], np.uint64)), "table of shape"),
        (Function(17, words(1)), "limit 16"),
        (Function(1, words(0b11), frozen([1], np.uint64), "exact SDC"), "outside the care set"),
        (Function(1, words(1), frozen([1], np.uint64)), "justification come together"),
        (Function(1, words(1), frozen([1], np.uint64), "a hunch"), "'a hunch' not in"),
    ],
)
def test_functions_know_their_rules(function, text):
    assert any(text in why for why in function.problems())


@pytest.mark.parametrize(
    ("instance", "text"),
    [
        (Instance(0, (5,), (1,), "n", 0), "not yet defined"),
        (Instance(0, (0,), (3,), "n", 0), "next free signals"),
        (Instance(4, (0,), (1,), "n", 0), "no function 4"),
        (Instance(0, (0, 0), (1,), "n", 0), "pins do not match"),
        (Instance(0, (0,), (1,), "n", 2), "no layer 2"),
    ],
)
def test_verify_names_the_broken_rule(instance, text):
    from nnlogic.core.formats import LayerInfo

    port = Port("a", IntFormat(1))
    net = TableNet(
        "t", (port,), (Port("y", IntFormat(1)),), (Function(1, words(1)),), (instance,), (1,),
        (LayerInfo("l"),),
    )  # fmt: skip
    with pytest.raises(IRError, match=text):
        net.verify()


def test_text_is_stable(make_net):
    text = tabulate(make_net(1, widths=(2,), features=2, fan_in=2)).text().splitlines()
    assert text[0] == "TableNet toy"
    assert text[3].startswith("  f0 4 -> 2 ")
    assert text[5:] == [
        "  4..5 = f0(0..3)  # fc1/neuron0",
        "  6..7 = f1(0..3)  # fc1/neuron1",
        "  8 = argmax u[4..5] u[6..7]  # argmax",
        "  output score_c0:u2 = 4..5",
        "  output score_c1:u2 = 6..7",
        "  output class:u1 = 8",
    ]
