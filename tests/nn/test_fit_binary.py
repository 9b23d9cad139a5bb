"""Thresholds of features that are zeros and ones."""

import numpy as np

from nnlogic.nn import fit_thresholds


def test_the_code_of_a_binary_feature_is_its_value():
    rows = np.zeros((100, 2), np.float32)
    rows[:3, 0] = 1
    rows[:97, 1] = 1
    for method in ("quantile", "uniform"):
        for bits in (1, 3):
            for column, t in zip(rows.T, fit_thresholds(rows, (bits, bits), method), strict=True):
                assert len(t) == (1 << bits) - 1
                np.testing.assert_array_equal(np.searchsorted(t, column, side="right"), column)
