"""The LUT cost model: its arithmetic, its measures, and what its gradient does."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nnlogic.core.errors import UsageError
from nnlogic.core.formats import IntFormat, Port
from nnlogic.model.architecture import Architecture
from nnlogic.model.layer import plain_layer
from nnlogic.nn import Network
from nnlogic.nn.gates import influences
from nnlogic.predict.cost import cost_model, diagram_width, formula, live_neurons, neuron_codes
from nnlogic.quant.ir import Argmax, Enumerated, Linear, QuantNet
from nnlogic.train.cost_loss import LutCost, lut_penalty

MODEL = cost_model()


def linear(weights, thresholds, bits=2):
    weights = np.array(weights, np.int64)
    return Linear(
        "fc",
        ("input",),
        weights,
        np.zeros(len(weights), np.int64),
        np.array(thresholds, np.int64),
        (IntFormat(bits),) * len(weights),
    )


def network(layers, seed=0):
    names = tuple(f"x{i}" for i in range(12))
    arch = Architecture("net", names, (2,) * 12, ("a", "b"), layers)
    out = Network(arch, random_mask=True, seed=seed)
    out.quantizer.set_thresholds((np.array([-1, 0, 1], np.float32),) * 12)
    return out


def test_calibration_travels_with_its_error():
    for effort in ("fast", "normal"):
        facts = cost_model(effort).facts
        for name in ("shape", "weights", "tables"):
            assert facts["held_out_neuron_error"][name]["median"] < 0.35
        assert facts["held_out_network_error"]["shape"]["median"] < 0.35
    with pytest.raises(UsageError, match="'high', known are fast, normal"):
        cost_model("high")


def test_narrow_neurons_cost_a_lut_per_output_bit_and_wide_ones_more_with_every_bit():
    np.testing.assert_array_equal(MODEL.neuron([1, 4, 6], [1, 3, 2]), [1, 3, 2])
    wide = MODEL.neuron(np.arange(6, 13), 2)
    assert (np.diff(wide) > 0).all()


def test_codes_are_those_of_the_layer():
    rng = np.random.default_rng(1)
    layer = linear(rng.integers(-5, 6, (3, 4)), np.sort(rng.integers(-9, 9, (3, 3))))
    formats = (IntFormat(1), IntFormat(2), IntFormat(2), IntFormat(1))
    for i in range(3):
        wires = layer.wires(i, formats)
        codes = neuron_codes(layer, i, formats)
        x = np.zeros((len(codes), 4), np.int64)
        shift = 0
        for w in wires:
            x[:, w] = (np.arange(len(codes)) >> shift) & formats[w].hi
            shift += formats[w].bits
        np.testing.assert_array_equal(codes, layer.evaluate(x)[:, i])


def test_diagram_width_of_known_functions():
    index = np.arange(1 << 8)
    ones = sum((index >> b) & 1 for b in range(8))
    # Sub-functions of a count, 1 and 2 inputs down: two and three.
    assert diagram_width(ones) == (np.log2(2 + 3), 8)
    assert diagram_width(ones & 1) == (np.log2(2 + 2), 8)
    assert diagram_width((index >> 3) & 1) == (0.0, 1)
    assert diagram_width(np.zeros(16, np.int64)) == (0.0, 0)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.permutations(range(8)))
def test_diagram_width_does_not_know_the_order_of_inputs(seed, order):
    # Distinct influences: otherwise ties are broken by position.
    weights = np.array([1, 2, 4, 8, 16, 32, 64, 128])
    threshold = np.random.default_rng(seed).integers(1, 255)
    index = np.arange(256)

    def codes(w):
        return (sum(((index >> b) & 1) * w[b] for b in range(8)) >= threshold).astype(int)

    assert diagram_width(codes(weights)) == diagram_width(codes(weights[list(order)]))


def test_only_what_is_built_is_counted():
    table = np.array([0, 0, 1, 1])  # the second input, passed on
    first = Enumerated(
        "fc1",
        ("input",),
        ((0, 1), (0, 1), (0, 1)),
        (np.array([0, 1, 1, 0]), table, np.array([0, 0, 0, 1])),
        (IntFormat(1),) * 3,
        (IntFormat(1),) * 2,
    )
    choice = Argmax("argmax", ("fc1",), (IntFormat(2),))
    ports = tuple(Port(f"x{i}", IntFormat(1)) for i in range(2))
    whole = QuantNet("n", ports, (first, choice), ((Port("c", IntFormat(2)), "argmax", 0),))
    assert live_neurons(whole)["fc1"].tolist() == [True] * 3
    assert MODEL.network(whole) == {"fc1": 2.0, "argmax": MODEL.choice(3, 1)}
    part = QuantNet("n", ports, (first,), ((Port("y", IntFormat(1)), "fc1", 0),))
    assert live_neurons(part)["fc1"].tolist() == [True, False, False]
    assert MODEL.network(part) == {"fc1": 1.0}


def test_what_cannot_be_predicted_is_refused():
    formats = (IntFormat(2),) * 8
    with pytest.raises(UsageError, match="16 input bits, at most 14"):
        neuron_codes(linear([[1] * 8], [[1, 2, 3]]), 0, formats)
    plain = Linear(
        "sum", ("input",), np.ones((1, 8), np.int64), np.zeros(1, np.int64), None, (IntFormat(5),)
    )
    with pytest.raises(UsageError, match="plain sum"):
        neuron_codes(plain, 0, formats)


def test_architecture_counts_read_neurons():
    wide = plain_layer("fc1", 100, 4, "pact", 2)
    few = Architecture(
        "n", ("a",) * 4, (2,) * 4, ("p", "q"), (wide, plain_layer("s", 2, 3, "pact", 2))
    )
    luts = MODEL.architecture(few)
    # Six reads of a hundred neurons: about six of them are built.
    assert luts["fc1"] == pytest.approx(6 * float(MODEL.neuron(8, 2)), rel=0.05)
    assert luts["s"] == 4.0
    assert luts["argmax"] == MODEL.choice(2, 2)


def test_influences_against_counting():
    weights, threshold = np.array([5.0, 3.0, 2.0, 2.0, 1.0, 1.0, 1.0, 1.0]), 8.5
    index = np.arange(256)
    planes = [(index >> b) & 1 for b in range(8)]
    code = sum(w * p for w, p in zip(weights, planes, strict=True)) >= threshold
    exact = [np.mean(code != code[index ^ (1 << b)]) for b in range(8)]
    spread = np.sqrt((weights**2).sum()) / 2
    at = (threshold - weights.sum() / 2) / spread
    found = influences(
        torch.from_numpy(weights)[None], torch.tensor([[float(at)]], dtype=torch.float64)
    )
    np.testing.assert_allclose(found[0], exact, atol=0.09)
    # A bit without weight has no influence, and other scales change nothing.
    more = torch.tensor([[*weights.tolist(), 0.0]], dtype=torch.float64) * 7
    again = influences(more, torch.tensor([[float(at)]], dtype=torch.float64))
    np.testing.assert_allclose(again[0, :8], found[0], rtol=1e-6)
    assert again[0, 8] == 0


def test_gradient_lowers_what_is_dear_and_knows_no_scale():
    # Codes symmetric around zero, where the mean of the sums does not move with the weights.
    first, last = (plain_layer(*own, "signed_uniform", 2) for own in (("fc1", 6, 5), ("s", 2, 4)))
    net = network((first, last))
    cost = LutCost(net)
    before = cost()
    before.backward()
    for block in net.blocks:
        grad, weight = block.linear.weight.grad, block.linear.weight.detach()
        # The rows' own scale is left alone; cut connections are not touched.
        np.testing.assert_allclose((grad * weight).sum(1), 0, atol=1e-3 * before.item())
        assert not grad[block.linear.mask == 0].any()
    rate = 1e-5
    with torch.no_grad():
        for block in net.blocks:
            block.linear.weight -= rate * block.linear.weight.grad
    assert cost().item() < before.item() - 1e-4
    assert list(cost.parameters()) == []


def test_a_neuron_nobody_reads_costs_nothing():
    net = network((plain_layer("fc1", 6, 5, "pact", 2), plain_layer("score", 2, 3, "pact", 3)))
    cost = LutCost(net)
    with torch.no_grad():
        net.blocks[1].linear.weight.zero_()
    # Two constant scores of three bits, and nothing of the six neurons before.
    assert cost().item() == pytest.approx(2 * float(formula(-6, 3.0, MODEL.weights)))


def test_penalty_is_off_by_default():
    net = network((plain_layer("score", 2, 5, "pact", 2),))
    assert lut_penalty(net, 0.0) is None
    penalty = lut_penalty(net, 0.5)
    assert penalty().item() == pytest.approx(0.5 * LutCost(net)().item())
