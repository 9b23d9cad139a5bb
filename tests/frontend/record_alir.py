"""Record programs of alkaid and da4ml with their outputs: python tests/frontend/record_alir.py

Needs ``pip install alkaid da4ml``; the tests read only what stands in ``data/alir``. The functions
are our own. Outputs are those of each package's interpreter, in steps of 2**-4.
"""

from pathlib import Path

import alkaid.trace
import alkaid.trace.ops
import da4ml.trace
import da4ml.trace.ops
import da4ml.trace.pipeline
import numpy as np

OUT = Path(__file__).parent / "data" / "alir"
INPUTS = 4


def function(inp, ops, rng):
    """Products, choices, tables, and sums that are cut and wrap."""
    ones = np.ones(INPUTS, int)
    x = ops.quantize(inp, ones, 2 * ones, 2 * ones)
    h = ops.relu(x @ (rng.integers(-3, 4, (INPUTS, 4)) / 2), i=3 * ones, f=ones)
    h = np.maximum(h, h[::-1] * -1 + 1)
    t = ops.quantize(np.sin(h[:2]), ones[:2], ones[:2], 3 * ones[:2])
    wrapped = ops.quantize(h[2:] * 3, ones[:2], 2 * ones[:2], 0 * ones[:2])
    return np.concatenate([h[:2] @ rng.integers(-2, 3, (2, 1)), t, h[:1] * t[:1], wrapped])


def main():
    """Write programs, and rows and outputs that belong to them."""
    OUT.mkdir(parents=True, exist_ok=True)
    rows = np.random.default_rng(1).integers(-200, 200, (600, INPUTS))
    out = {"rows": rows.astype(np.int16)}
    traced = alkaid.trace.FVArrayInput((INPUTS,))
    made = alkaid.trace.trace(traced, function(traced, alkaid.trace.ops, np.random.default_rng(0)))
    made.save(OUT / "alkaid.json")
    out["alkaid"] = made.predict(rows / 8, n_threads=1) * 16
    traced = da4ml.trace.FixedVariableArrayInput((INPUTS,))
    end = function(traced, da4ml.trace.ops, np.random.default_rng(0))
    made = da4ml.trace.comb_trace(traced, end)
    made.save(OUT / "da4ml.json")
    da4ml.trace.pipeline.to_pipeline(made, 3, verbose=False).save(OUT / "pipeline.json")
    out["da4ml"] = made.predict(rows / 8, n_threads=1) * 16
    for name in ("alkaid", "da4ml"):
        whole = out[name].astype(np.int16)
        assert (whole == out[name]).all()
        out[name] = whole
    np.savez_compressed(OUT / "outputs.npz", **out)


if __name__ == "__main__":
    main()
