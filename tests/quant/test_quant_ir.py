from dataclasses import replace

import numpy as np
import pytest

from nnlogic.core.archive import frozen
from nnlogic.core.bits import random_codes
from nnlogic.core.errors import CheckpointError, InputError, IRError
from nnlogic.core.formats import IntFormat
from nnlogic.quant.ir import INPUT, Argmax, Enumerated, Linear, QuantNet


def reference(net, codes):
    """Evaluate one row at a time with Python integers."""
    rows = []
    for row in codes.tolist():
        values = {INPUT: row}
        for layer in net.layers:
            x = [v for s in layer.sources for v in values[s]]
            if isinstance(layer, Argmax):
                values[layer.name] = [x.index(max(x))]
                continue
            out = []
            for i in range(len(layer.formats)):
                weights = layer.weights[i].tolist()
                acc = sum(a * b for a, b in zip(weights, x, strict=True)) + int(layer.bias[i])
                out.append(sum(t <= acc for t in layer.thresholds[i].tolist()))
            values[layer.name] = out
        rows.append([values[layer][wire] for _, layer, wire in net.output_wires])
    return np.array(rows)


def test_evaluate_equals_plain_python(make_net):
    for seed in range(5):
        net = make_net(seed)
        net.verify()
        codes = random_codes(net.inputs, 200, seed)
        assert (net.evaluate(codes) == reference(net, codes)).all()


def test_save_and_load_keep_everything(toy_net, tmp_path):
    toy_net.save(tmp_path / "q")
    back = QuantNet.load(tmp_path / "q")
    codes = random_codes(toy_net.inputs, 100)
    rows = np.random.default_rng(0).normal(size=(50, 5))
    assert back.text() == toy_net.text()
    assert (back.evaluate(codes) == toy_net.evaluate(codes)).all()
    assert (back.encode(rows) == toy_net.encode(rows)).all()
    assert back.info == toy_net.info


def test_enumerated_layers_round_trip(tmp_path):
    x = (IntFormat(2), IntFormat(1))
    tables = (frozen(np.arange(8) % 4, np.int64), frozen([3, 1, 2, 0], np.int64))
    layer = Enumerated("enc", (INPUT,), ((1, 0), (0,)), tables, (IntFormat(2),) * 2, x, "encoder")
    from nnlogic.core.formats import Port

    ports = (Port("a", x[0]), Port("b", x[1]))
    net = QuantNet("e", ports, (layer,), ((Port("y", IntFormat(2)), "enc", 1),))
    net.verify()
    assert net.evaluate(np.array([[0, 0], [3, 1]])).tolist() == [[3], [0]]
    assert net.trace(np.array([[2, 1]]))["enc"].tolist() == [[(1 + 2 * 2) % 4, 2]]
    net.save(tmp_path / "e")
    assert QuantNet.load(tmp_path / "e").text() == net.text()


def test_quantizer_counts_thresholds_inclusively(toy_net):
    t = toy_net.quantizer.thresholds[0]
    rows = np.zeros((4, 5), np.float32)
    rows[:, 0] = [t[0], np.nextafter(t[0], np.float32(-9)), t[-1], 1e30]
    assert toy_net.encode(rows)[:, 0].tolist() == [1, 0, 3, 3]


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        (np.zeros((3, 4)), r"need \(rows, 5\)"),
        (np.full((3, 5), np.nan), "row 0 is nan"),
        (np.full((2, 5), 1e300), "row 0 is inf"),
        (np.full((2, 5), "a"), "must be numbers"),
    ],
)
def test_bad_rows_are_refused(toy_net, rows, text):
    with pytest.raises(InputError, match=text):
        toy_net.encode(rows)


def damaged(net, **changes):
    first = replace(net.layers[0], **changes)
    return replace(net, layers=(first, *net.layers[1:]))


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"weights": frozen(np.full((6, 5), 2**53), np.int64)}, "exceeds 53 bits"),
        ({"thresholds": frozen(np.tile([3, 2, 1], (6, 1)), np.int64)}, "thresholds decrease"),
        ({"thresholds": frozen(np.zeros((6, 4)), np.int64)}, "do not fit the output format"),
        ({"weights": frozen(np.zeros((6, 4)), np.int64)}, "weights"),
        ({"sources": ("nowhere",)}, "not yet defined"),
        ({"thresholds": None}, "outside u2"),
    ],
)
def test_verify_names_the_broken_rule(toy_net, changes, text):
    with pytest.raises(IRError, match=text):
        damaged(toy_net, **changes).verify()


def test_sums_without_thresholds(toy_net):
    layer = Linear(
        "s", (INPUT,), frozen([[1, -2, 0, 0, 0]], np.int64), frozen([1], np.int64), None,
        (IntFormat.holding(-5, 4),),
    )  # fmt: skip
    assert not layer.problems(tuple(p.format for p in toy_net.inputs))
    assert layer.evaluate(np.array([[3, 3, 0, 0, 0]])).tolist() == [[-2]]


def test_damaged_file_is_refused(toy_net, tmp_path):
    path = tmp_path / "q"
    toy_net.save(path)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(CheckpointError):
        QuantNet.load(path)


def test_text_is_stable(make_net):
    assert make_net(1, widths=(2,), features=2, fan_in=2).text() == (
        "QuantNet toy\n"
        "  input f0:u2\n"
        "  input f1:u2\n"
        "  network fc1(input) -> 2 x u2: linear fan-in 2..2 |w| <= 9 4 levels\n"
        "  output argmax(fc1) -> 1 x u1: argmax\n"
        "  output score_c0:u2 = fc1[0]\n"
        "  output score_c1:u2 = fc1[1]\n"
        "  output class:u1 = argmax[0]\n"
    )
