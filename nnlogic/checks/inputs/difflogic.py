"""Gates of a difflogic file against QuantNet.

The importer is not trusted: weights are read again, and gates are evaluated by the formulas of
their numbers, all rows in the bits of one integer.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from nnlogic.checks.inputs import of_source
from nnlogic.checks.verdict import Verdict
from nnlogic.core.bits import sample_count
from nnlogic.core.formats import IntArray
from nnlogic.frontend.torch_file import read_arrays
from nnlogic.quant.ir import QuantNet

ROWS = 4096
LABEL = "difflogic gates"


def check_difflogic(net: QuantNet, source: Path) -> Verdict:
    """Compare QuantNet with the gates in the file, on random bits of several densities.

    Parameters
    ----------
    net : QuantNet
    source : Path
    """
    start = time.monotonic()
    rng = np.random.default_rng(0)
    count = sample_count(len(net.inputs), ROWS)
    codes = (rng.random((count, len(net.inputs))) < rng.random((count, 1))).astype(np.int64)
    expected = _classes(source, codes, len(net.info["class_names"]))
    got = net.evaluate(codes)[:, 0]
    wrong = np.flatnonzero(got != expected)
    how = f"sampled n={count}"
    if not wrong.size:
        return Verdict(LABEL, net.kind, True, how, "the class of every row").timed(start)
    row = int(wrong[0])
    detail = (
        f"row {row}: gates give {expected[row]}, {net.kind} {got[row]} ({wrong.size} rows differ)"
    )
    return Verdict(LABEL, net.kind, False, how, detail, "output class").timed(start)


def _classes(source: Path, codes: IntArray, classes: int) -> IntArray:
    state = read_arrays(source)
    full = (1 << len(codes)) - 1
    bits = [
        int.from_bytes(np.packbits(c, bitorder="little").tobytes(), "little") for c in codes.T > 0
    ]
    names = {name.rpartition(".")[0] for name in state}
    for name in sorted(names, key=lambda name: int(name.rpartition(".")[2])):
        gates = state[f"{name}.weights"].argmax(axis=1).tolist()
        pairs = state[f"{name}.indices"].T.tolist()
        bits = [_gate(g, bits[a], bits[b], full) for g, (a, b) in zip(gates, pairs, strict=True)]
    each = len(bits) // classes
    raw = np.array(
        [np.frombuffer(value.to_bytes(len(codes) // 8, "little"), np.uint8) for value in bits]
    )
    ones = np.unpackbits(raw, axis=1, bitorder="little").reshape(classes, each, len(codes))
    found: IntArray = ones.sum(axis=1).argmax(axis=0)
    return found


def _gate(number: int, a: int, b: int, full: int) -> int:
    """Return one of the sixteen functions, in the order of Petersen et al., table 1."""
    return (
        0, a & b, a & ~b, a, b & ~a, b, a ^ b, a | b,
        ~(a | b), ~(a ^ b), ~b, a | ~b, ~a, b | ~a, ~(a & b), full,
    )[number] & full  # fmt: skip


RUNG = of_source("difflogic gates = QuantNet", check_difflogic, "the gates")
