"""Activations, connections and encoders by their names in a recipe."""

import numpy as np
import pytest

from nnlogic.core.errors import UsageError
from nnlogic.nn.quantizers import KINDS
from nnlogic.train.layered import make_network
from nnlogic.train.recipe_file import parse_recipe

FEATURES, CLASSES = ("a", "b", "c", "d"), ("u", "v")
ENCODERS = {
    "thermometer": {"width": 8, "bits": 1, "spread": 3.0},
    "functions": {"width": 8, "bits": 1, "counts": [2, 2, 1, 3]},
    "truncate": {"width": 3, "bits": 2, "keep": [4, 2, 0, 1]},
}


def recipe(encoder="thermometer", **hidden):
    first = {"name": "enc", "family": encoder, "role": "encoder", **ENCODERS[encoder]}
    middle = {"name": "hidden", "width": 4, "family": "poly", "fan_in": 2, **hidden}
    last = {"name": "score", "width": 2, "family": "poly", "fan_in": 3, "degree": 1}
    table = {"name": "r", "dataset": "digits", "input_bits": 4, "layers": [first, middle, last]}
    return parse_recipe(table, "test")


def agrees(network):
    network.eval()
    network.quantizer.set_thresholds((np.arange(15, dtype=np.float32) + 0.5,) * 4)
    rows = np.random.default_rng(0).integers(0, 16, (300, 4)).astype(np.float32)
    net = network.quantnet()
    np.testing.assert_array_equal(net.evaluate(net.encode(rows)), network.evaluate(rows))
    return net


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_activation_by_name(kind):
    bits = 1 if kind == "sign" else 2
    network = make_network(recipe(activation=kind, bits=bits), FEATURES, CLASSES)
    assert network.families[1].activation.kind == kind
    agrees(network)


@pytest.mark.parametrize("kind", ["learned", "periodic", "random", "2:8"])
def test_connections_by_name(kind):
    agrees(make_network(recipe(connect=kind), FEATURES, CLASSES))


@pytest.mark.parametrize("kind", sorted(ENCODERS))
def test_encoder_by_name(kind):
    net = agrees(make_network(recipe(kind), FEATURES, CLASSES))
    assert [layer.role for layer in net.layers] == ["encoder", "network", "network", "output"]
    assert len(net.layers[0].tables) == ENCODERS[kind]["width"]


def test_all_unknown_names_are_reported_at_once():
    with pytest.raises(UsageError) as caught:
        recipe(activation="relu", connect="mesh")
    assert [p.where for p in caught.value.problems] == ["hidden", "hidden"]
    with pytest.raises(UsageError) as caught:
        recipe(activation="rebnet", bits=4)
    assert "up to 3" in caught.value.problems[0].why
