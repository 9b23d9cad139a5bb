"""Tables of a KANELE file against QuantNet.

The importer is not trusted: the file is read again, every layer looks its tables up and clamps its
sums as KANELE does. Where the model's own simulation vectors lie beside the tables, they are
compared too.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from nnlogic.checks.inputs import of_source
from nnlogic.checks.kanele_splines import raw_codes, spline_entries
from nnlogic.checks.raw_rows import edge_rows
from nnlogic.checks.verdict import Verdict
from nnlogic.core.bits import sample_count
from nnlogic.core.errors import InputError
from nnlogic.core.formats import IntArray
from nnlogic.frontend.torch_file import read_arrays
from nnlogic.quant.ir import QuantNet

ROWS = 4096
VECTORS = Path("firmware", "sim")
LABEL = "KANELE tables"


def check_kanele(net: QuantNet, source: Path) -> Verdict:
    """Compare QuantNet with the tables in the file, on random codes and on the model's vectors.

    Parameters
    ----------
    net : QuantNet
    source : Path
        The ``truth_tables.json``, or the checkpoint.
    """
    start = time.monotonic()
    if net.quantizer is not None:
        return check_checkpoint(net, source).timed(start)
    entries = json.loads(source.read_text(encoding="utf-8-sig"))
    bits = [int(b) for b in net.info["bits"]]
    count = sample_count(len(net.inputs), ROWS)
    codes = np.random.default_rng(0).integers(0, 1 << bits[0], (count, len(net.inputs)))
    # Ends of the range are where a clamp goes wrong.
    codes[::2] = np.where(codes[::2] & 1, codes[::2], (codes[::2] & 2 > 0) * ((1 << bits[0]) - 1))
    verdict = _compared(net, codes, _evaluate(entries, bits, codes), f"sampled n={count}")
    if not verdict.equal:
        return verdict.timed(start)
    given, wanted = (source.parent / VECTORS / f"vectors_{side}.txt" for side in ("in", "out"))
    if not (given.is_file() and wanted.is_file()):
        return verdict.timed(start)
    vectors, expected = _vectors(given), _vectors(wanted)
    if expected.shape[1] < len(net.outputs):
        expected = np.column_stack([expected, expected.argmax(axis=1)])
    own = _compared(net, vectors, expected, f"sampled n={count}")
    detail = f"every output bit for bit; {len(vectors)} vectors of the model too"
    return Verdict(
        LABEL, net.kind, own.equal, own.how, detail if own.equal else own.detail, own.where
    ).timed(start)


def check_checkpoint(net: QuantNet, source: Path) -> Verdict:
    """Compare QuantNet with the splines in the file, on rows around the input thresholds."""
    if net.quantizer is None:
        raise ValueError("a checkpoint of KANELE has an input quantizer")
    content = read_arrays(source)
    config = json.loads(source.with_name("config.json").read_text(encoding="utf-8-sig"))
    rows = edge_rows(net.quantizer, ROWS)
    bits = [int(b) for b in net.info["bits"]]
    raw = net.info["rows"] == "raw"
    codes = raw_codes(content, rows, bits[0], raw)
    entries = spline_entries(content["model_state_dict"], config)
    return _compared(
        net, net.encode(rows), _evaluate(entries, bits, codes), f"sampled n={len(rows)}"
    )


def _evaluate(entries: dict[str, Any], bits: list[int], codes: IntArray) -> IntArray:
    """Return the clamped sums of the last layer, and the first of the largest."""
    x = codes
    for layer, width in enumerate(bits[1:]):
        half = 1 << width - 1
        mine = [k.split("_") for k in entries if k.startswith(f"{layer}_")]
        total = np.zeros((len(x), 1 + max(int(o) for _, _, o in mine)), np.int64)
        for _, i, o in mine:
            entry = entries[f"{layer}_{i}_{o}"]
            if entry["acive"]:
                total[:, int(o)] += np.array(entry["values_int"])[x[:, int(i)]]
        y = np.minimum(np.maximum(total, -half), half - 1)
        x = y + half
    return np.column_stack([y, y.argmax(axis=1)])


def _vectors(path: Path) -> IntArray:
    try:
        return np.loadtxt(path, dtype=np.int64, ndmin=2)
    except ValueError as error:
        raise InputError("not simulation vectors", where=str(path), why=str(error)) from error


def _compared(net: QuantNet, codes: IntArray, expected: IntArray, how: str) -> Verdict:
    got = net.evaluate(codes)
    if len(got[0]) == len(expected[0]) - 1:
        expected = expected[:, :-1]
    if got.shape != expected.shape:
        detail = f"outputs of shape {expected.shape}, network {got.shape}"
        return Verdict(LABEL, net.kind, False, how, detail, "outputs")
    wrong = np.argwhere(got != expected)
    if not len(wrong):
        return Verdict(LABEL, net.kind, True, how, "every output bit for bit")
    row, port = map(int, wrong[0])
    detail = f"row {row}: tables give {expected[row, port]}, {net.kind} {got[row, port]}"
    return Verdict(LABEL, net.kind, False, how, detail, f"output {net.outputs[port].name}")


RUNG = of_source("KANELE tables = QuantNet", check_kanele, "the tables")
