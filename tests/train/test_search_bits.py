"""Sensitivity and bit allocation: against brute force, and honest when nothing fits."""

import itertools

import numpy as np
import pytest
import torch
from torch.nn import functional

from nnlogic.core.errors import UsageError
from nnlogic.model.architecture import Architecture
from nnlogic.model.layer import plain_layer
from nnlogic.nn import Network
from nnlogic.predict.cost import cost_model
from nnlogic.train.bits_ilp import LayerChoices, LayerOption, allocate, layer_choices
from nnlogic.train.sensitivity import sensitivities

MODEL = cost_model()


def choices(seed):
    rng = np.random.default_rng(seed)
    return [
        LayerChoices(
            name,
            width,
            tuple(
                LayerOption(b, f, float(1e-4 * rng.random() / (b * f)))
                for b in (1, 2, 3)
                for f in (2, 3, 4)
            ),
        )
        for name, width in (("fc1", 20), ("fc2", 12), ("score", 5))
    ]


def brute(layers, budget):
    best = None
    for options in itertools.product(*(layer.options for layer in layers)):
        bits, luts = 2, 0.0
        for layer, option in zip(layers, options, strict=True):
            luts += layer.width * float(MODEL.neuron(bits * option.fan_in, option.bits))
            bits = option.bits
        loss = sum(o.loss for o in options)
        if luts <= budget and (best is None or loss < best[0]):
            best = loss, luts, options
    return best


@pytest.mark.parametrize(("seed", "budget"), [(0, 60), (1, 150), (2, 400), (3, 1e9)])
def test_allocation_is_the_best_there_is(seed, budget):
    layers = choices(seed)
    found = allocate(layers, budget=budget, input_bits=2, model=MODEL)
    loss, luts, options = brute(layers, budget)
    assert found.options == options
    assert found.loss == pytest.approx(loss)
    assert found.luts == pytest.approx(luts)
    assert found.luts <= budget


def test_a_budget_that_cannot_be_met_says_by_how_much():
    layers = choices(0)
    cheapest = min(
        allocate(layers, budget=b, input_bits=2, model=MODEL).luts for b in (37.0, 40.0, 60.0)
    )
    with pytest.raises(UsageError) as caught:
        allocate(layers, budget=30, input_bits=2, model=MODEL)
    text = str(caught.value)
    assert f"needs {cheapest:.0f} LUT6, {cheapest - 30:.0f} more than the budget of 30" in text
    assert "fc1 1 bits" in text
    assert "narrow the dearest layer, fc1" in text
    with pytest.raises(UsageError, match="more than 3 input bits"):
        allocate(layers, budget=1e9, input_bits=2, model=MODEL, fan_in_limit=3)


def network():
    layers = (
        plain_layer("fc1", 6, 3, "signed_uniform", 3),
        plain_layer("fc2", 5, 3, "pact", 2, batch_norm=False),
        plain_layer("score", 3, 3, "signed_uniform", 4),
    )
    arch = Architecture("net", tuple("abcd"), (2,) * 4, ("p", "q", "r"), layers)
    net = Network(arch, random_mask=True, seed=1)
    net.quantizer.set_thresholds((np.array([-1, 0, 1], np.float32),) * 4)
    return net


@pytest.fixture(scope="module")
def rows():
    generator = torch.Generator().manual_seed(0)
    codes = torch.randint(0, 4, (64, 4), generator=generator)
    return codes, (codes.sum(1) > 6).long()


def test_hutchinson_estimates_the_diagonal_of_the_hessian(rows):
    net, (codes, labels) = network(), rows
    last = sensitivities(net, codes, labels, method="hutchinson")[-1]
    # For the scores themselves the Hessian of the cross-entropy is known: p (1 - p).
    p = functional.softmax(last.outputs, 1)
    exact = (p * (1 - p)).mean(0)
    np.testing.assert_allclose(last.trace, exact, rtol=0.1)


def test_fisher_is_the_mean_squared_gradient(rows):
    net, (codes, labels) = network(), rows
    last = sensitivities(net, codes, labels)[-1]
    error = functional.softmax(last.outputs, 1) - functional.one_hot(labels, 3)
    np.testing.assert_allclose(last.trace, error.square().mean(0), rtol=1e-5)


def test_fewer_bits_and_inputs_hurt_more_and_the_network_is_left_alone(rows):
    net, (codes, labels) = network(), rows
    net.train()
    before = {k: v.clone() for k, v in net.state_dict().items()}
    for layer in sensitivities(net, codes, labels):
        rounding = [layer.rounding(b) for b in (1, 2, 4, 8)]
        cutting = [layer.cutting(f) for f in (1, 2, 3, 9)]
        assert rounding == sorted(rounding, reverse=True)
        assert cutting == sorted(cutting, reverse=True)
        assert cutting[-2:] == [0, 0]
    assert net.training
    assert all(b.activation.quantized for b in net.blocks)
    assert all(torch.equal(v, before[k]) for k, v in net.state_dict().items())
    options = layer_choices(layer, (1, 2), (2, 3)).options
    assert [(o.bits, o.fan_in) for o in options] == [(1, 2), (1, 3), (2, 2), (2, 3)]
    assert options[3].loss == layer.rounding(2) + layer.cutting(3)
    with pytest.raises(UsageError, match="'taylor', known are fisher, hutchinson"):
        sensitivities(net, codes, labels, method="taylor")
