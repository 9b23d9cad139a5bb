"""The fold is exact: integer thresholds against the float graph evaluated in rationals."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnlogic.core.errors import IRError
from nnlogic.quant.fold import HALF, Levels, Norm, fold_linear, quantize_weights

floats = st.floats(-8, 8, width=32, allow_subnormal=False)
positive = st.floats(2**-10, 8, width=32)


@st.composite
def layers(draw):
    n, m = draw(st.integers(1, 3)), draw(st.integers(1, 3))

    def row(of, k):
        return np.array(draw(st.lists(of, min_size=k, max_size=k)), np.float32)

    x = Levels(
        Fraction(draw(positive)),
        draw(st.sampled_from([Fraction(0), -HALF, Fraction(-7, 2)])),
        draw(st.sampled_from([2, 4, 8])),
    )
    out = Levels(
        Fraction(draw(positive)),
        draw(st.sampled_from([Fraction(0), -HALF, Fraction(-3, 2)])),
        draw(st.sampled_from([2, 4])),
    )
    weights = row(st.integers(-15, 15), n * m).astype(np.int64).reshape(n, m)
    norm = bias = None
    if draw(st.booleans()):
        gamma = row(st.one_of(floats, st.just(0.0)), n)
        norm = Norm(gamma, row(floats, n), row(floats, n), row(positive, n), 1e-5)
    else:
        bias = row(floats, n)
    return weights, row(positive, n), x, out, bias, norm


def rational_code(i, code, weights, scale, x, out, bias, norm):
    z = Fraction(float(scale[i])) * sum(
        int(w) * x.value(int(c)) for w, c in zip(weights[i], code, strict=True)
    )
    if bias is not None:
        z += Fraction(float(bias[i]))
    if norm is not None:
        sigma = Fraction(float(norm.sigma()[i]))
        z = Fraction(float(norm.gamma[i])) * (z - Fraction(float(norm.mean[i]))) / sigma
        z += Fraction(float(norm.beta[i]))
    distance = [abs(z - out.value(k)) for k in range(out.count)]
    nearest = min(distance)
    return max(k for k in range(out.count) if distance[k] == nearest)


@settings(max_examples=150, deadline=None)
@given(layers())
def test_folded_code_is_the_nearest_level_in_rationals(layer):
    weights, scale, x, out, bias, norm = layer
    folded, thresholds = fold_linear(weights, scale, x, out, bias=bias, norm=norm)
    codes = np.stack(
        np.meshgrid(*[np.arange(x.count)] * weights.shape[1], indexing="ij"), -1
    ).reshape(-1, weights.shape[1])
    picked = np.random.default_rng(0).permutation(len(codes))[:40]
    acc = codes[picked] @ folded.T
    got = (acc[:, :, None] >= thresholds[None]).sum(-1)
    for r, c in enumerate(codes[picked]):
        want = [rational_code(i, c, *layer) for i in range(len(weights))]
        assert got[r].tolist() == want
    assert np.all(np.diff(thresholds, axis=1) >= 0)
    worst = np.abs(weights).sum(1) * (x.count - 1) + 1
    assert np.all(np.abs(thresholds) <= worst[:, None])


def test_a_tie_goes_to_the_upper_level():
    unit = Levels(Fraction(1), Fraction(0), 4)
    weights = np.array([[1]])
    _, up = fold_linear(weights, np.array([0.5]), unit, unit, bias=np.zeros(1))
    # Values 0, .5, 1, 1.5: the halves round up.
    assert (np.arange(4)[:, None] >= up[0]).sum(1).tolist() == [0, 1, 1, 2]
    norm = Norm(np.array([-1.0]), np.zeros(1), np.zeros(1), np.ones(1), 0.0)
    signed = Levels(Fraction(1), Fraction(-2), 4)
    folded, down = fold_linear(weights, np.array([0.5]), unit, signed, norm=norm)
    # Values 0, -.5, -1, -1.5, of levels -2..1: still up, though the row was negated.
    assert folded.tolist() == [[-1]]
    assert (-np.arange(4)[:, None] >= down[0]).sum(1).tolist() == [2, 2, 1, 1]


def test_zero_gain_is_constant():
    unit = Levels(Fraction(1), Fraction(0), 4)
    norm = Norm(np.zeros(1), np.array([1.75]), np.zeros(1), np.ones(1), 0.0)
    folded, thresholds = fold_linear(np.array([[3, -2]]), np.ones(1), unit, unit, norm=norm)
    codes = np.array([[0, 0], [3, 0], [0, 3], [3, 3]])
    assert ((codes @ folded.T) >= thresholds[0]).sum(1).tolist() == [2, 2, 2, 2]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_parameter_that_is_not_finite_is_refused(bad):
    unit = Levels(Fraction(1), Fraction(0), 4)
    with pytest.raises(IRError, match="NaN or infinite"):
        fold_linear(np.array([[1]]), np.ones(1), unit, unit, bias=np.array([bad]))


def test_a_scale_that_is_not_positive_is_refused():
    unit = Levels(Fraction(1), Fraction(0), 4)
    with pytest.raises(IRError, match="not positive"):
        fold_linear(np.array([[1]]), np.zeros(1), unit, unit)


@settings(max_examples=100, deadline=None)
@given(st.lists(floats, min_size=1, max_size=6), st.integers(2, 8))
def test_quantized_weights_are_nearest_multiples_of_the_scale(row, bits):
    weight = np.array([row], np.float32)
    integers, scale = quantize_weights(weight, bits)
    top = 2 ** (bits - 1) - 1
    assert np.abs(integers).max() <= top
    assert np.all(integers[weight == 0] == 0)
    assert np.all(np.abs(integers * scale[:, None] - weight) <= scale[:, None] * 0.5000001)
    if np.any(weight):
        assert np.abs(integers).max() == top
