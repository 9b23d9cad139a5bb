"""Rows around the thresholds of an input quantizer."""

import numpy as np

from nnlogic.checks.raw_rows import edge_rows
from nnlogic.core.archive import frozen
from nnlogic.quant.ir import InputQuantizer


def test_rows_lie_on_and_beside_every_threshold_and_reach_every_code():
    thresholds = ([-1.5, 0.0, 2.0], [], [7.0])
    quantizer = InputQuantizer(tuple(frozen(t, np.float32) for t in thresholds))
    rows = edge_rows(quantizer, 500)
    assert rows.shape == (500, 3)
    assert rows.dtype == np.float32
    for t, column in zip(thresholds, rows.T, strict=True):
        for value in np.array(t, np.float32):
            below = np.nextafter(value, np.float32(-np.inf))
            assert {value, below} <= set(column)
    codes = quantizer.encode(rows, ("a", "b", "c"))
    assert [len(set(column)) for column in codes.T] == [4, 1, 2]
    assert not np.array_equal(rows, edge_rows(quantizer, 500, seed=1))
