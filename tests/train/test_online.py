"""Class vectors on line: what a pass changes, and what it never touches."""

import json
from dataclasses import replace

import numpy as np
import pytest

import nnlogic
from nnlogic.core.errors import UnsupportedModel, UsageError
from nnlogic.frontend import load
from nnlogic.model.layer import LayerSpec
from nnlogic.nn.stack import Stack
from nnlogic.train.online import head_of, retrain
from tests.conftest import random_quant_net

ALL = np.stack([g.ravel() for g in np.meshgrid(*[np.arange(2)] * 9, indexing="ij")], axis=1)


@pytest.fixture(scope="module")
def net():
    bundle = LayerSpec(
        "bundle", 33, "linear", 5, "sign", 1, options={"weights": "binary()"}, batch_norm=False
    )
    names = tuple(f"x{i}" for i in range(9))
    specs = (bundle, LayerSpec("score", 3, "hamming"))
    stack = Stack("toy", names, ("a", "b", "c"), (1,) * 9, specs, seed=2)
    stack.quantizer.set_thresholds((np.array([0.5], np.float32),) * 9)
    return stack.eval().quantnet()


def test_scores_are_length_less_hamming_distance(net):
    head = head_of(net)
    bits = net.trace(ALL)["bundle"]
    vectors = (head.weights > 0).astype(int)
    distance = (bits[:, None] != vectors[None]).sum(2)
    np.testing.assert_array_equal(net.evaluate(ALL)[:, :3], 33 - distance)
    np.testing.assert_array_equal(net.evaluate(ALL)[:, 3], distance.argmin(1))


def test_a_layer_of_binary_weights_is_binding_and_bundling(net):
    # XNOR with the vector, then the majority; five wires have no tie.
    layer = net.layers[0]
    for i in range(33):
        wires = np.flatnonzero(layer.weights[i])
        agree = (ALL[:, wires] == (layer.weights[i, wires] > 0)).sum(1)
        np.testing.assert_array_equal(net.trace(ALL)["bundle"][:, i], agree >= 3)


def test_one_pass_learns_another_labelling_and_compiles(net):
    rng = np.random.default_rng(0)
    rows = ALL[rng.integers(0, len(ALL), 1500)]
    wanted = (net.evaluate(ALL)[:, 3] + 1) % 3  # the classes have changed places
    labels = dict(zip(map(bytes, ALL.astype(np.uint8)), wanted, strict=True))
    y = np.array([labels[bytes(r)] for r in rows.astype(np.uint8)])
    found = retrain(net, rows, y, rate=0.05)
    assert found.right_before == 0
    assert found.right > 0.5 * len(rows)
    assert (found.net.evaluate(ALL)[:, 3] == wanted).mean() > 0.8
    changed = (head_of(found.net).weights != head_of(net).weights).sum()
    assert found.flipped == changed > 0
    np.testing.assert_array_equal(found.net.layers[0].weights, net.layers[0].weights)
    logic = nnlogic.minimize(nnlogic.tabulate(found.net, arith="auto"), effort="fast", jobs=1)
    np.testing.assert_array_equal(logic.evaluate(ALL), found.net.evaluate(ALL))


def test_rows_it_is_right_about_with_certainty_change_nothing(net):
    y = net.evaluate(ALL)[:, 3]
    found = retrain(net, ALL, y, rate=1e-4)
    assert found.flipped == 0
    assert found.right == found.right_before == len(ALL)


def test_what_cannot_be_retrained(net):
    with pytest.raises(UnsupportedModel, match="no class vectors"):
        retrain(random_quant_net(5), np.zeros((1, 5), np.int64), np.zeros(1, np.int64))
    head = head_of(net)
    planted = replace(head, bias=np.array(head.bias) + 1)
    wrong = replace(net, layers=tuple(planted if la is head else la for la in net.layers))
    with pytest.raises(UnsupportedModel, match="no class vectors"):
        head_of(wrong)
    with pytest.raises(UsageError, match="do not fit"):
        retrain(net, ALL[:2], np.array([0, 3]))
    with pytest.raises(UsageError, match="do not fit"):
        retrain(net, ALL[:0], np.zeros(0, np.int64))
    with pytest.raises(UsageError, match="rate"):
        retrain(net, ALL[:1], np.array([0]), rate=0.0)
    layers = (LayerSpec("score", 3, "hamming"),)
    with pytest.raises(UnsupportedModel, match="compares signs"):
        Stack("toy", ("a", "b"), ("a", "b", "c"), (2, 2), layers)


def test_command(net, tmp_path, capsys):
    from nnlogic.cli.main import main

    net.save(tmp_path / "net.safetensors")
    y = (net.evaluate(ALL)[:, 3] + 1) % 3
    lines = [",".join([*map(str, r), str(c)]) for r, c in zip(ALL.tolist(), y, strict=True)]
    table = tmp_path / "rows.csv"
    table.write_text("\n".join([",".join([*(f"x{i}" for i in range(9)), "y"]), *lines]))
    out = tmp_path / "new.safetensors"
    line = ["retrain", str(tmp_path / "net.safetensors"), "--rows", str(table), "--label", "y"]
    assert main([*line, "-o", str(out), "--rate", "0.05"]) == 0
    assert "as it was     0.00 % correct" in capsys.readouterr().out
    found = load(out)
    assert found.info["retrained"]["rows"] == len(ALL)
    assert (found.evaluate(ALL)[:, 3] == y).mean() > 0.5
    assert main([*line, "-o", str(out)]) == 2
    assert main([*line, "-o", str(out), "--force", "--json", "--rate", "0.05"]) == 0
    assert json.loads(capsys.readouterr().out)["bits_flipped"] > 0
