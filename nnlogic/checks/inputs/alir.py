"""The program in an ALIR file against QuantNet, on random numbers of its inputs.

The importer is not trusted: the file is read again, and every operation is computed on real
numbers, as the format defines them, in float64, which holds all of them exactly.
"""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlogic.checks.inputs import of_source
from nnlogic.checks.raw_rows import compare_outputs
from nnlogic.checks.verdict import Verdict
from nnlogic.core.formats import IntArray
from nnlogic.quant.ir import QuantNet

ROWS = 4096
EXACT = 2.0**53
LABEL = "ALIR program"
Reals = NDArray[np.float64]


class Stuck(ValueError):
    """A value has no meaning: a table has no entry for it, or float64 does not hold it."""


def check_alir(net: QuantNet, source: Path) -> Verdict:
    """Compare QuantNet with the program in a file.

    Parameters
    ----------
    net : QuantNet
        With the steps of its ports in ``info``.
    source : Path
    """
    start = time.monotonic()
    rng = np.random.default_rng(0)
    data = source.read_bytes()
    found = json.loads(gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data)
    codes, rows = _rows(net, rng)
    try:
        values = _run(found, rows)
    except Stuck as error:
        return Verdict(LABEL, net.kind, False, f"sampled n={ROWS}", str(error)).timed(start)
    wanted = np.ldexp(values, -_exponents(net.info["outputs"]))
    got = net.evaluate(codes)
    if got.shape[1] == wanted.shape[1] + 1:
        wanted = np.column_stack([wanted, wanted.argmax(axis=1)])
    return compare_outputs(net, got, wanted, LABEL).timed(start)


def _exponents(meanings: list[Mapping[str, float]]) -> IntArray:
    return np.array([np.frexp(m["step"])[1] - 1 for m in meanings], np.int64)


def _rows(net: QuantNet, rng: np.random.Generator) -> tuple[IntArray, Reals]:
    """Return codes, and numbers that have them; bits that are dropped are set at random."""
    exponents = _exponents(net.info["inputs"])
    formats = [p.format for p in net.inputs]
    lo, hi = (np.array([getattr(f, end) for f in formats]) for end in ("lo", "hi"))
    codes = rng.integers(lo, hi + 1, (ROWS, len(formats)))
    # At the ends a wrap goes wrong, and a sum is largest.
    ends = np.where(rng.random(codes.shape) < 0.5, lo, hi)
    codes = np.where(np.arange(ROWS)[:, None] % 4 == 0, ends, codes)
    below = np.ldexp(rng.random(codes.shape) / 2, exponents)
    if net.quantizer is not None:
        first = [t[0] if len(t) else 1 for t in net.quantizer.thresholds]
        return codes, np.array(first) + np.ldexp(codes - 1.0, exponents) + below
    above = np.ldexp(rng.integers(-2, 3, codes.shape) * 1.0, exponents + [f.bits for f in formats])
    return codes, np.ldexp(codes * 1.0, exponents) + below + above


def _run(found: Any, rows: Reals) -> Reals:
    """Return the outputs of the program in a file, shape (rows, outputs)."""
    if isinstance(found, dict):
        version = int(found["spec_version"])
        return _program(found["model"], version, rows)
    for model in found[0] if len(found) == 1 else [found]:
        rows = _program(model, 0, rows)
    return rows


def _program(model: list[Any], version: int, rows: Reals) -> Reals:
    _, shifts, slots, out_shifts, negative, records = model[:6]
    tables = model[8] if len(model) > 8 and model[8] else []
    x = rows * 2.0 ** np.array(shifts, np.float64)
    values: list[Reals] = []
    bounds: list[list[float]] = []
    for number, record in enumerate(records):
        code, args, data, bound = _plain(record, version)
        read = [values[a] for a in args], [bounds[a] for a in args]
        y = _value(code, *read, data, bound, x, tables)
        if not np.all(np.abs(y) / bound[2] < EXACT):
            raise Stuck(f"operation {number}: a value of more than 53 bits")
        values.append(np.broadcast_to(y, rows.shape[:1]))
        bounds.append(bound)
    zero = np.zeros(len(rows))
    ends = [values[s] if s >= 0 else zero for s in slots]
    return np.stack(ends, axis=1) * 2.0 ** np.array(out_shifts) * np.where(negative, -1.0, 1.0)


def _plain(record: list[Any], version: int) -> tuple[int, list[int], list[int], list[float]]:
    """Return code, values read, numbers and interval of a record; below version 3 it is packed."""
    if version >= 3:
        args, code, data, bound = record[:4]
        return code, args, data or [0], bound
    a, b, code, data, bound = record[:5]
    word = int(data) % 2**64
    low, high = word % 2**32, word // 2**32
    low, high = low - 2**32 * (low >= 2**31), high - 2**32 * (high >= 2**31)
    word -= 2**64 * (word >= 2**63)
    if abs(code) == 6:
        return code, [a, b, low], [high], bound
    if code == 10:
        return code, [a, b], [low, int(data) % 2**64 >> 56], bound
    if code == 4:
        step = -round(np.log2(bound[2]))
        return code, [a], [low, high] if version else [word, step], bound
    if code == -1:
        return code, [], [a], bound
    if version and code == -2:
        return code, [a], [0], bound
    if not version and code == -2:
        # In da4ml the ReLU of what is negated.
        return -12, [a], [0], bound
    reads = {0: 2, 1: 2, 7: 2, 5: 0}.get(code, 1)
    return code, [a, b][:reads], [0] if abs(code) in (2, 3) else [word], bound


def _value(
    code: int,
    v: list[Reals],
    read: list[list[float]],
    data: list[int],
    bound: list[float],
    x: Reals,
    tables: list[Any],
) -> Reals:
    simple: dict[int, Callable[[], Reals]] = {
        -2: lambda: -v[0],
        -1: lambda: _cut(x[:, data[0]], bound),
        0: lambda: v[0] + v[1] * 2.0 ** data[0],
        1: lambda: v[0] - v[1] * 2.0 ** data[0],
        2: lambda: _cut(np.maximum(v[0], 0), bound),
        -12: lambda: _cut(np.maximum(-v[0], 0), bound),
        3: lambda: _cut(v[0] * 2.0 ** data[0], bound),
        -3: lambda: _cut(-v[0], bound),
        4: lambda: v[0] + data[0] * 2.0 ** -data[1],
        5: lambda: np.array(data[0] * bound[2]),
        6: lambda: _cut(np.where(_top(v[2], read[2]), v[0], v[1] * 2.0 ** data[0]), bound),
        -6: lambda: _cut(np.where(_top(v[2], read[2]), v[0], -v[1] * 2.0 ** data[0]), bound),
        7: lambda: v[0] * v[1],
        8: lambda: _looked_up(v[0], read[0], tables[data[0]]),
        9: lambda: _unary(v[0], read[0], data[0]),
        10: lambda: _binary(v[0], v[1] * 2.0 ** data[0], data[1]),
        11: lambda: _sum(v, data),
    }  # fmt: skip
    return simple[code]()


def _sum(v: list[Reals], data: list[int]) -> Reals:
    out = np.zeros(1)
    for term, plus, shift in zip(v, data[::2], data[1::2], strict=True):
        out = out + term * 2.0**shift if plus else out - term * 2.0**shift
    return out


def _width(bound: list[float]) -> int:
    """Return the bits of a fixed-point number for an interval, its sign among them."""
    lo, hi = (round(b / bound[2]) for b in bound[:2])
    width = 0
    while lo < -(2**width) or hi >= 2**width:
        width += 1
    return width + (lo < 0)


def _cut(v: Reals, bound: list[float]) -> Reals:
    lo, hi, step = bound
    if lo == hi == 0:
        return np.zeros_like(v)
    width = _width(bound)
    half = 2.0 ** (width - 1) if lo < 0 else 0.0
    return step * (np.mod(np.floor(v / step) + half, 2.0**width) - half)


def _top(v: Reals, bound: list[float]) -> NDArray[np.bool_]:
    if bound[0] < 0:
        return v < 0
    return v >= bound[2] * 2.0 ** (_width(bound) - 1)


def _looked_up(v: Reals, bound: list[float], table: dict[str, Any]) -> Reals:
    index = (v - bound[0]) / bound[2]
    if index.min() < 0 or index.max() >= len(table["table"]):
        raise Stuck(
            f"a table of {len(table['table'])} entries has none for {v.min():g} to {v.max():g}: "
            "the file says wrongly what range its values have"
        )
    values = np.array(table["table"], np.float64)
    return values[np.floor(index).astype(np.int64)] * table["spec"]["out_qint"]["step"]


def _unary(v: Reals, bound: list[float], which: int) -> Reals:
    ones = bound[2] * (2.0 ** _width(bound) - 1)
    if which == 0:
        return -v - bound[2] if bound[0] < 0 else ones - v
    if which == 1:
        return (v != 0).astype(np.float64)
    return (v == (-bound[2] if bound[0] < 0 else ones)).astype(np.float64)


def _binary(a: Reals, b: Reals, which: int) -> Reals:
    # On a step that both are multiples of.
    step = 1.0
    while np.any(np.mod(a, step)) or np.any(np.mod(b, step)):
        step /= 2
    x, y = (a / step).astype(np.int64), (b / step).astype(np.int64)
    return (x & y, x | y, x ^ y)[which].astype(np.float64) * step


RUNG = of_source("ALIR program = QuantNet", check_alir, "the program")
