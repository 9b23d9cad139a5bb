"""Learned numbers of bits: codes, values and gradients, neuron by neuron."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nnlogic.nn.family import activation_codes
from nnlogic.nn.quantizers import LearnedBits, SignedUniform


def quantizer(bits, raw, scale=0.37):
    out = LearnedBits(bits, width=len(raw))
    out.set_scale(scale)
    with torch.no_grad():
        out.raw_bits.copy_(torch.tensor(raw))
    return out


@given(
    st.lists(st.floats(0.5, 5.4), min_size=1, max_size=4),
    st.floats(2**-9, 8, width=32),
    st.lists(st.floats(-20, 20, width=32), min_size=1, max_size=8),
)
@settings(deadline=None, max_examples=60)
def test_codes_are_the_top_bits_and_stand_for_the_middle(raw, scale, values):
    own, full = quantizer(5, raw, scale), SignedUniform(5)
    full.set_scale(scale)
    x = torch.tensor(values)[:, None].expand(-1, len(raw))
    codes, out = own.codes(x), own.eval()(x)
    table, bounds = own.neuron_values(), own.neuron_bounds()
    for i, size in enumerate(own.sizes().int().tolist()):
        assert 1 <= size <= 5
        assert size == min(5, max(1, math.floor(raw[i] + 0.5)))
        assert torch.equal(codes[:, i], full.codes(x[:, i]) >> (5 - size))
        assert torch.equal(out[:, i], table[i, codes[:, i]])
        used = table[i, : 1 << size].double()
        assert not table[i, 1 << size :].any()
        step = scale * 2.0 ** (5 - size)
        torch.testing.assert_close(used.diff(), torch.full_like(used[1:], step), rtol=1e-5, atol=0)
        torch.testing.assert_close(used + used.flip(0), torch.zeros_like(used))
        finite = bounds[i][bounds[i].isfinite()]
        assert len(finite) == (1 << size) - 1
        reached = (x[:, i].double()[:, None] >= finite).sum(1)
        assert torch.equal(reached, codes[:, i])


def test_meaning_of_the_wires():
    own = quantizer(3, [1.2, 3.0, 2.4])
    codes = activation_codes(own, 3)
    assert codes.bits == (1, 3, 2)
    assert codes.values.shape == (3, 8)
    assert codes.levels is None
    assert torch.equal(codes.size.detach(), torch.tensor([1.0, 3.0, 2.0]))
    assert codes.size.requires_grad


def test_gradients():
    own = quantizer(4, [2.0, 4.0], scale=0.25).train()
    x = torch.tensor([[0.3, 0.3], [-1.7, -1.7], [5.0, 5.0]], requires_grad=True)
    out = own(x)
    weight = torch.tensor([[1.0, 2.0], [3.0, -1.0], [1.0, 1.0]])
    (out * weight).sum().backward()
    inside = torch.tensor([[True], [True], [False]])
    assert torch.equal(x.grad, torch.where(inside, weight, torch.zeros(())))
    clipped = x.detach().clamp(-2 + 0.125, 2 - 0.125)
    error = clipped - out.detach()
    torch.testing.assert_close(own.raw_bits.grad, math.log(2) * (weight * error).sum(0))
    # The rounding error of two bits is larger.
    assert error[:2, 0].abs().max() > error[:2, 1].abs().max()
    assert own.raw_scale.grad.abs() > 0


def test_bits_stay_in_range_and_freeze():
    own = quantizer(3, [-4.0, 9.0]).train()
    own(torch.zeros(2, 2))
    assert own.sizes().tolist() == [1.0, 3.0]
    assert float(own.raw_bits.detach().min()) >= 0.5
    assert float(own.raw_bits.detach().max()) < 3.5
    for progress, learns in ((0.0, True), (0.74, True), (0.8, False), (0.2, True)):
        own.anneal(progress)
        assert own.raw_bits.requires_grad == learns
    own.quantized = False
    assert own(torch.tensor([[9.0, 0.1]]))[0].tolist() == pytest.approx([0.37 * 3.5, 0.1])
