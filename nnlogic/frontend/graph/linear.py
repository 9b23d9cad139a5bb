"""Weighted sums of coded values as sums of integers, with how far torch may be from them.

Where every partial sum is an integer multiple of one power of two and small enough, torch adds
exactly in any order. Elsewhere (scales that are not powers of two, biases of 24 bits) the order
matters, which is torch's own business, so what is known is an interval: Higham, "Accuracy and
Stability of Numerical Algorithms", 2nd ed., section 3.1, any order of n products.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from nnlogic.core.formats import IntArray
from nnlogic.frontend.graph.grid import CLOSE, Floats, counts, exponent, step
from nnlogic.frontend.graph.values import Coded, Sums
from nnlogic.frontend.wiring import Refusal

if TYPE_CHECKING:
    from nnlogic.frontend.graph.circuit import Circuit

PRECISION = {torch.float32: 24, torch.float64: 53}
MOST_POINTS = 1 << 20
"""Sums of a neuron that are looked at one by one."""
MOST_BITS = 14
"""Inputs of a neuron whose weights lie on no grid."""


@dataclass(frozen=True)
class Columns:
    """Values of the wires that sums read: ``slope * (code - lo) + start``, up to `off`."""

    wires: IntArray
    slope: Floats
    start: Floats
    off: Floats
    size: Floats
    values: list[Floats]


def sums(
    circuit: Circuit, x: Coded, weights: torch.Tensor, bias: torch.Tensor | None, name: str
) -> Sums:
    """Return what ``x @ weights.T + bias`` is.

    Parameters
    ----------
    circuit : Circuit
    x : Coded, shape (1, ..., inputs)
    weights : tensor, shape (outputs, inputs)
    bias : tensor, shape (outputs,), optional
    name : str
        Of layers that have to be put in between.
    """
    dtype = weights.dtype
    if dtype not in PRECISION or x.values.dtype != dtype:
        raise Refusal(
            f"sums of {x.values.dtype!s} and {dtype!s}", "module.float() or module.double()"
        )
    if x.ids.dim() < 2 or x.ids.shape[-1] != weights.shape[-1] or weights.dim() != 2:
        raise Refusal(f"shapes {tuple(x.ids.shape)} and {tuple(weights.shape)}")
    columns = _columns(circuit, x, name)
    lead = int(np.prod(x.ids.shape[1:-1]))
    w = weights.double().numpy()
    b = np.zeros(len(w)) if bias is None else bias.double().expand(len(w)).numpy()
    inputs, outputs = w.shape[1], len(w)
    whole = np.zeros((lead * outputs, lead * inputs))
    for i in range(lead):
        whole[i * outputs : (i + 1) * outputs, i * inputs : (i + 1) * inputs] = w
    shape = (*x.ids.shape[1:-1], outputs)
    return weighted(circuit, dtype, shape, columns, whole, np.tile(b, lead))


def pair(circuit: Circuit, x: Coded, y: Coded, sign: int, name: str) -> Sums:
    """Return what ``x + sign * y`` is, element by element."""
    both = [_columns(circuit, side, f"{name}_{i}") for i, side in enumerate((x, y))]
    first, second = both
    joined = Columns(
        np.concatenate([first.wires, second.wires]),
        np.concatenate([first.slope, second.slope]),
        np.concatenate([first.start, second.start]),
        np.concatenate([first.off, second.off]),
        np.concatenate([first.size, second.size]),
        first.values + second.values,
    )
    n = len(first.wires)
    weights = np.concatenate([np.eye(n), sign * np.eye(n)], axis=1)
    shape = tuple(x.ids.shape[1:])
    return weighted(circuit, x.values.dtype, shape, joined, weights, np.zeros(n))


def _columns(circuit: Circuit, x: Coded, name: str) -> Columns:
    x = circuit.on_grid(x, name)
    ids = x.ids.reshape(-1).numpy()
    table = x.values.double().reshape(len(x.values), -1).numpy()
    slope, start, off, size = (np.zeros(len(ids)) for _ in range(4))
    values = []
    for i, wire in enumerate(ids):
        v = table[: circuit.wires[wire].count, i]
        values.append(v)
        start[i], size[i] = v[0], np.abs(v).max()
        if len(v) > 1:
            slope[i] = v[1] - v[0]
            at = np.arange(len(v))
            if not np.array_equal(v, slope[i] * at + v[0]):
                slope[i] = (v[-1] - v[0]) / (len(v) - 1)
                off[i] = np.abs(v - (slope[i] * at + v[0])).max() * (1 + 2**-20)
    return Columns(ids, slope, start, off, size, values)


def weighted(
    circuit: Circuit,
    dtype: torch.dtype,
    shape: tuple[int, ...],
    x: Columns,
    w: Floats,
    bias: Floats,
) -> Sums:
    """Return sums of columns with weights of shape (elements, columns)."""
    digits = PRECISION[dtype]
    reach = np.abs(w) @ x.size + np.abs(bias)
    fine = exponent(np.concatenate(x.values))
    exact = np.array([
        np.ldexp(reach[j], max(exponent(w[j]) + fine, exponent(bias[j : j + 1])))
        <= 2.0 ** min(digits, 51)
        for j in range(len(w))
    ]) & (x.off == 0).all()  # fmt: skip
    terms = (w != 0).sum(axis=1) + 2
    # Products and sums are rounded once each; what underflows is lost in the least normal number.
    error = np.where(exact, 0.0, terms * 2.0**-digits * 1.01 * reach + 2.0**-120)
    error += np.abs(w) @ x.off * (1 + 2**-20)
    gain = w * x.slope
    unit, whole, bad = _on_one_grid(gain, exact, fine, w)
    error += np.abs(gain - unit[:, None] * whole) @ _tops(circuit, x)
    wires = sorted(set(x.wires.tolist()))
    place = {wire: at for at, wire in enumerate(wires)}
    matrix = np.zeros((len(w), len(wires)), np.int64)
    np.add.at(matrix.T, [place[i] for i in x.wires.tolist()], whole.T)
    spans = np.array([circuit.wires[i].count - 1 for i in wires], np.int64)
    span = np.abs(matrix) @ spans
    offset = w @ x.start + bias
    if not bad.any() and (span >= MOST_POINTS).any() and not exact[span >= MOST_POINTS].all():
        bad |= span >= MOST_POINTS
    if bad.any():
        return _tabled(circuit, dtype, shape, x, w, bias, exact, bad)
    least = np.minimum(matrix, 0) @ spans
    base = np.array([circuit.wires[i].lo for i in wires], np.int64)
    shift = matrix @ base
    # ``unit * (weights @ (codes - base)) + offset``, with codes as they are on the wires.
    return Sums(
        dtype, shape, wires, matrix, unit, offset - unit * shift, error, least + shift, span + 1
    )


def _tops(circuit: Circuit, x: Columns) -> Floats:
    return np.array([circuit.wires[i].count - 1.0 for i in x.wires])


def _on_one_grid(
    gain: Floats, exact: np.ndarray, fine: int, w: Floats
) -> tuple[Floats, IntArray, np.ndarray]:
    """Return the step of every row, multiples of it, and which rows have none."""
    unit = np.ones(len(gain))
    whole = np.zeros(gain.shape, np.int64)
    bad = np.zeros(len(gain), bool)
    common = step(gain[~exact].ravel()) if not exact.all() else 0.0
    for j, row in enumerate(gain):
        if not row.any():
            continue
        if exact[j]:
            scale = 2.0 ** -exponent(row)
            ints = (row / scale).astype(np.int64)
            divisor = int(np.gcd.reduce(np.abs(ints)))
            unit[j], whole[j] = scale * divisor, ints // divisor
            continue
        found = common or step(row)
        if found:
            unit[j], whole[j] = found, counts(row, found)
        bad[j] = not found or bool((np.abs(row - found * whole[j]) > CLOSE * found).any())
    return unit, whole, bad


def _tabled(
    circuit: Circuit,
    dtype: torch.dtype,
    shape: tuple[int, ...],
    x: Columns,
    w: Floats,
    bias: Floats,
    exact: np.ndarray,
    bad: np.ndarray,
) -> Sums:
    """Return sums by all codes of the wires they read, few as these are."""
    digits = PRECISION[dtype]
    tables, errors = [], []
    for j, row in enumerate(w):
        used = [i for i in np.flatnonzero(row) if len(x.values[i]) > 1]
        wires = tuple(dict.fromkeys(int(x.wires[i]) for i in used))
        points = int(np.prod([circuit.wires[i].count for i in wires], dtype=float))
        if points > 1 << MOST_BITS:
            first = int(np.flatnonzero(bad)[0])
            raise Refusal(
                f"neuron {first}: float weights on no common grid, and sums of {len(wires)} inputs "
                f"({points:.0e} codes) that {str(dtype).removeprefix('torch.')} rounds in an order "
                "of its own",
                "quantize the weights, e.g. torch.round(w * 64) / 64, and bias alike; or "
                f"module.double(); or a neuron of at most {MOST_BITS} input bits",
            )
        total = np.full(points, bias[j])
        inner = 1
        digit = {}
        for wire in wires:
            count = circuit.wires[wire].count
            digit[wire] = np.arange(points) // inner % count
            inner *= count
        for i in np.flatnonzero(row):
            v = x.values[i]
            total = total + row[i] * (v[digit[int(x.wires[i])]] if len(v) > 1 else v[0])
        reach = np.abs(row) @ x.size + abs(bias[j])
        errors.append(
            0.0 if exact[j] else (np.count_nonzero(row) + 2) * 2.0**-digits * 1.01 * reach
        )
        tables.append((wires, total))
    n = len(w)
    size = np.array([len(t) for _, t in tables], np.int64)
    return Sums(
        dtype, shape, [], None, np.ones(n), np.zeros(n), np.array(errors), np.zeros(n, np.int64),
        size, tables,
    )  # fmt: skip
