"""The network as it grows: how pending functions are cut into codes."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch

from nnlogic.core.formats import IntArray
from nnlogic.frontend.graph import maps, thresholds
from nnlogic.frontend.graph.grid import step
from nnlogic.frontend.graph.values import Coded, Pending, Raw, Sums
from nnlogic.frontend.wiring import TABLE_BITS, Refusal, Wiring

LEVELS = 256
"""Most levels of a quantizer."""
CHUNK = 1 << 22
"""Values that are computed at a time."""


@dataclass
class Circuit(Wiring):
    """Layers so far, with what torch computes of them.

    Attributes
    ----------
    raw : list of set of float
        Thresholds of raw features; those found late are wires only when the graph is read again.
    first : list of int
        Wires of the raw features.
    again : bool
    """

    raw: list[set[float]] = field(default_factory=list)
    first: list[int] = field(default_factory=list)
    again: bool = False

    def on_grid(self, x: Coded, name: str) -> Coded:
        """Return values whose codes count equal steps, where a table of one wire can see to it."""
        shape, levels = x.ids.shape, len(x.values)
        ids = x.ids.reshape(-1).clone()
        values = x.values.reshape(levels, -1)
        table = values.double().numpy()
        new: dict[tuple[int, bytes], tuple[IntArray, np.ndarray]] = {}
        keys = []
        for i, wire in enumerate(ids.tolist()):
            v = table[: self.wires[wire].count, i]
            key = (wire, v.tobytes())
            keys.append(key)
            if key not in new and not _even(v):
                new[key] = _evened(v)
        if not new:
            return x
        wires = self.tables(name, [(w,) for w, _ in new], [codes for codes, _ in new.values()])
        at = dict(zip(new, wires, strict=True))
        longest = max([levels, *(len(v) for _, v in new.values())])
        out = torch.cat([values, values[-1:].expand(longest - levels, -1)]).clone()
        for i, key in enumerate(keys):
            if key in new:
                ids[i] = at[key]
                spread = torch.from_numpy(new[key][1]).to(out.dtype)
                rest = spread[-1:].expand(longest - len(spread))
                out[:, i] = torch.cat([spread, rest])
        return Coded(ids.reshape(shape), out.reshape(longest, *shape[1:]))

    def code(self, x: Coded | Pending, name: str, what: str = "") -> Coded:
        """Cut a pending tensor into codes.

        Raises
        ------
        Refusal
            It has too many levels, or torch's rounding decides between two.
        """
        if isinstance(x, Coded):
            return x
        if isinstance(x.base, Raw):
            return thresholds.code_raw(self, x)
        if not isinstance(x.base, Sums):
            return maps.code_windows(self, x, name)
        return _code_sums(self, x, x.base, name)


def straight(x: Pending) -> Pending | None:
    """Return a function of sums as sums, where it is one, exactly; None where it is not."""
    if x.plain:
        return x
    found = _sequences(x)
    if found is None:
        return None
    base, ids, seqs = found
    unit, offset = np.zeros(len(ids)), np.zeros(len(ids))
    for p, seq in enumerate(seqs):
        unit[p] = seq[1] - seq[0] if len(seq) > 1 else 0.0
        offset[p] = seq[0] - unit[p] * base.lo[ids[p]]
        again = unit[p] * (base.lo[ids[p]] + np.arange(len(seq))) + offset[p]
        if not np.array_equal(again, seq):
            return None
    return _as_sums(x, base, ids, unit, offset)


def in_order(x: Pending) -> Pending | None:
    """Return sums that compare as functions of them do, the same for all; None for others."""
    found = _sequences(x)
    if found is None:
        return None
    base, ids, seqs = found
    unit, offset = base.unit[ids], base.offset[ids]
    sums = [
        u * (base.lo[e] + np.arange(len(seq))) + o
        for u, o, e, seq in zip(unit, offset, ids, seqs, strict=True)
    ]
    points, values = np.concatenate(sums), np.concatenate(seqs)
    order = np.lexsort((values, points))
    steps, rises = np.diff(points[order]), np.diff(values[order])
    if bool(((steps > 0) == (rises > 0)).all() and (rises >= 0).all()):
        return _as_sums(x, base, ids, unit, offset)
    return None


def _sequences(x: Pending) -> tuple[Sums, np.ndarray, list[np.ndarray]] | None:
    """Return a function's values on all sums that there are, where these are exact."""
    base = x.base
    if not isinstance(base, Sums) or base.weights is None:
        return None
    ids = x.ids.reshape(-1).numpy()
    counts = base.count[ids]
    if base.error[ids].any() or int(counts.max()) * len(ids) > CHUNK:
        return None
    values = x.function(base.points(slice(0, int(counts.max())))[0]).reshape(-1, len(ids))
    if bool(torch.isnan(values).any()):
        return None
    return base, ids, [values[: int(n), p].double().numpy() for p, n in enumerate(counts)]


def _as_sums(
    x: Pending, base: Sums, ids: np.ndarray, unit: np.ndarray, offset: np.ndarray
) -> Pending:
    if base.weights is None:
        raise TypeError("sums without weights")
    shape = tuple(x.ids.shape[1:])
    made = Sums(
        base.dtype, shape, base.wires, base.weights[ids], unit, offset, np.zeros(len(ids)),
        base.lo[ids], base.count[ids],
    )  # fmt: skip
    return Pending(made, torch.arange(len(ids)).reshape(1, *shape), lambda t: t)


def _even(v: np.ndarray) -> bool:
    """Whether values by code are steps of one size, up to what float32 rounds."""
    if len(v) < 3:
        return len(np.unique(v)) == len(v)
    slope = (v[-1] - v[0]) / (len(v) - 1)
    if slope == 0:
        return False
    off = np.abs(v - (v[0] + slope * np.arange(len(v)))).max()
    return bool(off <= 1e-4 * abs(slope))


def _evened(v: np.ndarray) -> tuple[IntArray, np.ndarray]:
    """Return codes that count equal steps for values of any kind, and the values by new code."""
    low = float(v.min())
    unit = step(v - low)
    if not unit:
        if len(np.unique(v)) == 1:
            return np.zeros(len(v), np.int64), v[:1].copy()
        raise Refusal(
            "levels on no common grid", "a uniform quantizer, or levels that are integers"
        )
    codes = np.rint((v - low) / unit).astype(np.int64)
    if codes.max() >= 1 << TABLE_BITS:
        raise Refusal(f"levels of {int(codes.max())} steps", "a uniform quantizer")
    out = low + unit * np.arange(codes.max() + 1)
    out[codes] = v
    return codes, out


def _code_sums(circuit: Circuit, x: Pending, base: Sums, name: str) -> Coded:
    ids = x.ids.reshape(-1).numpy()
    counts = base.count[ids]
    longest = int(counts.max())
    if longest > 1 << 20:
        raise Refusal(
            f"sums of {longest:,} values, limit {1 << 20:,}", "fewer bits of weights or inputs"
        )
    chunk = max(1, CHUNK // max(1, int(np.prod(base.shape)), len(ids)))
    low, high = [], []
    for start in range(0, longest, chunk):
        a, b = base.points(slice(start, min(start + chunk, longest)))
        low.append(x.function(a).reshape(len(a), -1))
        high.append(low[-1] if not base.error.any() else x.function(b).reshape(len(b), -1))
    first, second = torch.cat(low), torch.cat(high)
    _refuse_unsure(x, base, ids, first, second)
    seqs = [first[: int(n), p].double().numpy() for p, n in enumerate(counts)]
    found = [np.unique(seq, return_inverse=True) for seq in seqs]
    most = max(len(levels) for levels, _ in found)
    if most > LEVELS and not x.plain:
        raise Refusal(
            f"{most:,} levels, limit {LEVELS}: no quantizer on its output",
            "follow it with one, e.g. torch.round(y).clamp(0, 3), or torch.sign(y)",
        )
    if base.weights is None:
        codes = [inverse.astype(np.int64) for _, inverse in found]
        wires = circuit.tables(name, [base.tables[e][0] for e in ids], codes)
        return labelled(circuit, wires, [levels for levels, _ in found], first.dtype, x.ids.shape)
    rising = [bool((np.diff(inverse) >= 0).all()) for _, inverse in found]
    falling = [bool((np.diff(inverse) <= 0).all()) for _, inverse in found]
    bias = np.zeros(len(ids), np.int64)
    if most > LEVELS or not all(a or b for a, b in zip(rising, falling, strict=True)):
        wires = circuit.linear(f"{name}_sum", base.wires, base.weights[ids], bias, None)
        if most <= LEVELS:
            lows = [circuit.wires[w].lo for w in wires]
            tables = [
                inverse[np.clip(np.arange(circuit.wires[w].count) + lo - base.lo[e], 0, n - 1)]
                for (_, inverse), w, lo, e, n in zip(found, wires, lows, ids, counts, strict=True)
            ]
            wires = circuit.tables(name, [(w,) for w in wires], tables)
            return labelled(
                circuit, wires, [levels for levels, _ in found], first.dtype, x.ids.shape
            )
        raise Refusal(f"{most:,} levels, limit {LEVELS}", "a quantizer of fewer bits")
    weights = base.weights[ids].copy()
    steps = np.zeros((len(ids), max(1, most - 1)), np.int64)
    for p, (levels, inverse) in enumerate(found):
        lo, n = int(base.lo[ids[p]]), len(inverse)
        if not rising[p]:
            weights[p] *= -1
            lo, inverse, found[p] = -(lo + n - 1), inverse[::-1], (levels, inverse)
        at = np.searchsorted(inverse, np.arange(1, len(levels)))
        # Levels that others have, and this neuron has not, are out of its reach.
        steps[p] = lo + n
        steps[p, : len(at)] = lo + at
    wires = circuit.linear(name, base.wires, weights, bias, steps)
    return labelled(circuit, wires, [levels for levels, _ in found], first.dtype, x.ids.shape)


def labelled(
    circuit: Circuit,
    wires: list[int],
    levels: list[np.ndarray],
    dtype: torch.dtype,
    shape: tuple[int, ...],
) -> Coded:
    """Return values of wires whose codes count their levels; shape with a first size of 1."""
    longest = max(map(len, levels))
    values = np.stack([np.append(v, np.full(longest - len(v), v[-1])) for v in levels], axis=1)
    for wire, v in zip(wires, levels, strict=True):
        circuit.narrow(wire, circuit.wires[wire].lo, len(v))
    return Coded(
        torch.tensor(wires).reshape(shape),
        torch.from_numpy(values).to(dtype).reshape(longest, *shape[1:]),
    )


def _refuse_unsure(
    x: Pending, base: Sums, ids: np.ndarray, low: torch.Tensor, high: torch.Tensor
) -> None:
    if bool(torch.isnan(low).any() | torch.isnan(high).any()):
        raise Refusal("gives NaN", "repair the parameters")
    differ = low != high
    if bool(differ.any()) or (base.error.any() and not x.monotone):
        where = torch.nonzero(differ)
        levels = len(torch.unique(low[:, 0]))
        if levels > LEVELS:
            raise Refusal(
                f"{levels:,} levels, limit {LEVELS}: no quantizer on its output",
                "follow it with one, e.g. torch.round(y).clamp(0, 3), or torch.sign(y)",
            )
        if not len(where):
            raise Refusal(
                "sums that are rounded, through a function that is not monotone",
                "module.double(), or weights and scales that are powers of two",
            )
        point, neuron = (int(v) for v in where[0])
        raise Refusal(
            f"the rounding of {str(base.dtype).removeprefix('torch.')} decides: neuron "
            f"{int(ids[neuron])} at sum number {point} gives {float(low[point, neuron]):g} or "
            f"{float(high[point, neuron]):g}, by the order of adding ({len(where)} such sums)",
            "module.double(); or weights, bias and scales that are multiples of a power of two",
        )
