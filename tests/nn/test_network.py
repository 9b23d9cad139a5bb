"""Torch in eval mode and QuantNet are the same function, bit for bit."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nnlogic.core.errors import CheckpointError, TooWide, UsageError
from nnlogic.frontend import load, read_golden
from nnlogic.model.architecture import Architecture
from nnlogic.model.layer import plain_layer
from nnlogic.nn import (
    PACT,
    Network,
    Sign,
    SignedUniform,
    SparseLinear,
    fit_thresholds,
    load_network,
    save_checkpoint,
)


def architecture(hidden=("pact", 2), scores=("signed_uniform", 4), norm=True, in_bits=2):
    return Architecture(
        "tiny",
        tuple(f"x{i}" for i in range(6)),
        (in_bits,) * 6,
        ("a", "b", "c"),
        (
            plain_layer("fc1", 8, 3, *hidden, 4, norm),
            plain_layer("fc2", 6, 3, *hidden, 8, norm),
            plain_layer("fc3", 3, 0, *scores, 6, norm),
        ),
    )


def randomized(arch, seed=0):
    network = Network(arch, random_mask=True, seed=seed, fan_in_limit=99)
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(300, 6)).astype(np.float32)
    network.quantizer.set_thresholds(fit_thresholds(rows, arch.input_bits))
    g = torch.Generator().manual_seed(seed)
    for layer in network.blocks:
        for name, tensor in layer.affine().items():
            if name in ("gamma", "beta", "bias"):
                tensor.data.copy_(torch.randn(tensor.shape, generator=g) + (name == "beta"))
    network.train()
    for _ in range(20):
        network(torch.from_numpy(rows))
    return network.eval(), rows


hidden = st.sampled_from([("sign", 1), ("pact", 1), ("pact", 2), ("signed_uniform", 2)])


@settings(max_examples=30, deadline=None)
@given(hidden, st.booleans(), st.integers(1, 3), st.integers(0, 999))
def test_torch_eval_equals_quantnet(kind, norm, in_bits, seed):
    network, rows = randomized(architecture(kind, norm=norm, in_bits=in_bits), seed)
    net = network.quantnet()
    want = network.evaluate(rows)
    np.testing.assert_array_equal(net.evaluate(net.encode(rows)), want)
    assert want.shape == (300, 4)
    # The winner is the lowest index of the largest score.
    np.testing.assert_array_equal(want[:, -1], want[:, :-1].argmax(1))


def test_fake_quantized_graph_agrees_with_the_integers_up_to_float_ties():
    network, rows = randomized(architecture())
    exact = network(torch.from_numpy(rows))
    network.train()
    for layer in network.blocks:
        layer.norm.eval()
    fake = network(torch.from_numpy(rows)).detach().double()
    assert (fake - exact).abs().lt(1e-4).double().mean() > 0.995


def test_changing_one_weight_changes_the_outputs():
    network, rows = randomized(architecture())
    net = network.quantnet()
    codes = net.encode(rows)
    assert np.array_equal(net.evaluate(codes), network.evaluate(rows))
    varied = network.evaluate(rows)[:, :-1].std(0).argmax()
    row = network.blocks[2].linear.weight.data[varied]
    row[row.abs().argmax()] *= -1
    assert not np.array_equal(net.evaluate(codes), network.evaluate(rows))


def test_checkpoint_round_trip(tmp_path):
    network, rows = randomized(architecture())
    path = tmp_path / "net.safetensors"
    save_checkpoint(network, path, info={"dataset": "none"}, golden_rows=rows[:20])
    net = load(path)
    want = network.evaluate(rows)
    np.testing.assert_array_equal(net.evaluate(net.encode(rows)), want)
    np.testing.assert_array_equal(load_network(path).evaluate(rows), want)
    x, y = read_golden(path)
    np.testing.assert_array_equal(x, rows[:20])
    np.testing.assert_array_equal(y, want[:20])
    assert net.info["dataset"] == "none"
    assert net.info["golden_rows"] == 20
    assert len(net.info["digest"]) == 32


def test_checkpoint_without_fitted_input_thresholds_is_refused(tmp_path):
    path = tmp_path / "net.safetensors"
    with pytest.raises(CheckpointError) as caught:
        save_checkpoint(Network(architecture()), path)
    assert [p.where for p in caught.value.problems] == [f"input.{i}" for i in range(6)]
    assert not path.exists()


def test_too_wide_lists_every_layer():
    arch = architecture(in_bits=8)
    with pytest.raises(TooWide) as caught:
        Network(arch, fan_in_limit=5)
    assert [p.where for p in caught.value.problems] == ["fc1", "fc2", "fc3"]


@pytest.mark.parametrize(
    ("make", "levels"),
    [
        (Sign, [-1, 1]),
        (lambda: PACT(2, clip=3.0), [0, 1, 2, 3]),
        (lambda: SignedUniform(2, clip=1.5), [-1.5, -0.5, 0.5, 1.5]),
    ],
)
def test_activations_round_to_their_levels_and_pass_gradients(make, levels):
    activation = make()
    assert [float(activation.levels().value(k)) for k in range(len(levels))] == levels
    x = torch.linspace(-5, 5, 101, requires_grad=True)
    y = activation(x)
    assert sorted({round(v, 5) for v in y.tolist()}) == levels
    y.sum().backward()
    inside = (x.detach() > levels[0]) & (x.detach() < levels[-1])
    assert torch.all(x.grad[inside] == 1)
    assert x.grad[0] == 0
    assert x.grad[-1] == 0


def test_learned_clip_gets_a_gradient_from_saturated_values():
    activation = PACT(2, clip=3.0)
    activation(torch.tensor([10.0, -10.0])).sum().backward()
    assert float(activation.raw_scale.grad) == 3.0


def test_random_mask_has_the_fan_in_and_uses_all_inputs():
    g = torch.Generator().manual_seed(1)
    layer = SparseLinear(16, 8, fan_in=4, random_mask=True, generator=g)
    assert layer.mask.sum(1).tolist() == [4] * 8
    assert layer.mask.sum(0).tolist() == [2] * 16


def test_pruning_keeps_the_largest_magnitudes_and_follows_the_schedule():
    layer = SparseLinear(10, 3, fan_in=2)
    counts = []
    for t in (0.0, 0.25, 0.5, 1.0):
        layer.prune(t)
        counts.append(int(layer.mask[0].sum()))
    assert counts == [10, round(2 + 8 * 0.75**3), 3, 2]
    magnitude = layer.weight.detach().abs()
    for row, mask in zip(magnitude, layer.mask, strict=True):
        assert set(row.topk(2).indices.tolist()) == set(torch.nonzero(mask)[:, 0].tolist())


def test_thresholds_by_quantile_and_uniform():
    rows = np.linspace(0, 1, 1001)[:, None]
    (quantile,) = fit_thresholds(rows, (2,))
    np.testing.assert_allclose(quantile, [0.25, 0.5, 0.75], atol=1e-6)
    (uniform,) = fit_thresholds(rows**2, (2,), "uniform", tail=0.0)
    np.testing.assert_allclose(uniform, [0.25, 0.5, 0.75], atol=1e-6)
    with pytest.raises(UsageError, match="'median'"):
        fit_thresholds(rows, (2,), "median")


def test_input_thresholds_belong_to_the_upper_code():
    network, _ = randomized(architecture())
    t = network.quantizer.get_thresholds()[0]
    rows = np.zeros((3, 6), np.float32)
    rows[:, 0] = [np.nextafter(t[0], np.float32(-9)), t[0], t[2]]
    codes = network.quantizer(torch.from_numpy(rows))[:, 0].tolist()
    assert codes == [0, 1, 3]
    assert network.quantnet().encode(rows)[:, 0].tolist() == codes
