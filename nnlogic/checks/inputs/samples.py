"""Raw rows that lie on and beside the thresholds of an input quantizer."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nnlogic.quant.ir import InputQuantizer


def edge_rows(quantizer: InputQuantizer, rows: int, seed: int = 0) -> NDArray[np.float32]:
    """Return random rows whose values are thresholds or their neighbours among the float32.

    Parameters
    ----------
    quantizer : InputQuantizer
    rows, seed : int

    Returns
    -------
    float32 array, shape (rows, features)
    """
    rng = np.random.default_rng(seed)
    columns = []
    for thresholds in quantizer.thresholds:
        t = thresholds if len(thresholds) else np.zeros(1, np.float32)
        far = np.float32(1 + np.abs(t).max())
        values = np.concatenate(
            [t, np.nextafter(t, -far), np.nextafter(t, far), [t[0] - far, t[-1] + far]]
        )
        columns.append(rng.choice(values.astype(np.float32), rows))
    return np.stack(columns, axis=1)
