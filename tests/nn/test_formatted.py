"""Activations and weights in number formats, against rationals."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nnlogic.model.layer import LayerSpec
from nnlogic.nn.families import spec_problems
from nnlogic.nn.quantizers import Formatted, FormattedWeights, make_activation

FORMATS = ("posit(4,1)", "posit(5,0)", "minifloat(2,1)", "shift(4)", "ternary()", "binary()")


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=25, deadline=None)
@given(x=st.floats(-40, 40, width=32), scale=st.floats(2**-9, 16, width=32))
def test_codes_are_those_of_the_nearest_number(name, x, scale):
    made = Formatted(name)
    made.set_scale(scale)
    values = [Fraction(scale) * v for v in made.numbers.values]
    apart = [abs(Fraction(x) - v) for v in values]
    want = max(k for k, d in enumerate(apart) if d == min(apart))
    ends = [Fraction(t) for t in made.thresholds().tolist()]
    for point in (x, *(float(np.float32(t)) for t in ends)):
        code = int(made.codes(torch.tensor([point])))
        assert code == sum(t <= Fraction(point) for t in ends)
    assert int(made.codes(torch.tensor([x]))) == want
    out = made(torch.tensor([x]))
    assert torch.equal(out, made.values()[want : want + 1].detach())
    assert float(out.detach()) == float(np.float32(float(values[want])))


def test_weights_are_nearest_numbers_with_the_best_of_the_scales():
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(6, 9, generator=generator)
    mask = (torch.rand(6, 9, generator=generator) < 0.7).float()
    for name in FORMATS:
        made = FormattedWeights(name)
        whole, unit = made.integers(weight, mask)
        used = made(weight, mask)
        assert torch.equal(used, (whole * unit[:, None]).float())
        assert not whole[mask == 0].any()
        shape = made.shape.numpy()
        for row, own, u, cut in zip(
            weight.double().numpy(), whole.numpy(), unit.numpy(), mask.numpy(), strict=True
        ):
            there = cut > 0
            near = np.abs(row[there, None] / u - shape).min(1)
            np.testing.assert_allclose(np.abs(row[there] / u - own[there]), near)


def test_the_scale_is_found_and_a_worse_one_is_worse():
    # Numbers of the format times anything are met exactly, whatever the largest that occurs.
    made = FormattedWeights("posit(4,1)")
    row = torch.tensor([[0.25, -0.5, 1.0, 2.0, -0.25]]) * 0.37
    whole, unit = made.integers(row, torch.ones_like(row))
    np.testing.assert_allclose((whole * unit[:, None]).numpy(), row.double().numpy(), rtol=1e-6)
    off = (made.shape[torch.bucketize(row / 0.5, made.shape)] * 0.5 - row).abs().sum()
    assert off > 0.01


def test_gradients_go_straight_through_or_with_the_gap():
    weight = torch.tensor([[0.06, 1.0, 14.0, 5.0]], requires_grad=True)
    mask = torch.tensor([[1.0, 1, 1, 0]])
    FormattedWeights("posit(4,1)")(weight, mask).sum().backward()
    assert torch.equal(weight.grad, mask)
    weight.grad = None
    FormattedWeights("posit(4,1)", "gap")(weight, mask).sum().backward()
    small, middle, large, cut = weight.grad[0].tolist()
    assert small < middle < large
    assert cut == 0
    assert small + middle + large == pytest.approx(3)


@pytest.mark.parametrize(
    ("activation", "bits", "why"),
    [
        ("posit(4,1)", 3, "bits 3, posit(4,1) has 4"),
        ("posit(1,1)", 1, "has 2 or more"),
        ("posit", 4, "a number format such as"),
        ("posit(4,1)", 4, None),
    ],
)
def test_recipes_name_them(activation, bits, why):
    spec = LayerSpec("a", 2, "poly", 2, activation, bits)
    problems = spec_problems(spec)
    if why is None:
        assert problems == []
        assert make_activation(spec).numbers.bits == 4
    else:
        assert why in problems[0].why
