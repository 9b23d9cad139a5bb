"""Networks that begin with a larger one's weights."""

import dataclasses

import numpy as np
import pytest
import torch

from nnlogic.model.layer import plain_layer
from nnlogic.nn.network import Network
from nnlogic.train import Recipe
from nnlogic.train.layered import make_network
from nnlogic.train.search_space import search_space
from nnlogic.train.supernet import inherit, largest

FEATURES, CLASSES = tuple("abcde"), ("x", "y", "z")
RECIPE = Recipe("r", "toy", (
    plain_layer("fc1", 6, 2, "pact", 2, 4), plain_layer("fc2", 4, 3, "pact", 2, 4),
    plain_layer("score", 3, 3, "signed_uniform", 3, 4),
), input_bits=2)  # fmt: skip
SPACE = search_space(RECIPE, bits=(1, 3), fan_in=(2, 3), width=(0.5, 2.0), depth=(1, 2))


def network(params, seed=0):
    recipe = dataclasses.replace(SPACE.recipe(params), seed=seed)
    made = make_network(recipe, FEATURES, CLASSES)
    assert isinstance(made, Network)
    return made.eval()


@pytest.fixture
def whole():
    found = network(largest(SPACE), seed=3)
    with torch.no_grad():
        for block in found.blocks:
            block.norm.running_mean.normal_()
            block.norm.weight.uniform_(0.5, 2)
            block.activation.set_scale(0.37)
    found.prune(1.0)
    return found


def test_the_largest_network_has_most_of_everything_that_fits():
    point = largest(SPACE)
    assert SPACE.fits(point)
    assert (point["fc1.width"], point["fc2.width"], point["depth"]) == (12, 8, 2)


def test_a_network_of_the_same_shape_computes_the_same(whole):
    same = network(largest(SPACE), seed=7)
    assert inherit(same, whole) == 3
    x = torch.randint(0, 4, (200, 5), dtype=torch.uint8)
    with torch.no_grad():
        assert torch.equal(same.scores(x), whole.scores(x))


def test_a_narrower_one_has_the_neurons_that_are_read_most(whole):
    small = network({**largest(SPACE), "fc1.width": 3}, seed=7)
    assert inherit(small, whole) == 3
    first, second = (block.linear.weight * block.linear.mask for block in whole.blocks[:2])
    best = sorted(second.abs().sum(0).topk(3).indices.tolist())
    assert torch.equal(small.blocks[0].linear.weight, first[best])
    assert torch.equal(small.blocks[1].linear.weight, second[:, best])


def test_fewer_bits_keep_the_range(whole):
    few = network({**largest(SPACE), "fc1.bits": 1}, seed=7)
    inherit(few, whole)
    first = [n.blocks[0] for n in (few, whole)]
    top = [block.activation.scale.item() * (2**block.spec.bits - 1) for block in first]
    np.testing.assert_allclose(*top, rtol=1e-6)


def test_a_layer_behind_another_one_begins_anew(whole):
    short = network({**largest(SPACE), "depth": 1}, seed=7)
    before = short.blocks[1].linear.weight.detach().clone()
    assert inherit(short, whole) == 1
    assert torch.equal(short.blocks[1].linear.weight, before)
