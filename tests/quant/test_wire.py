"""Codes that are wires of a fixed-point number, and those that take logic."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnlogic.nn import fit_thresholds
from nnlogic.quant.ir import InputQuantizer
from nnlogic.quant.wire import FixedPoint, fixed_point_of


@given(st.integers(1, 8), st.integers(-12, 12), st.booleans())
def test_codes_of_fixed_point_numbers_are_their_bits(bits, exponent, signed):
    half = 1 << bits - 1 if signed else 0
    thresholds = (2.0**exponent * (np.arange(1, 1 << bits) - half)).astype(np.float32)
    found = fixed_point_of(thresholds, bits)
    if bits == 1 and signed:
        assert found in (None, FixedPoint(1, 0, True))  # the sign alone has no step
        return
    assert found == FixedPoint(bits, exponent, signed)
    numbers = np.arange(-half, (1 << bits) - half)
    rows = (numbers * 2.0**exponent + 0.25 * 2.0**exponent)[:, None]
    codes = InputQuantizer((thresholds,)).encode(rows, ("x",))[:, 0]
    bits_of_number = numbers & (1 << bits) - 1
    assert (codes == bits_of_number ^ half).all()


@pytest.mark.parametrize(
    "thresholds",
    [[0.3, 0.6, 0.9], [0.25, 0.5, 0.8], [1.25, 1.5, 1.75], [0.5, 0.5, 0.5], [0.25, 0.5]],
)
def test_others_take_logic(thresholds):
    assert fixed_point_of(np.array(thresholds, np.float32), 2) is None


def test_fitted_fixed_point_keeps_what_tells_the_class():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 4000)
    narrow = 0.01 * rng.standard_normal(4000) + 0.02 * labels
    narrow[::100] *= 300  # few rows far out must not take all the codes
    wide = np.abs(rng.standard_normal(4000)) * 1000
    for thresholds, column, signed in zip(
        fit_thresholds(np.stack([narrow, wide], 1), (5, 5), "fixed", labels=labels),
        (narrow, wide), (True, False), strict=True,
    ):  # fmt: skip
        found = fixed_point_of(thresholds, 5)
        assert found.signed is signed
        codes = np.searchsorted(thresholds, column, side="right")
        assert len(np.unique(codes)) > 12


def test_binary_features_stay_their_value():
    (t,) = fit_thresholds(np.array([[0.0], [1.0], [1.0]]), (1,), "fixed")
    assert t.tolist() == [0.5]
