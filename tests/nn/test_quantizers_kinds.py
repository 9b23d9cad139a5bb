"""Codes of every activation against its definition in rationals; gradients; learning."""

from fractions import Fraction
from math import floor
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nnlogic.core.errors import UsageError
from nnlogic.nn.quantizers import (
    KINDS,
    PACT,
    QFX,
    Activation,
    Codebook,
    ReBNet,
    Sign,
    SignedUniform,
    make_activation,
)
from nnlogic.nn.quantizers.base import MOST_COMPARED
from nnlogic.nn.quantizers.straight import GRID

scales = st.floats(2**-11, 16, width=32)
spread = st.floats(-20, 20, width=32)


def fill(parameter, values):
    with torch.no_grad():
        parameter.copy_(torch.tensor(values))


def fill_codebook(codebook, values):
    values = torch.tensor(values)
    fill(codebook.raw_values, values.tolist())
    codebook.set_scale(float(values.abs().max()))


def fill_levels(rebnet, levels):
    fill(rebnet.raw_levels, levels)
    rebnet.set_scale(max(levels))


def nearest(x, values):
    """Index of the nearest value, of the last one in a tie."""
    distance = [abs(Fraction(x) - v) for v in values]
    return max(k for k, d in enumerate(distance) if d == min(distance))


def uniform_reference(activation, x):
    scale = Fraction(float(activation.scale.detach()))
    zero = Fraction(activation.zero)
    return nearest(x, [scale * (k + zero) for k in range(1 << activation.bits)])


def qfx_reference(activation, x):
    low, high = -(1 << (activation.bits - 1)), (1 << (activation.bits - 1)) - 1
    shifted = Fraction(x) * Fraction(2) ** int(activation.point)
    return min(max(floor(shifted + Fraction(1, 2)), low), high) - low


def rebnet_reference(activation, x):
    code, rest = 0, Fraction(x)
    for gain in activation.gains.tolist():
        positive = rest >= 0
        code = 2 * code + positive
        rest -= Fraction(gain) if positive else -Fraction(gain)
    return code


def codebook_reference(activation, x):
    return nearest(x, [Fraction(v) for v in activation.values().tolist()])


@st.composite
def activations(draw):
    kind = draw(st.sampled_from(sorted(KINDS)))
    most = {"sign": 1, "rebnet": 3}.get(kind, 4)
    activation = KINDS[kind](draw(st.integers(1, most)))
    if kind == "codebook":
        count = 1 << activation.bits
        apart = st.lists(
            spread, min_size=count, max_size=count, unique_by=lambda v: round(v * GRID)
        )
        fill_codebook(activation, draw(apart))
        return activation, codebook_reference
    if kind == "rebnet":
        bits = activation.bits
        fill_levels(activation, draw(st.lists(scales, min_size=bits, max_size=bits)))
        return activation, rebnet_reference
    if kind == "qfx":
        fill(activation.raw_scale, [draw(st.floats(-9, 17, width=32))])
        return activation, qfx_reference
    if kind != "sign":
        fill(activation.raw_scale, [draw(scales)])
    return activation, uniform_reference


def around(bounds, extra, dtype):
    """Inputs on the bounds, one float to each side of them, and some others."""
    near = np.asarray(bounds, dtype)
    sides = [np.nextafter(near, dtype(-np.inf)), near, np.nextafter(near, dtype(np.inf))]
    return torch.from_numpy(np.concatenate([*sides, np.asarray(extra, dtype)]))


@settings(max_examples=100, deadline=None)
@given(activations(), st.lists(spread, max_size=8), st.sampled_from([np.float32, np.float64]))
def test_codes_are_exact_and_forward_gives_their_values(case, extra, dtype):
    activation, reference = case
    bounds = activation.thresholds()
    assert bounds.dtype == torch.float64
    assert torch.all(bounds[1:] >= bounds[:-1])
    x = around(bounds.numpy(), extra, dtype)
    codes = activation.codes(x)
    assert codes.tolist() == [reference(activation, v) for v in x.tolist()]
    values = activation.values()
    assert values.shape == (1 << activation.bits,)
    x32 = x.to(torch.float32)
    assert torch.equal(activation(x32), values[activation.codes(x32)])


@settings(max_examples=30, deadline=None)
@given(activations())
def test_a_copy_in_float64_gives_the_same_codes(case):
    activation, _ = case
    x = around(activation.thresholds().numpy(), [0.0], np.float64)
    codes, values = activation.codes(x), activation.values().double()
    activation.double()
    assert torch.equal(activation.codes(x), codes)
    # Products of a float32 scale are rounded in one of them only.
    torch.testing.assert_close(activation.values(), values, rtol=1e-6, atol=0)


def test_many_levels_are_searched_and_few_compared():
    # Both ways to find a code, on the same inputs.
    small, large = SignedUniform(5), SignedUniform(6)
    assert len(small.thresholds()) <= MOST_COMPARED < len(large.thresholds())
    for activation in (small, large):
        x = around(activation.thresholds().numpy(), [], np.float32)
        assert activation.codes(x).tolist() == [
            uniform_reference(activation, v) for v in x.tolist()
        ]


def test_ties_by_hand():
    codebook = Codebook(2)
    fill_codebook(codebook, [3.0, -1.0, 0.0, 1.0])
    x = torch.tensor([-0.5, -0.50001, 0.5, 2.0, 9.0, -9.0])
    assert codebook.codes(x).tolist() == [1, 0, 2, 3, 3, 0]
    assert codebook.values().tolist() == [-1, 0, 1, 3]
    qfx = QFX(3, point=1)
    assert qfx.values().tolist() == [-2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5]
    # round(x << 1): 0.25 -> round(0.5) = 1, -0.25 -> round(-0.5) = 0.
    assert qfx(torch.tensor([0.25, -0.25, 9.0, -9.0])).tolist() == [0.5, 0, 1.5, -2]
    rebnet = ReBNet(2)
    fill_levels(rebnet, [1.0, 0.25])
    assert rebnet.values().tolist() == [-1.25, -0.75, 0.75, 1.25]
    assert rebnet(torch.tensor([0.0, 1.0, -1.0, -1.001])).tolist() == [0.75, 1.25, -0.75, -1.25]


def test_residual_levels_in_the_wrong_order_stay_a_residual_code():
    rebnet = ReBNet(3)
    fill_levels(rebnet, [0.25, 1.0, 0.5])
    x = torch.linspace(-3, 3, 97)
    want = [rebnet_reference(rebnet, v) for v in x.tolist()]
    assert rebnet.codes(x).tolist() == want
    assert torch.equal(rebnet(x), rebnet.values()[torch.tensor(want)])


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_gradients_pass_inside_and_reach_what_is_learned(kind):
    activation = KINDS[kind](1 if kind == "sign" else 2)
    x = torch.linspace(-6, 6, 201, requires_grad=True)
    activation(x).square().sum().backward()
    values = activation.values().detach()
    inside = (x.detach() >= values[0]) & (x.detach() <= values[-1])
    expected = torch.where(inside, 2 * activation(x).detach(), torch.zeros(()))
    torch.testing.assert_close(x.grad, expected)
    for parameter in activation.parameters():
        if parameter.requires_grad:
            assert torch.all(parameter.grad != 0)
    assert any(p.requires_grad for p in activation.parameters()) == (kind != "sign")


@pytest.mark.parametrize("make", [lambda: PACT(3), lambda: SignedUniform(3), lambda: QFX(3)])
def test_the_step_size_gradient_is_that_of_its_definition(make):
    activation = make()
    x = torch.tensor([-7.0, -0.7, 0.3, 0.9, 7.0])
    activation(x).sum().backward()
    scale = activation.scale.detach()
    values = activation.values().detach()
    inside = (x >= values[0]) & (x <= values[-1])
    per_input = (activation(x).detach() - torch.where(inside, x, torch.zeros(()))) / scale
    # The binary point p has scale 2**-p.
    slope = -np.log(2) * scale if isinstance(activation, QFX) else 1.0
    torch.testing.assert_close(activation.raw_scale.grad, per_input.sum().reshape(1) * slope)


def learned(activation, x, steps=150, rate=0.04):
    """Fit the quantizer to its input; the squared error before and after."""
    optimizer = torch.optim.Adam(activation.parameters(), rate)
    first = None
    for _ in range(steps):
        loss = (activation(x) - x).square().mean()
        first = float(loss.detach()) if first is None else first
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return first, float((activation(x) - x).detach().square().mean())


def normal(scale=1.0):
    return scale * torch.randn(2000, generator=torch.Generator().manual_seed(3))


def test_learning_finds_the_best_quantizers_of_a_normal_distribution():
    # Optimal errors: Max 1960, tables I (any levels) and II (uniform), for 4 and 8 levels.
    for make, best in (
        (lambda: SignedUniform(2, clip=4.0), 0.1188),
        (lambda: Codebook(2, clip=4.0), 0.1175),
        (lambda: Codebook(3, clip=4.0), 0.03454),
        (lambda: ReBNet(2), 0.1188),
        (lambda: ReBNet(3), 0.0374),
    ):
        activation = make()
        if isinstance(activation, ReBNet):
            fill_levels(activation, [2.0, 0.7, 0.2][: activation.bits])
        first, last = learned(activation, normal())
        assert last < first
        assert last < 1.1 * best


@pytest.mark.parametrize(("wide", "points"), [(0.1, {4, 5}), (8.0, {-2, -1})])
def test_the_binary_point_moves_to_the_range_of_the_data(wide, points):
    activation = QFX(3)
    first, last = learned(activation, normal(wide))
    assert last < first
    assert int(activation.point) in points


def test_an_uneven_codebook_beats_even_levels_on_uneven_data():
    x = torch.cat([normal(0.05), normal(0.05) + 1.0, normal(0.05) + 4.0, normal(0.05) - 2.0])
    _, even = learned(SignedUniform(2), x)
    codebook = Codebook(2, clip=2.0)
    _, uneven = learned(codebook, x)
    assert uneven < even / 10
    torch.testing.assert_close(
        codebook.values().detach(), torch.tensor([-2.0, 0.0, 1.0, 4.0]), atol=0.1, rtol=0
    )


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_float_twins_clip_and_nan_stays_nan(kind):
    activation = KINDS[kind](1 if kind == "sign" else 2)
    values = activation.values().detach()
    assert torch.isnan(activation(torch.tensor([torch.nan, 0.0]))).tolist() == [True, False]
    activation.quantized = False
    x = torch.tensor([-9.0, 0.1, 9.0])
    want = torch.stack([values.min(), torch.tensor(0.1), values.max()])
    torch.testing.assert_close(activation(x).detach(), want)


def test_activations_by_name():
    for kind in KINDS:
        bits = 1 if kind == "sign" else 2
        activation = make_activation(SimpleNamespace(activation=kind, bits=bits))
        assert isinstance(activation, Activation)
        assert (activation.kind, activation.bits) == (kind, bits)
    assert isinstance(KINDS["sign"](1), Sign)
    with pytest.raises(UsageError, match="'relu'"):
        make_activation(SimpleNamespace(activation="relu", bits=2))
    with pytest.raises(UsageError, match="4 levels"):
        ReBNet(4)
